"""The days of a recurrence rule, worked out by dateutil: what it gets wrong or never ends is kept from it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice, takewhile
from typing import Literal

from dateutil import rrule

from apps.common.schedule import Calendar, at_wall_time, local_day

_ONE_DAY = timedelta(days=1)
# The Gregorian calendar repeats every 400 years, weekdays included.
_CYCLE = 400
# Within these years before 9999 each date meets each weekday.
_ALL_WEEKDAYS = 40

# dateutil's YEARLY, MONTHLY, WEEKLY, DAILY.
Frequency = Literal[0, 1, 2, 3]


@dataclass(frozen=True, slots=True)
class Rule:
    """A recurrence rule. ``text`` is its normal form; two rules with the same are the same rule."""

    text: str
    frequency: Frequency
    interval: int
    months: tuple[int, ...]
    month_days: tuple[int, ...]
    weekdays: tuple[tuple[int, int], ...]
    """Weekday (0 is Monday) and which of the month or year; 0 is each, -1 the last."""
    positions: tuple[int, ...]
    week_start: int
    until: date | None
    """The last local day, inclusive."""


def most_weekdays(frequency: int, has_months: bool) -> int:
    """How many of a weekday there are at most in what the rule counts them in."""
    return 53 if frequency == rrule.YEARLY and not has_months else 5


def never_fires(rule: Rule) -> bool:
    """Whether no start and no interval would give the rule a day.

    dateutil searches until the year 9999, so it is asked about the last decades before it. Day by day, a rule has the
    days that it has year by year, which is found out faster.
    """
    start = date(date.max.year - _ALL_WEEKDAYS, 1, 1)
    frequency: Frequency = rrule.YEARLY if rule.frequency == rrule.DAILY else rule.frequency
    asked = _complete(replace(rule, frequency=frequency, interval=1), start)
    return next(iter(_by_dateutil(asked, start)), None) is None


def _complete(rule: Rule, starts_on: date) -> Rule:
    """The rule with the days that its start implies (RFC 5545, 3.3.10)."""
    if rule.weekdays or rule.month_days or rule.frequency == rrule.DAILY:
        return rule
    if rule.frequency == rrule.WEEKLY:
        return replace(rule, weekdays=((starts_on.weekday(), 0),))
    months = rule.months or ((starts_on.month,) if rule.frequency == rrule.YEARLY else ())
    return replace(rule, months=months, month_days=(starts_on.day,))


def _by_dateutil(rule: Rule, start: date) -> rrule.rrule:
    """The days of a complete rule, whose first period begins at ``start``."""
    weekdays = rule.weekdays
    if any(number for _, number in weekdays):
        # To dateutil “MO,1TU” are the days that are both, to RFC 5545 those that are either.
        each = range(1, most_weekdays(rule.frequency, bool(rule.months)) + 1)
        weekdays = tuple((day, n) for day, number in weekdays for n in ((number,) if number else each))
    return rrule.rrule(
        rule.frequency,
        dtstart=datetime(start.year, start.month, start.day),  # noqa: DTZ001 - a day, not a moment
        interval=rule.interval,
        wkst=rule.week_start,
        bymonth=rule.months or None,
        bymonthday=rule.month_days or None,
        byweekday=[rrule.weekday(day, number or None) for day, number in weekdays] or None,
        bysetpos=rule.positions or None,
    )


def _anchor(rule: Rule, starts_on: date, first: date) -> date:
    """The beginning of the last of the rule's periods, counted from ``starts_on``, that begins by ``first``.

    From there dateutil has no long past to count through, and sees whole weeks: of the week in which it starts it
    would take the days before for missing, and choose others by BYSETPOS.
    """
    if rule.frequency == rrule.YEARLY:
        years = (first.year - starts_on.year) // rule.interval * rule.interval
        return date(starts_on.year + years, 1, 1)
    if rule.frequency == rrule.MONTHLY:
        begin = starts_on.year * 12 + starts_on.month - 1
        month = begin + (first.year * 12 + first.month - 1 - begin) // rule.interval * rule.interval
        return date(month // 12, month % 12 + 1, 1)
    begin, step = starts_on.toordinal(), rule.interval
    if rule.frequency == rrule.WEEKLY:
        begin, step = begin - (starts_on.weekday() - rule.week_start) % 7, 7 * step
    return date.fromordinal(begin + (first.toordinal() - begin) // step * step)


def _days(rule: Rule, starts_on: date, first: date) -> Iterator[date]:
    """The rule's days from ``first`` on, in order, for the next 40 years at least and 440 at most."""
    rule = _complete(rule, starts_on)
    first = max(first, starts_on)
    anchor = _anchor(rule, starts_on, first)
    # A rule that fires, but not from this start, ends with the calendar: ask where its end is near.
    shift = (date.max.year - _ALL_WEEKDAYS - anchor.year) // _CYCLE * _CYCLE
    try:
        for found in _by_dateutil(rule, anchor.replace(year=anchor.year + shift)):
            day = found.date().replace(year=found.year - shift)
            if day.year == date.max.year or (rule.until and day > rule.until):
                return
            if day >= first:
                yield day
    except ValueError:
        return  # dateutil looked into the week after the calendar's last day.


def _moments(rule: Rule, starts_on: date, at_minute: int, zone: str, after: datetime) -> Iterator[datetime]:
    calendar = Calendar(zone)
    last = after
    for day in _days(rule, starts_on, local_day(after, calendar) - _ONE_DAY):
        at = at_wall_time(day, at_minute, calendar)
        # Where clocks skip a whole day, it ends up where the next may be.
        if at > last:
            yield at
            last = at


def next_occurrence(rule: Rule, *, starts_on: date, at_minute: int, zone: str, after: datetime) -> datetime | None:
    """The rule's first moment (UTC) after ``after``: each of its days once, when the zone shows ``at_minute``.

    ``starts_on`` is no occurrence in itself: it is the first day that may be one, gives the days that the rule doesn't
    name and is where INTERVAL counts from. For times that clocks skip or show twice see ``at_wall_time``.
    None if the rule has ended or, from this start, never fires. Raises ScheduleError for an unknown zone.
    """
    return next(_moments(rule, starts_on, at_minute, zone, after), None)


def occurrences(
    rule: Rule, *, starts_on: date, at_minute: int, zone: str, after: datetime, until: datetime, limit: int
) -> list[datetime]:
    """The rule's first ``limit`` moments after ``after`` and not after ``until``. As ``next_occurrence``."""
    moments = _moments(rule, starts_on, at_minute, zone, after)
    return list(islice(takewhile(lambda at: at <= until, moments), limit))
