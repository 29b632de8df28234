"""What a campaign does, in words: who enters, what each step says of itself, when a branch says yes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.campaigns.models import Campaign, Segment
from apps.campaigns.names import NEGATED, Names, called
from apps.campaigns.sequence import parse_branch, parse_entry
from apps.common.conditions import ConditionError
from apps.common.durations import format_duration
from apps.triggers.sentences import OPERATORS, clock, value_in_words

LONGEST = 160


def entry(campaign: Campaign, names: Names) -> str:
    """“When a detractor answers Order at Order received, if …”"""
    who = _who(campaign.segment)
    values = {"who": who, "survey": str(campaign.survey or ""), "touchpoint": str(campaign.touchpoint or "")}
    if campaign.survey and campaign.touchpoint:
        text = _("When %(who)s answers “%(survey)s” at %(touchpoint)s")
    elif campaign.survey:
        text = _("When %(who)s answers “%(survey)s”")
    elif campaign.touchpoint:
        text = _("When %(who)s answers at %(touchpoint)s")
    else:
        text = _("When %(who)s answers")
    if campaign.entry == Campaign.Entry.BY_HAND:
        text = _("Started by hand, for responses: %(when)s") % {"when": text}
    parts = [text % values]
    if campaign.contact_segment:
        parts.append(_("and belongs to %(segment)s") % {"segment": campaign.contact_segment})
    condition = condition_in_words(campaign.condition, names, is_entry=True)
    if condition:
        parts.append(_("and only if %(condition)s") % {"condition": condition})
    return " ".join(parts)


def _who(segment: str) -> str:
    names = {
        Segment.PROMOTER.value: _("a promoter"),
        Segment.PASSIVE.value: _("a passive"),
        Segment.DETRACTOR.value: _("a detractor"),
    }
    return names.get(segment, _("somebody"))


def goal(campaign: Campaign) -> str:
    """What counts as success; "" without a goal."""
    if not campaign.goal:
        return ""
    label = campaign.get_goal_display()
    if campaign.goal == Campaign.Goal.EVENT and campaign.goal_touchpoint:
        label = _("an event at %(touchpoint)s") % {"touchpoint": campaign.goal_touchpoint}
    return ngettext(
        "Goal: %(goal)s within %(days)d day", "Goal: %(goal)s within %(days)d days", campaign.goal_days
    ) % {"goal": label, "days": campaign.goal_days}  # fmt: skip


def condition_in_words(tree: Any, names: Names, *, is_entry: bool = False) -> str:
    """“score ≤ 3 and a comment was written”; "" without a condition, or one that cannot be read."""
    try:
        parsed = (parse_entry if is_entry else parse_branch)(tree or {})
    except ConditionError:
        return ""
    return _tree(parsed.tree, names) if tree else ""


def _tree(tree: Any, names: Names, *, nested: bool = False) -> str:
    for key, word in (("all", _("and")), ("any", _("or"))):
        if key in tree:
            parts = [_tree(part, names, nested=True) for part in tree[key]]
            text = f" {word} ".join(part for part in parts if part)
            return f"({text})" if nested and len(parts) > 1 else text
    if "not" in tree:
        return _("not (%(condition)s)") % {"condition": _tree(tree["not"], names)}
    return _leaf(tree["field"], tree["op"], tree.get("value"), names) if tree else ""


def _leaf(field: str, op: str, value: Any, names: Names) -> str:
    if field in NEGATED and op in ("eq", "ne") and isinstance(value, bool):
        return names.field(field) if value == (op == "eq") else str(NEGATED[field])
    said = [names.value(field, part) for part in value] if isinstance(value, list) else names.value(field, value)
    values: dict[str, Any] = {"field": names.field(field), "value": value_in_words(said)}
    if op == "between" and isinstance(said, list):
        values |= {"low": value_in_words(said[0]), "high": value_in_words(said[1])}
    return str(OPERATORS[op]) % values


def step(kind: str, settings: Mapping[str, Any], names: Names) -> str:
    """What a step does, in one sentence. Whatever the settings hold: half-written steps are told, too."""
    tell = _TOLD.get(kind)
    text = tell(settings, names) if tell else ""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def notes(settings: Mapping[str, Any]) -> list[str]:
    """What else is set: keeps to the budget, goes out nevertheless, is dropped when it would be too late."""
    found = []
    if settings.get("within_budget") is True:
        found.append(_("only within the contact budget"))
    if settings.get("also_while_case") is True:
        found.append(_("also while a case is open"))
    late = settings.get("too_late_after")
    if isinstance(late, int) and not isinstance(late, bool) and 0 < late < 10**9:
        found.append(_("dropped after %(span)s") % {"span": format_duration(timedelta(seconds=late))})
    return found


def _text(value: Any) -> str:
    texts = {key: text for key, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}
    return " ".join(called(texts).split())


def _quoted(text: str) -> str:
    return _("“%(text)s”") % {"text": text}


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**8 else None


def _email(settings: Mapping[str, Any], names: Names) -> str:
    chosen, subject = settings.get("template"), _text(settings.get("subject"))
    if isinstance(chosen, int):
        return _("By the template “%(name)s”") % {"name": names.templates.get(chosen, "?")}
    return _quoted(subject) if subject else _("By the default template for follow-ups")


def _wait(settings: Mapping[str, Any], names: Names) -> str:
    mode, days = settings.get("mode", "time"), _number(settings.get("days"))
    if mode == "working_days" and days:
        return ngettext("%(days)d working day later", "%(days)d working days later", days) % {"days": days}
    minute = _number(settings.get("minute"))
    if mode == "morning" and minute is not None and minute < 1440:
        if not days or days == 1:
            return _("the next morning at %(time)s") % {"time": clock(minute)}
        return _("%(days)d mornings later at %(time)s") % {"days": days, "time": clock(minute)}
    seconds = _number(settings.get("seconds"))
    if mode == "time" and seconds:
        return _("%(span)s later") % {"span": format_duration(timedelta(seconds=seconds))}
    return _("How long?")


def _branch(settings: Mapping[str, Any], names: Names) -> str:
    condition = condition_in_words(settings.get("condition"), names)
    name = settings.get("name")
    if isinstance(name, str) and name.strip():
        return name.strip()
    return capfirst(condition) + "?" if condition else _("What decides?")


def _case(settings: Mapping[str, Any], names: Names) -> str:
    return _("Opens an urgent case") if settings.get("is_urgent") is True else _("Opens a case")


def _voucher(settings: Mapping[str, Any], names: Names) -> str:
    pool = settings.get("pool")
    if not isinstance(pool, int):
        return _("From which pool?")
    return _("Gives a voucher of “%(pool)s”") % {"pool": names.pools.get(pool, "?")}


def _tag(settings: Mapping[str, Any], names: Names) -> str:
    def listed(value: Any) -> str:
        return ", ".join(tag for tag in value if isinstance(tag, str)) if isinstance(value, list) else ""

    add, remove = listed(settings.get("add")), listed(settings.get("remove"))
    parts = [_("Adds %(tags)s") % {"tags": add}] if add else []
    if remove:
        parts.append(_("Takes away %(tags)s") % {"tags": remove})
    return "; ".join(parts) or _("Which tags?")


def _webhook(settings: Mapping[str, Any], names: Names) -> str:
    name = settings.get("name")
    said = isinstance(name, str) and name.strip()
    return _("Tells other systems: “%(name)s”") % {"name": name} if said else _("What is it called?")


def _task(settings: Mapping[str, Any], names: Names) -> str:
    title, days = _text(settings.get("title")), _number(settings.get("due_days"))
    if not title:
        return _("What is to be done?")
    if days is None:
        return _quoted(title)
    due = ngettext("due in %(days)d day", "due in %(days)d days", days) % {"days": days} if days else _("due at once")
    return _("%(title)s, %(due)s") % {"title": _quoted(title), "due": due}


def _ask(settings: Mapping[str, Any], names: Names) -> str:
    survey = settings.get("survey")
    if not isinstance(survey, int):
        return _("Which survey?")
    return _("Asks “%(survey)s”") % {"survey": names.surveys.get(survey, "?")}


def _opt_in(settings: Mapping[str, Any], names: Names) -> str:
    text = _text(settings.get("body"))
    return _quoted(text) if text else _("What is to be agreed to?")


def _stop(settings: Mapping[str, Any], names: Names) -> str:
    return _("Nothing comes after it")


_TOLD = {
    "email": _email, "wait": _wait, "branch": _branch, "case": _case, "voucher": _voucher, "tag": _tag,
    "webhook": _webhook, "task": _task, "ask": _ask, "opt_in": _opt_in, "stop": _stop,
}  # fmt: skip
