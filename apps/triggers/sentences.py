"""Rules told as sentences, in the reader's language, from a snapshot: saved rules, drafts and old versions."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format, number_format, time_format
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext
from django.utils.translation import gettext as _

from apps.common.durations import format_duration
from apps.common.texts import FALLBACK, localized
from apps.triggers.rules import Snapshot

FIELDS: dict[str, Promise] = {
    "event.touchpoint": gettext_lazy("touchpoint"),
    "event.source": gettext_lazy("source of the event"),
    "contact.email": gettext_lazy("e-mail address"),
    "contact.external_id": gettext_lazy("external id of the contact"),
    "contact.name": gettext_lazy("name of the contact"),
    "contact.locale": gettext_lazy("language"),
    "contact.country": gettext_lazy("country"),
    "contact.region": gettext_lazy("region"),
    "contact.time_zone": gettext_lazy("time zone"),
    "contact.created_at": gettext_lazy("known since"),
    "company.name": gettext_lazy("name of the company"),
    "company.external_id": gettext_lazy("external id of the company"),
    "company.country": gettext_lazy("country of the company"),
    "history.last_score": gettext_lazy("last score"),
    "history.last_response_at": gettext_lazy("last response"),
    "history.days_since_response": gettext_lazy("days since the last response"),
    "history.responses": gettext_lazy("number of responses"),
    "history.events": gettext_lazy("number of events"),
    "history.events_here": gettext_lazy("number of events at this touchpoint"),
    "history.lifetime_days": gettext_lazy("days as a customer"),
    "segment": gettext_lazy("segment"),
}
OPERATORS: dict[str, Promise] = {
    "eq": gettext_lazy("%(field)s is %(value)s"),
    "ne": gettext_lazy("%(field)s is not %(value)s"),
    "in": gettext_lazy("%(field)s is one of %(value)s"),
    "not_in": gettext_lazy("%(field)s is none of %(value)s"),
    "contains": gettext_lazy("%(field)s contains %(value)s"),
    "not_contains": gettext_lazy("%(field)s does not contain %(value)s"),
    "matches": gettext_lazy("%(field)s looks like %(value)s"),
    "lt": gettext_lazy("%(field)s < %(value)s"),
    "le": gettext_lazy("%(field)s ≤ %(value)s"),
    "gt": gettext_lazy("%(field)s > %(value)s"),
    "ge": gettext_lazy("%(field)s ≥ %(value)s"),
    "between": gettext_lazy("%(field)s is from %(low)s to %(high)s"),
    "exists": gettext_lazy("%(field)s is given"),
    "missing": gettext_lazy("%(field)s is not given"),
    "before": gettext_lazy("%(field)s is before %(value)s"),
    "after": gettext_lazy("%(field)s is after %(value)s"),
    "within_days": gettext_lazy("%(field)s lies within the last %(value)s days"),
    "older_days": gettext_lazy("%(field)s is more than %(value)s days ago"),
    "in_segment": gettext_lazy("belongs to %(value)s"),
    "not_in_segment": gettext_lazy("does not belong to %(value)s"),
}
WEEKDAYS = (
    gettext_lazy("Mon"), gettext_lazy("Tue"), gettext_lazy("Wed"), gettext_lazy("Thu"), gettext_lazy("Fri"),
    gettext_lazy("Sat"), gettext_lazy("Sun"),
)  # fmt: skip


def sentence(snapshot: Snapshot) -> str:
    """“3 days after Order received, if total ≥ 100 and country is DE, ask Delivery NPS; at most 20 %.”"""
    values = {
        "when": _when(snapshot),
        "condition": condition_in_words(snapshot["condition"], segment_names(snapshot)),
        "survey": _name(snapshot["survey"]),
    }
    if values["condition"]:
        text = _("%(when)s, if %(condition)s, ask %(survey)s") % values
    else:
        text = _("%(when)s, ask %(survey)s") % values
    text = text[:1].upper() + text[1:]
    limits = _limits(snapshot)
    return "; ".join([text, *limits]) + "."


def segment_names(snapshot: Snapshot) -> dict[str, str]:
    """Key → name of the segments a rule uses."""
    return {key: found["name"] for key, found in snapshot["segments"].items()}


def _name(thing: dict[str, Any]) -> str:
    return localized(thing["name"], get_language() or FALLBACK) or thing["key"]


def _listed(parts: list[str], word: str) -> str:
    """“a, b or c”."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}" if parts else "–"


def _when(snapshot: Snapshot) -> str:
    where = _listed([_name(t) for t in snapshot["touchpoints"]], _("or"))
    if snapshot["wait"] == "working_days":
        days = snapshot["working_days"]
        return ngettext("%(days)d working day after %(where)s", "%(days)d working days after %(where)s", days) % {
            "days": days,
            "where": where,
        }
    if snapshot["wait"] == "morning":
        return _("on the morning after %(where)s at %(time)s") % {
            "where": where,
            "time": clock(snapshot["morning_minute"]),
        }
    delay = timedelta(seconds=snapshot["delay"])
    if not delay:
        return _("right after %(where)s") % {"where": where}
    return _("%(delay)s after %(where)s") % {"delay": format_duration(delay), "where": where}


def clock(minute: int) -> str:
    """A minute of the day as the reader writes it."""
    return str(time_format(time(minute // 60 % 24, minute % 60), pgettext("time format", "H:i")))


def _limits(snapshot: Snapshot) -> list[str]:
    parts = []
    if snapshot["percent"] < 100:
        parts.append(_("at most %(percent)d%%") % {"percent": snapshot["percent"]})
    if snapshot["daily_cap"]:
        parts.append(
            _("at most %(count)s a day") % {"count": number_format(snapshot["daily_cap"], force_grouping=True)}
        )
    if snapshot["windows"]:
        parts.append(_("only %(windows)s") % {"windows": _listed([_window(w) for w in snapshot["windows"]], _("or"))})
    if snapshot["skip_holidays"]:
        parts.append(_("not on public holidays"))
    if snapshot.get("best_hour"):
        parts.append(_("at each contact's best hour"))
    if snapshot["revoked_by"]:
        where = _listed([_name(t) for t in snapshot["revoked_by"]], _("or"))
        if snapshot["revoke_match"]:
            values = {"where": where, "name": snapshot["revoke_match"]}
            parts.append(_("taken back by %(where)s with the same %(name)s") % values)
        else:
            parts.append(_("taken back by %(where)s") % {"where": where})
    parts.append(
        _("pointless after %(span)s") % {"span": format_duration(timedelta(seconds=snapshot["expires_after"]))}
    )
    return parts


def _window(window: dict[str, Any]) -> str:
    return f"{_days(sorted(window['days']))} {window['from']}–{window['to']}"


def _days(days: list[int]) -> str:
    """“Mon–Fri”, “Mon, Wed”."""
    runs: list[list[int]] = []
    for day in days:
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    names = [
        str(WEEKDAYS[run[0]])
        if len(run) == 1
        else f"{WEEKDAYS[run[0]]}{'–' if len(run) > 2 else ', '}{WEEKDAYS[run[-1]]}"
        for run in runs
    ]
    return ", ".join(names)


def condition_in_words(tree: Any, segments: dict[str, str], *, nested: bool = False) -> str:
    """“total ≥ 100 and country is DE”; "" for a condition that always holds."""
    if not tree:
        return ""
    for key, word in (("all", _("and")), ("any", _("or"))):
        if key in tree:
            parts = [condition_in_words(part, segments, nested=True) for part in tree[key]]
            text = f" {word} ".join(part for part in parts if part)
            return f"({text})" if nested and len(parts) > 1 else text
    if "not" in tree:
        return _("not (%(condition)s)") % {"condition": condition_in_words(tree["not"], segments)}
    return leaf_in_words(tree["field"], tree["op"], tree.get("value"), segments)


def leaf_in_words(field: str, op: str, value: Any, segments: dict[str, str]) -> str:
    """One comparison in words."""
    values: dict[str, Any] = {"field": field_in_words(field), "value": value_in_words(value)}
    if op == "between" and isinstance(value, list):
        values |= {"low": value_in_words(value[0]), "high": value_in_words(value[1])}
    if op in {"in_segment", "not_in_segment"}:
        values["value"] = segments.get(str(value), str(value))
    return str(OPERATORS[op]) % values


def field_in_words(field: str) -> str:
    """A field's name: ours in the reader's language, a property as it is called."""
    known = FIELDS.get(field)
    if known is not None:
        return str(known)
    root, _dot, name = field.partition(".")
    return _("%(name)s of the company") % {"name": name} if root == "company" else name


def value_in_words(value: Any) -> str:
    """A value as the reader writes it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return _listed([value_in_words(part) for part in value], _("or"))
    if isinstance(value, int | float):
        return str(number_format(value))
    if value is None:
        return _("nothing")
    return _moment(str(value)) or str(value)


def _moment(text: str) -> str:
    """An ISO date or time in the reader's form; "" if it is none."""
    if len(text) < 10 or text[4:5] != "-":
        return ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    if len(text) == 10:
        return str(date_format(moment, pgettext("date format", "j M Y")))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return str(date_format(timezone.localtime(moment), pgettext("date format", "j M Y, H:i")))
