"""Ready-made: the apology to detractors, with a case, perhaps a voucher, a call, and the same question again."""

from apps.campaigns.library.blocks import (
    DAY,
    Choices,
    Entry,
    Plan,
    Step,
    Texts,
    both,
    branch,
    holds,
    letter,
    mail,
    wait,
)

VOUCHER = both(
    "As a small apology: {{ voucher_value|a voucher }}, code {{ voucher }}, valid until "
    "{{ voucher_until|further notice }}.",
    "Als kleine Wiedergutmachung: {{ voucher_value|ein Gutschein }}, Code {{ voucher }}, gültig bis "
    "{{ voucher_until|auf Weiteres }}.",
)
_CALL = both(
    "Somebody here is taking care of it personally. If you would rather talk about it, tell us where and when to call "
    "you.",
    "Jemand bei uns kümmert sich persönlich darum. Wenn Sie lieber darüber sprechen möchten, sagen Sie uns, wo und "
    "wann wir Sie anrufen dürfen.",
)


def _apology(key: str, *more: Texts) -> Step:
    return mail(
        key,
        both(
            "We are sorry, {{ first_name|and we want to put it right }}",
            "Es tut uns leid, {{ first_name|und wir möchten es wiedergutmachen }}",
        ),
        letter(
            both(
                "you gave us {{ score }} out of 10 points for “{{ touchpoint|your experience with us }}”, and you told "
                "us why. Thank you for being so open. We are sorry that we let you down.",
                "Sie haben uns {{ score }} von 10 Punkten für „{{ touchpoint|Ihre Erfahrung mit uns }}“ gegeben und "
                "uns gesagt, warum. Danke für Ihre offenen Worte. Es tut uns leid, dass wir Sie enttäuscht haben.",
            ),
            _CALL,
            *more,
        ),
        body_no_comment=letter(
            both(
                "you gave us {{ score }} out of 10 points for “{{ touchpoint|your experience with us }}”. We are sorry "
                "that we let you down, and we would like to know what happened.",
                "Sie haben uns {{ score }} von 10 Punkten für „{{ touchpoint|Ihre Erfahrung mit uns }}“ gegeben. Es "
                "tut uns leid, dass wir Sie enttäuscht haben, und wir möchten gern wissen, was geschehen ist.",
            ),
            _CALL,
            *more,
        ),
        button=both("Please call me", "Bitte rufen Sie mich an"),
        button_url="{{ call_back_url }}",
        also_while_case=True,
    )


def _plan(choices: Choices) -> Plan:
    steps: list[Step] = [{"key": "case", "kind": "case"}]
    if choices.pool:
        # An empty pool must not keep the apology back, nor leave a gap in it.
        steps += [
            {"key": "voucher", "kind": "voucher", "pool": choices.pool},
            branch("has-voucher", holds("voucher.issued"), [_apology("sorry-voucher", VOUCHER)], [_apology("sorry")]),
        ]
    else:
        steps.append(_apology("sorry"))
    # The question rests until the case is closed: nobody is asked how it was while it still goes on.
    steps += [
        wait("two-weeks", 14 * DAY),
        {"key": "again", "kind": "ask", "survey": choices.survey},
        wait("patience", 10 * DAY),
        {
            "key": "call", "kind": "task", "due_days": 3,
            "title": both(
                "No second answer: call {{ name|the contact }}?",
                "Keine zweite Antwort: {{ name|den Kontakt }} anrufen?",
            ),
            "text": both("First score: {{ score }}. {{ comment }}", "Erste Bewertung: {{ score }}. {{ comment }}"),
        },
    ]  # fmt: skip
    settings = {"segment": "detractor", "survey_id": choices.survey, "goal": "higher", "goal_days": 90}
    return Plan(settings, steps)


DETRACTORS = Entry(
    key="detractor-apology",
    name=both("Apologise to detractors and ask again", "Kritiker um Entschuldigung bitten und erneut fragen"),
    when=both("At once after a 0 to 6", "Sofort nach einer 0 bis 6"),
    about=both(
        "Opens a case and apologises at once, with a button to ask for a call and, if you choose a pool, a voucher. "
        "Two weeks later, as soon as the case is closed, the same survey asks again. A new answer ends it; the goal is "
        "a higher score.",
        "Eröffnet einen Fall und bittet sofort um Entschuldigung, mit einem Knopf für einen Rückruf und, wenn Sie "
        "einen Vorrat wählen, einem Gutschein. Zwei Wochen später, sobald der Fall geschlossen ist, fragt dieselbe "
        "Umfrage erneut. Eine neue Antwort beendet die Kampagne; Ziel ist eine höhere Bewertung.",
    ),
    plan=_plan,
    needs=("survey",),
    uses=("pool",),
)
