"""Working time: what “within eight hours” means where nobody works at night. Pure: no Django.

Windows are the hours of work by the calendar's clock; without any, and without free holidays, work goes on around the
clock. Moments come out in UTC.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from apps.common.schedule import Calendar, Window, local_day, open_hours

FARTHEST_DAYS = 3660
"""So many days are looked at; what is left then counts around the clock, for windows that hardly ever open."""
_NOTHING = timedelta(0)
_ONE_DAY = timedelta(days=1)


def add_working_time(
    at: datetime, amount: timedelta, windows: Sequence[Window], calendar: Calendar, skip_holidays: bool = False
) -> datetime:
    """The moment at which so much working time has passed since ``at``; ``at`` itself for none.

    A day's work that began in time is done when the day ends, not when the next one begins. Raises ValueError for
    less than nothing.
    """
    at = _checked(at, amount)
    left, last = amount, at
    if not left:
        return at
    for opens, end in _stretches(at, windows, calendar, skip_holidays, step=1):
        start = max(opens, at)
        if start >= end:
            continue
        if left <= end - start:
            return start + left
        left -= end - start
        last = end
    return last + left


def take_working_time(
    at: datetime, amount: timedelta, windows: Sequence[Window], calendar: Calendar, skip_holidays: bool = False
) -> datetime:
    """The latest moment from which so much working time is left until ``at``. Raises ValueError as above."""
    at = _checked(at, amount)
    left, last = amount, at
    if not left:
        return at
    for start, closes in _stretches(at, windows, calendar, skip_holidays, step=-1):
        end = min(closes, at)
        if start >= end:
            continue
        if left <= end - start:
            return end - left
        left -= end - start
        last = start
    return last - left


def working_time_between(
    since: datetime, until: datetime, windows: Sequence[Window], calendar: Calendar, skip_holidays: bool = False
) -> timedelta:
    """How much working time lies between two moments; none if ``until`` is not later."""
    since, until = since.astimezone(UTC), until.astimezone(UTC)
    if until <= since:
        return _NOTHING
    found = _NOTHING
    for start, end in _stretches(since, windows, calendar, skip_holidays, step=1):
        if start >= until:
            break
        found += max(_NOTHING, min(end, until) - max(start, since))
    return found


def _checked(at: datetime, amount: timedelta) -> datetime:
    if amount < _NOTHING:
        raise ValueError("working time is not negative")
    if at.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return at.astimezone(UTC)


def _stretches(
    at: datetime, windows: Sequence[Window], calendar: Calendar, skip_holidays: bool, *, step: int
) -> Iterator[tuple[datetime, datetime]]:
    """Open stretches from the day of ``at`` on, or back from it with step -1."""
    first = local_day(at, calendar)
    # The day before and after as well: where clocks go back over midnight, a moment's day is not the only one near.
    for number in range(-1, FARTHEST_DAYS):
        day = _shifted(first, step * number)
        if day is None:
            return
        yield from open_hours(day, windows, calendar, skip_holidays=skip_holidays)[::step]


def _shifted(day: date, days: int) -> date | None:
    try:
        found = day + days * _ONE_DAY
    except OverflowError:
        return None
    # Years at the edges have no room for the offsets of clocks.
    return found if date(2, 1, 1) <= found <= date(9998, 12, 30) else None
