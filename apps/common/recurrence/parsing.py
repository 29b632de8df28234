"""Recurrence rules as text: RFC 5545, 3.3.10, as far as it is about days."""

import re
from dataclasses import replace
from datetime import date
from functools import lru_cache

from dateutil import rrule

from apps.common.recurrence.days import Frequency, Rule, most_weekdays, never_fires

MAX_LENGTH = 200

_FREQUENCIES: dict[str, Frequency] = {
    "DAILY": rrule.DAILY,
    "WEEKLY": rrule.WEEKLY,
    "MONTHLY": rrule.MONTHLY,
    "YEARLY": rrule.YEARLY,
}
_MAX_INTERVAL = {rrule.DAILY: 366, rrule.WEEKLY: 52, rrule.MONTHLY: 24, rrule.YEARLY: 5}
_MOST_IN_A_SET = {rrule.DAILY: 1, rrule.WEEKLY: 7, rrule.MONTHLY: 31, rrule.YEARLY: 366}
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PARTS = frozenset({"FREQ", "INTERVAL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS", "WKST", "UNTIL", "COUNT"})
_NUMBER = re.compile(r"[+-]?[0-9]{1,3}")
_DAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")


class RecurrenceError(ValueError):
    """A rule that can't be used. ``code`` says why, ``params`` what about it.

    Codes: ``too_long`` (max), ``syntax`` (part), ``unknown_part`` (part), ``duplicate`` (part), ``frequency``,
    ``value`` (part, value), ``interval`` (max), ``count``, ``until`` (value), ``combination`` (part), ``never``.
    """

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(f"{code}: {params}" if params else code)
        self.code = code
        self.params = params


@lru_cache(maxsize=1024)
def parse_rule(text: str) -> Rule:
    """The rule of a text such as ``FREQ=MONTHLY;BYDAY=1MO`` (RFC 5545, 3.3.10; ``RRULE:`` may stand before it).

    Frequencies are DAILY, WEEKLY, MONTHLY and YEARLY. UNTIL is a date. COUNT is refused: where a rule stands would
    hang on all of its past, and it would end at another time when its start is corrected.
    Raises RecurrenceError, also for a rule that has no day at all; takes less than 100 ms.
    """
    if len(text) > MAX_LENGTH:
        raise RecurrenceError("too_long", max=MAX_LENGTH)
    parts = _split(text)
    if "COUNT" in parts:
        raise RecurrenceError("count")
    frequency = _FREQUENCIES.get(parts.get("FREQ", ""))
    if frequency is None:
        raise RecurrenceError("frequency")
    positions = _numbers(parts, "BYSETPOS", _MOST_IN_A_SET[frequency], signed=True)
    rule = Rule(
        text="",
        frequency=frequency,
        interval=_interval(parts, frequency),
        months=_numbers(parts, "BYMONTH", 12),
        month_days=_numbers(parts, "BYMONTHDAY", 31, signed=True),
        weekdays=_weekdays(parts, frequency),
        # The one day of a day is its first and its last: nothing is chosen.
        positions=positions if frequency != rrule.DAILY else (),
        week_start=_week_start(parts),
        until=_until(parts),
    )
    _check_combinations(rule, parts)
    if never_fires(rule):
        raise RecurrenceError("never")
    return replace(rule, text=_text(rule))


def _split(text: str) -> dict[str, str]:
    """The parts by name, in capitals."""
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").split(";"):
        name, equals, value = part.partition("=")
        # Some letters outside ASCII have capitals inside it.
        if not equals or not text.isascii():
            raise RecurrenceError("syntax", part=part)
        if name not in _PARTS:
            raise RecurrenceError("unknown_part", part=name)
        if name in parts:
            raise RecurrenceError("duplicate", part=name)
        parts[name] = value
    return parts


def _numbers(parts: dict[str, str], name: str, most: int, *, signed: bool = False) -> tuple[int, ...]:
    """A part's numbers from 1 to ``most``, or down to the negative of it, each once."""
    found = set()
    for value in parts[name].split(",") if name in parts else ():
        number = int(value) if _NUMBER.fullmatch(value) else 0
        if not (1 <= number <= most or (signed and -most <= number <= -1)):
            raise RecurrenceError("value", part=name, value=value)
        found.add(number)
    return tuple(sorted(found))


def _interval(parts: dict[str, str], frequency: int) -> int:
    most = _MAX_INTERVAL[frequency]
    value = parts.get("INTERVAL", "1")
    if not _NUMBER.fullmatch(value) or not 1 <= int(value) <= most:
        raise RecurrenceError("interval", max=most)
    return int(value)


def _weekdays(parts: dict[str, str], frequency: int) -> tuple[tuple[int, int], ...]:
    """A rule over months counts weekdays within the month, one over whole years within the year."""
    most = most_weekdays(frequency, "BYMONTH" in parts)
    found = set()
    for value in parts["BYDAY"].split(",") if "BYDAY" in parts else ():
        match = _DAY.fullmatch(value)
        number = int(match[1] or 0) if match else 0
        if match is None or abs(number) > most or (match[1] and number == 0):
            raise RecurrenceError("value", part="BYDAY", value=value)
        found.add((_WEEKDAYS.index(match[2]), number))
    return tuple(sorted(found))


def _week_start(parts: dict[str, str]) -> int:
    value = parts.get("WKST", "MO")
    if value not in _WEEKDAYS:
        raise RecurrenceError("value", part="WKST", value=value)
    return _WEEKDAYS.index(value)


def _until(parts: dict[str, str]) -> date | None:
    value = parts.get("UNTIL")
    if value is None:
        return None
    try:
        if len(value) == 8 and value.isdigit():
            return date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        pass
    raise RecurrenceError("until", value=value)


def _check_combinations(rule: Rule, parts: dict[str, str]) -> None:
    """What RFC 5545, 3.3.10, says must not stand together."""
    if rule.frequency == rrule.WEEKLY and rule.month_days:
        raise RecurrenceError("combination", part="BYMONTHDAY")
    if rule.frequency in {rrule.DAILY, rrule.WEEKLY} and any(number for _, number in rule.weekdays):
        raise RecurrenceError("combination", part="BYDAY")
    if "BYSETPOS" in parts and not (rule.months or rule.month_days or rule.weekdays):
        raise RecurrenceError("combination", part="BYSETPOS")


def _text(rule: Rule) -> str:
    names = {number: name for name, number in _FREQUENCIES.items()}
    days = (f"{number or ''}{_WEEKDAYS[weekday]}" for weekday, number in rule.weekdays)
    parts = {
        "FREQ": names[rule.frequency],
        "INTERVAL": str(rule.interval) if rule.interval > 1 else "",
        "BYMONTH": ",".join(map(str, rule.months)),
        "BYMONTHDAY": ",".join(map(str, rule.month_days)),
        "BYDAY": ",".join(days),
        "BYSETPOS": ",".join(map(str, rule.positions)),
        "WKST": _WEEKDAYS[rule.week_start] if rule.week_start else "",
        "UNTIL": rule.until.isoformat().replace("-", "") if rule.until else "",
    }
    return ";".join(f"{name}={value}" for name, value in parts.items() if value)
