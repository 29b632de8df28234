"""Ready-made: telling those who raised a theme what became of it."""

from typing import Any

from apps.campaigns.library.blocks import Choices, Entry, Plan, both, letter, mail


def _raised(themes: tuple[str, ...]) -> dict[str, Any]:
    """Condition: one of the words is in the comment, or in a tag."""
    places = ("response.tags", "response.comment")
    return {"any": [{"field": place, "op": "contains", "value": word} for word in themes for place in places]}


def _plan(choices: Choices) -> Plan:
    news = mail(
        "news",
        both("You told us, and we changed something", "Ihr Hinweis hat etwas bewirkt"),
        letter(
            both("you told us, as others did:", "Sie haben uns, wie andere auch, gesagt:"),
            choices.said,
            both("This is what we have done about it:", "Das haben wir daraufhin getan:"),
            choices.did,
            both(
                "Thank you for taking the time to tell us. It is how we become better.",
                "Danke, dass Sie sich die Zeit dafür genommen haben. So werden wir besser.",
            ),
        ),
        within_budget=True,
    )
    settings = {
        "entry": "by_hand", "touchpoint_id": choices.touchpoint, "condition": _raised(choices.themes),
        # Who has answered since is told nevertheless: it is about what they said then.
        "stop_on_response": False, "goal": "higher", "goal_days": 180,
    }  # fmt: skip
    return Plan(settings, [news])


YOU_SAID = Entry(
    key="you-said",
    name=both("You said, we did", "Sie haben gesagt, wir haben getan"),
    when=both("When you start it, for answers there are", "Wenn Sie sie starten, für vorhandene Antworten"),
    about=both(
        "Tells everybody whose comment or tags name a theme what you changed because of it. You write both parts; you "
        "start it by hand and see before whom it reaches. The goal is a higher score next time.",
        "Sagt allen, deren Kommentar oder Schlagwörter ein Thema nennen, was Sie daraufhin geändert haben. Beide Teile "
        "schreiben Sie; Sie starten die Kampagne von Hand und sehen vorher, wen sie erreicht. Ziel ist eine höhere "
        "Bewertung beim nächsten Mal.",
    ),
    plan=_plan,
    needs=("themes", "said", "did"),
    uses=("touchpoint",),
)
