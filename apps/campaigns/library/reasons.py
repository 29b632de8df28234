"""Ready-made: asking for the reason, of passives and of those who gave a number only."""

from apps.campaigns.library.blocks import DAY, HOUR, Choices, Entry, Plan, both, branch, holds, letter, mail, wait

_QUESTION = both(
    "What would have made it a 9 or a 10? One sentence is enough. Your answer is still there: you can simply add to "
    "it.",
    "Was hätte eine 9 oder 10 daraus gemacht? Ein Satz genügt. Ihre Antwort ist noch da: Sie können sie einfach "
    "ergänzen.",
)


def _passives(choices: Choices) -> Plan:
    question = mail(
        "question",
        both(
            "What would make it a 9, {{ first_name|if we may ask }}?", "Was fehlt noch zur 9, {{ first_name|bitte }}?"
        ),
        letter(
            both(
                "thank you for {{ score }} out of 10 points for “{{ touchpoint|your experience with us }}” and for "
                "your words, which we have read.",
                "vielen Dank für {{ score }} von 10 Punkten für „{{ touchpoint|Ihre Erfahrung mit uns }}“ und für Ihre "
                "Worte, die wir gelesen haben.",
            ),
            _QUESTION,
        ),
        body_no_comment=letter(
            both(
                "thank you for {{ score }} out of 10 points for “{{ touchpoint|your experience with us }}”. That is "
                "good, but there is room, and you know best where.",
                "vielen Dank für {{ score }} von 10 Punkten für „{{ touchpoint|Ihre Erfahrung mit uns }}“. Das ist "
                "gut, aber da geht noch etwas, und Sie wissen am besten, wo.",
            ),
            _QUESTION,
        ),
        button=both("Add to my answer", "Antwort ergänzen"),
        button_url="{{ answer_url }}",
        within_budget=True,
    )
    steps, goal = [wait("hour", HOUR), question], {"goal": "comment", "goal_days": 14}
    if choices.survey:
        steps += [wait("two-months", 60 * DAY), {"key": "again", "kind": "ask", "survey": choices.survey}]
        goal = {"goal": "higher", "goal_days": 120}
    return Plan({"segment": "passive", "survey_id": choices.survey, **goal}, steps)


PASSIVES = Entry(
    key="passive-nine",
    name=both("Ask passives what would make it a 9", "Passive fragen, was zur 9 fehlt"),
    when=both("An hour after a 7 or 8", "Eine Stunde nach einer 7 oder 8"),
    about=both(
        "One question, and a button that opens the contact's own answer to add to it. The goal is that they say why; "
        "if you choose a survey, it asks again after two months, and the goal is a higher score.",
        "Eine Frage und ein Knopf, der die eigene Antwort des Kontakts zum Ergänzen öffnet. Ziel ist, dass der Grund "
        "genannt wird; wenn Sie eine Umfrage wählen, wird nach zwei Monaten noch einmal gefragt, und Ziel ist eine "
        "höhere Bewertung.",
    ),
    plan=_passives,
    uses=("survey",),
)


def _no_comment(choices: Choices) -> Plan:
    nudge = mail(
        "nudge",
        both("One sentence more, {{ first_name|please }}?", "Ein Satz noch, {{ first_name|bitte }}?"),
        letter(
            both(
                "you gave us {{ score }} out of 10 points for “{{ touchpoint|your experience with us }}”. The number "
                "tells us how it was. Only you can tell us why.",
                "Sie haben uns {{ score }} von 10 Punkten für „{{ touchpoint|Ihre Erfahrung mit uns }}“ gegeben. Die "
                "Zahl sagt uns, wie es war. Warum, können nur Sie uns sagen.",
            ),
            both(
                "One sentence helps us to keep what is good and to mend what is not. It is read by people who can "
                "change something.",
                "Ein Satz hilft uns, Gutes zu bewahren und das andere zu verbessern. Ihn lesen Menschen, die etwas "
                "ändern können.",
            ),
        ),
        button=both("Say why", "Grund nennen"),
        button_url="{{ answer_url }}",
        within_budget=True,
    )
    silent = holds("response.has_comment", is_so=False)
    settings = {
        "survey_id": choices.survey, "touchpoint_id": choices.touchpoint, "condition": silent, "priority": -10,
        "goal": "comment", "goal_days": 14,
    }  # fmt: skip
    # Who says why meanwhile is not asked any more.
    return Plan(settings, [wait("day", DAY), branch("still-silent", silent, [nudge])])


NO_COMMENT = Entry(
    key="no-comment",
    name=both("Ask for the reason behind a number", "Nach dem Grund hinter der Zahl fragen"),
    when=both("A day after an answer without a comment", "Einen Tag nach einer Antwort ohne Kommentar"),
    about=both(
        "Only for answers without a comment; who adds one meanwhile is left alone. Its priority is low, so that a "
        "campaign for promoters, passives or detractors comes first: each answer enters one campaign.",
        "Nur für Antworten ohne Kommentar; wer inzwischen einen ergänzt, wird in Ruhe gelassen. Die Priorität ist "
        "niedrig, sodass eine Kampagne für Promotoren, Passive oder Kritiker vorgeht: Jede Antwort kommt in eine "
        "Kampagne.",
    ),
    plan=_no_comment,
    uses=("survey", "touchpoint"),
)
