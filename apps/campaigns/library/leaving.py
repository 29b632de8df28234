"""Ready-made: winning back those who leave."""

from apps.campaigns.library.blocks import DAY, HOUR, Choices, Entry, Plan, Step, both, branch, holds, letter, mail, wait

_REASON = mail(
    "reason",
    both("May we ask why you are leaving?", "Dürfen wir fragen, warum Sie gehen?"),
    letter(
        both(
            "your cancellation has arrived, and we respect it. Thank you for telling us the reason.",
            "Ihre Kündigung ist angekommen, und wir respektieren sie. Danke, dass Sie uns den Grund genannt haben.",
        ),
        both(
            "If there is more that we should know, you can still add it to your answer. Everything helps us.",
            "Wenn wir noch etwas wissen sollten, können Sie Ihre Antwort weiterhin ergänzen. Alles hilft uns.",
        ),
    ),
    body_no_comment=letter(
        both(
            "your cancellation has arrived, and we respect it. We would still like to learn from it.",
            "Ihre Kündigung ist angekommen, und wir respektieren sie. Wir möchten aber daraus lernen.",
        ),
        both(
            "What was the main reason? One sentence is enough, and it changes nothing about your cancellation.",
            "Was war der wichtigste Grund? Ein Satz genügt, und an Ihrer Kündigung ändert er nichts.",
        ),
    ),
    button=both("Tell you the reason", "Grund nennen"),
    button_url="{{ answer_url }}",
    also_while_case=True,
)
_OFFER = mail(
    "offer",
    both(
        "If you would like to come back, {{ first_name|we are here }}",
        "Wenn Sie wiederkommen möchten, {{ first_name|sind wir da }}",
    ),
    letter(
        both(
            "thank you for the time you were with us. If you ever want to try again, we would like to make the "
            "beginning easy for you:",
            "danke für die Zeit, die Sie bei uns waren. Falls Sie es noch einmal mit uns versuchen möchten, machen wir "
            "Ihnen den Anfang gern leicht:",
        ),
        both(
            "{{ voucher_value|a voucher }}, code {{ voucher }}, valid until {{ voucher_until|further notice }}.",
            "{{ voucher_value|ein Gutschein }}, Code {{ voucher }}, gültig bis {{ voucher_until|auf Weiteres }}.",
        ),
        both("If not, we wish you all the best.", "Und wenn nicht, wünschen wir Ihnen alles Gute."),
    ),
    also_while_case=True,
)  # fmt: skip
_TALK = mail(
    "talk",
    both("Shall we look for a solution together?", "Wollen wir gemeinsam nach einer Lösung suchen?"),
    letter(
        both(
            "we would be sorry to lose you. Often there is a way: another tariff, a break, a mistake that we mend.",
            "wir würden Sie ungern verlieren. Oft gibt es einen Weg: einen anderen Tarif, eine Pause, einen Fehler, "
            "den wir beheben.",
        ),
        both(
            "If you like, somebody who may decide about it calls you. It binds you to nothing.",
            "Wenn Sie möchten, ruft Sie jemand an, der darüber entscheiden darf. Das verpflichtet Sie zu nichts.",
        ),
    ),
    button=both("Please call me", "Bitte rufen Sie mich an"),
    button_url="{{ call_back_url }}",
    also_while_case=True,
)


def _plan(choices: Choices) -> Plan:
    steps: list[Step] = [wait("hour", HOUR), _REASON, wait("two-days", 2 * DAY)]
    if choices.pool:
        way_out = [_OFFER, {"key": "done", "kind": "stop"}]
        steps += [
            {"key": "voucher", "kind": "voucher", "pool": choices.pool},
            branch("has-voucher", holds("voucher.issued"), way_out),
        ]
    steps += [{"key": "case", "kind": "case"}, _TALK]
    if choices.goal_touchpoint:
        goal = {"goal": "event", "goal_touchpoint_id": choices.goal_touchpoint}
    else:
        goal = {"goal": "redeemed" if choices.pool else "comment"}
    settings = {"touchpoint_id": choices.touchpoint, "goal_days": 90, **goal}
    return Plan(settings, steps)


CANCELLATION = Entry(
    key="cancellation",
    name=both("Win back after a cancellation", "Nach einer Kündigung zurückgewinnen"),
    when=both(
        "An hour after an answer at the touchpoint you choose",
        "Eine Stunde nach einer Antwort am gewählten Touchpoint",
    ),
    about=both(
        "Asks for the reason; two days later an offer: a voucher if you choose a pool and it has one left, else a case "
        "and the offer of a call. The goal is the event that shows that somebody came back, or that the voucher is "
        "redeemed.",
        "Fragt nach dem Grund; zwei Tage später folgt ein Angebot: ein Gutschein, wenn Sie einen Vorrat wählen und "
        "noch einer da ist, sonst ein Fall und das Angebot eines Anrufs. Ziel ist das Ereignis, das zeigt, dass jemand "
        "zurückgekommen ist, oder dass der Gutschein eingelöst wird.",
    ),
    plan=_plan,
    needs=("touchpoint",),
    uses=("pool", "goal_touchpoint"),
)  # fmt: skip
