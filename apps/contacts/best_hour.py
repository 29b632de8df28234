"""At which hour does a contact answer? Learnt from when answers came, by the contact's own clock. Pure: no Django.

A histogram counts answers per local hour (24 numbers). Few answers say little about an hour, so each hour also counts
half of what its neighbours have (a triangular kernel over the circle of the day), and a histogram says nothing at all
below a minimum number of answers: then the next wider one is asked.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from apps.common.schedule import Calendar, Window, at_wall_time, is_open, local_day, next_open

HOURS = 24
OWN_MINIMUM = 3
"""Answers of the contact itself."""
COMPANY_MINIMUM = 10
"""Answers of all contacts of its company."""
TENANT_MINIMUM = 50
"""Answers at the same touchpoint, or of all contacts."""
ONE_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)

Histogram = Sequence[int]


def histogram(moments: Iterable[datetime], zone: str) -> list[int]:
    """How many of these moments lie in each hour of the clock of a zone."""
    counts, clock = [0] * HOURS, ZoneInfo(zone)
    for moment in moments:
        counts[moment.astimezone(clock).hour] += 1
    return counts


def good_hours(known: Sequence[tuple[Histogram, int]]) -> tuple[int, ...]:
    """The hours that are better than most, best first; () if too little is known.

    ``known``: histograms with the number of answers each needs, the contact's own first, then wider ones. The first
    that has enough decides. Of equal hours the earlier one is first.
    """
    for counts, minimum in known:
        if sum(counts) >= max(minimum, 1):
            smooth = [2 * counts[h] + counts[h - 1] + counts[(h + 1) % HOURS] for h in range(HOURS)]
            mean = sum(smooth) / HOURS
            return tuple(sorted((h for h in range(HOURS) if smooth[h] > mean), key=lambda h: (-smooth[h], h)))
    return ()


def shift_to_hour(
    at: datetime,
    hour: int,
    windows: Sequence[Window],
    calendar: Calendar,
    give_up_at: datetime,
    *,
    skip_holidays: bool = False,
) -> datetime | None:
    """The first time from ``at`` on at which it is this hour by the calendar's clock and the windows are open.

    Never earlier than ``at`` and less than a day later, not after ``give_up_at``; None if there is none. The minute
    stays as it was, so that what was spread over an hour stays spread.
    """
    if at.astimezone(ZoneInfo(calendar.zone)).hour == hour:
        return at if is_open(at, windows, calendar, skip_holidays=skip_holidays) and at <= give_up_at else None
    minute = at.astimezone(ZoneInfo(calendar.zone)).minute
    today = local_day(at, calendar)
    for day in (today, today + ONE_DAY):
        found = _within_hour(at_wall_time(day, hour * 60, calendar), minute, windows, calendar, skip_holidays)
        # An hour that clocks skip is no hour of that day.
        is_it = found is not None and found.astimezone(ZoneInfo(calendar.zone)).hour == hour
        if found is not None and is_it and at <= found <= min(at + ONE_DAY, give_up_at):
            return found
    return None


def _within_hour(
    start: datetime, minute: int, windows: Sequence[Window], calendar: Calendar, skip_holidays: bool
) -> datetime | None:
    """The minute of the hour that begins at ``start`` if it is open then, else the first one of it that is."""
    wanted = start + timedelta(minutes=minute)
    if is_open(wanted, windows, calendar, skip_holidays=skip_holidays):
        return wanted
    opened = next_open(start, windows, calendar, skip_holidays=skip_holidays)
    return opened if opened is not None and opened < start + _HOUR else None


def shift_to_good_hour(
    at: datetime,
    hours: Sequence[int],
    windows: Sequence[Window],
    calendar: Calendar,
    give_up_at: datetime,
    *,
    skip_holidays: bool = False,
) -> datetime:
    """The time at the best of these hours (best first) that the windows allow; ``at`` unchanged if they allow none.

    The day that it may be later counts from when the windows open, for nothing is sent before anyway.
    """
    opened = next_open(at, windows, calendar, skip_holidays=skip_holidays)
    if opened is None or opened > give_up_at:
        return at
    for hour in hours:
        found = shift_to_hour(opened, hour, windows, calendar, give_up_at, skip_holidays=skip_holidays)
        if found is not None:
            return found
    return at
