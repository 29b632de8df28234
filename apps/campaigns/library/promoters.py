"""Ready-made: thanks to promoters, with a review now and a recommendation later."""

from apps.campaigns.library.blocks import DAY, MINUTE, Choices, Entry, Plan, both, letter, mail, wait, with_query

_REVIEW = both(
    "Would you tell others, too? A few sentences in a public review help everybody who is still undecided. It takes "
    "two minutes.",
    "Mögen Sie auch anderen davon erzählen? Ein paar Sätze in einer öffentlichen Bewertung helfen allen, die noch "
    "unschlüssig sind. Das dauert zwei Minuten.",
)


def _thanks(choices: Choices) -> dict[str, object]:
    return mail(
        "thanks",
        both("Thank you, {{ first_name|that made our day }}!", "Danke, {{ first_name|das freut uns sehr }}!"),
        letter(
            both(
                "thank you for {{ score }} out of 10 points for “{{ touchpoint|your experience with us }}”. We passed "
                "your words on to everybody involved: this is what we work for.",
                "vielen Dank für {{ score }} von 10 Punkten für „{{ touchpoint|Ihre Erfahrung mit uns }}“. Ihre Worte "
                "haben wir an alle Beteiligten weitergegeben: Genau dafür arbeiten wir.",
            ),
            _REVIEW,
        ),
        body_no_comment=letter(
            both(
                "thank you for {{ score }} out of 10 points for “{{ touchpoint|your experience with us }}”. This is "
                "what we work for.",
                "vielen Dank für {{ score }} von 10 Punkten für „{{ touchpoint|Ihre Erfahrung mit uns }}“. Genau dafür "
                "arbeiten wir.",
            ),
            _REVIEW,
        ),
        button=both("Write a review", "Bewertung schreiben"),
        button_url=choices.review_url,
    )


def _referral(choices: Choices) -> dict[str, object]:
    address = choices.referral_url
    if "external_id" not in address:
        address = with_query(address, "ref={{ external_id }}")
    return mail(
        "referral",
        both("Your personal link to recommend us", "Ihr persönlicher Empfehlungslink"),
        letter(
            both(
                "you told us the other day that you would recommend us. We would like to make that easy for you: this "
                "is your personal link. Whoever comes to us by it comes on your recommendation.",
                "neulich haben Sie uns gesagt, dass Sie uns weiterempfehlen würden. Das möchten wir Ihnen leicht "
                "machen: Dies ist Ihr persönlicher Link. Wer darüber zu uns kommt, kommt auf Ihre Empfehlung.",
            ),
            both(
                "Pass it on to whomever you like. If you would rather not, there is nothing you need to do.",
                "Geben Sie ihn gern weiter, an wen Sie möchten. Und wenn nicht, brauchen Sie nichts weiter zu tun.",
            ),
        ),
        button=both("My link to pass on", "Mein Link zum Weitergeben"),
        button_url=address,
        within_budget=True,
    )


def _plan(choices: Choices) -> Plan:
    steps = [wait("moment", 10 * MINUTE), _thanks(choices)]
    if choices.referral_url:
        steps += [wait("some-days", 4 * DAY), _referral(choices)]
    settings: dict[str, object] = {"segment": "promoter", "survey_id": choices.survey}
    if choices.goal_touchpoint:
        settings |= {"goal": "event", "goal_touchpoint_id": choices.goal_touchpoint, "goal_days": 60}
    return Plan(settings, steps)


PROMOTERS = Entry(
    key="promoter-thanks",
    name=both("Thank promoters", "Promotoren danken"),
    when=both("Ten minutes after a 9 or 10", "Zehn Minuten nach einer 9 oder 10"),
    about=both(
        "Thanks at once with a button to your review site; some days later, if the contact budget allows it, a "
        "personal link to pass on, which carries the contact's external ID. Look at the rules of the review site: some "
        "want everybody to be asked, not only those who are happy.",
        "Sofort ein Dank mit einem Knopf zu Ihrem Bewertungsportal; einige Tage später, wenn das Kontaktbudget es "
        "erlaubt, ein persönlicher Link zum Weitergeben, der die externe ID des Kontakts enthält. Beachten Sie die "
        "Regeln des Portals: Manche verlangen, dass alle gefragt werden, nicht nur die Zufriedenen.",
    ),
    plan=_plan,
    needs=("review_url",),
    uses=("referral_url", "survey", "goal_touchpoint"),
)
