"""Send windows: the hours of the week in which something may be sent."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from apps.common.schedule.calendars import (
    EVERY_DAY,
    MINUTES_PER_DAY,
    Calendar,
    Problem,
    ScheduleError,
    is_holiday,
    ordinal,
    spans,
    utc,
    weekday_of,
)

SEARCH_DAYS = 400
MAX_WINDOWS = 14

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_KEYS = ("days", "from", "to")

Stretch = tuple[datetime, datetime]


class Window(NamedTuple):
    """Hours that are open on some weekdays (0 is Monday), in minutes of the local day."""

    days: frozenset[int]
    opens_min: int
    """0 to 1439."""
    closes_min: int
    """1 to 1440, which is midnight; later than ``opens_min``. This minute is no longer open."""


_ALWAYS = (Window(EVERY_DAY, 0, MINUTES_PER_DAY),)


def parse_windows(raw: object) -> tuple[Window, ...]:
    """The send windows of a JSON value: ``[{"days": [0, 4], "from": "09:00", "to": "24:00"}]``.

    Raises ScheduleError that names all problems. Codes: ``list``, ``too_many`` (max), ``object``, ``missing``,
    ``unknown_key`` (key), ``days``, ``time``, ``order``.
    """
    if not isinstance(raw, list):
        raise ScheduleError([Problem("", "list", {})])
    if len(raw) > MAX_WINDOWS:
        raise ScheduleError([Problem("", "too_many", {"max": MAX_WINDOWS})])
    problems: list[Problem] = []
    found = [_parse_window(entry, str(index), problems) for index, entry in enumerate(raw)]
    if problems:
        raise ScheduleError(problems)
    return tuple(window for window in found if window is not None)


def _parse_window(raw: object, path: str, problems: list[Problem]) -> Window | None:
    """The window, or None after noting what is wrong."""
    if not isinstance(raw, dict):
        problems.append(Problem(path, "object", {}))
        return None
    before = len(problems)
    unknown = next((key for key in raw if key not in _KEYS), None)
    if unknown is not None:
        problems.append(Problem(path, "unknown_key", {"key": str(unknown)[:40]}))
    problems.extend(Problem(f"{path}.{key}", "missing", {}) for key in _KEYS if key not in raw)
    days, opens, closes = _days(raw.get("days")), _minute(raw.get("from"), last=1439), _minute(raw.get("to"), last=1440)
    for key, code, value in (("days", "days", days), ("from", "time", opens), ("to", "time", closes)):
        if key in raw and value is None:
            problems.append(Problem(f"{path}.{key}", code, {}))
    if opens is not None and closes is not None and opens >= closes:
        problems.append(Problem(f"{path}.to", "order", {}))
    if days is None or opens is None or closes is None or len(problems) > before:
        return None
    return Window(days, opens, closes)


def _days(raw: object) -> frozenset[int] | None:
    # JSON's true is Python's 1: it has to be told apart by its type.
    if isinstance(raw, list) and 0 < len(raw) <= 7 and all(type(day) is int and 0 <= day <= 6 for day in raw):
        return frozenset(raw)
    return None


def _minute(raw: object, *, last: int) -> int | None:
    found = _TIME.fullmatch(raw) if isinstance(raw, str) else None
    if found is None:
        return None
    minute = int(found[1]) * 60 + int(found[2]) if found[1] else MINUTES_PER_DAY
    return minute if minute <= last else None


def dump_windows(windows: Sequence[Window]) -> list[dict[str, object]]:
    """The windows as JSON; ``parse_windows`` reads them back."""
    return [
        {"days": sorted(window.days), "from": _clock(window.opens_min), "to": _clock(window.closes_min)}
        for window in windows
    ]


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@lru_cache(maxsize=8192)
def _open(calendar: Calendar, windows: tuple[Window, ...], skip_holidays: bool, day: int) -> tuple[Stretch, ...]:
    """When it is open on a local day: stretches from (inclusive) and to (exclusive), in order, none touching."""
    if skip_holidays and is_holiday(calendar, day):
        return ()
    midnight, weekday = datetime.fromordinal(day).replace(tzinfo=UTC), weekday_of(day)
    # An hour that clocks skip lies in no span; one that they show twice lies in two.
    pieces = sorted(
        (
            max(midnight + timedelta(minutes=window.opens_min) - span.offset, span.start),
            min(midnight + timedelta(minutes=window.closes_min) - span.offset, span.end),
        )
        for window in windows
        if weekday in window.days
        for span in spans(calendar.zone, day)
    )
    merged: list[Stretch] = []
    for start, end in pieces:
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)


def open_hours(
    day: date, windows: Sequence[Window], calendar: Calendar, *, skip_holidays: bool = False
) -> tuple[Stretch, ...]:
    """When it is open on a local day: from (inclusive) to (exclusive), in order. No windows are every hour."""
    hours = tuple(windows) or _ALWAYS
    return _open(calendar, hours, skip_holidays and calendar.country != "", day.toordinal())


def next_open(
    at: datetime, windows: Sequence[Window], calendar: Calendar, *, skip_holidays: bool = False
) -> datetime | None:
    """The earliest moment at or after ``at`` that is open; None if there is none within 400 days.

    No windows are every hour. Holidays are those of the calendar, by its local days.
    """
    at = utc(at)
    skip_holidays = skip_holidays and calendar.country != ""
    if not windows and not skip_holidays:
        return at
    hours = tuple(windows) or _ALWAYS
    today = ordinal(at, calendar)
    for day in range(today, today + SEARCH_DAYS + 1):
        for start, end in _open(calendar, hours, skip_holidays, day):
            if at < end:
                return at if at >= start else start
    return None


def is_open(at: datetime, windows: Sequence[Window], calendar: Calendar, *, skip_holidays: bool = False) -> bool:
    """Whether something may be sent at this very moment."""
    return _stretch(at, windows, calendar, skip_holidays) is not None


def closes_at(at: datetime, windows: Sequence[Window], calendar: Calendar) -> datetime:
    """When the stretch that is open at ``at`` ends, at the latest at local midnight; ``at`` if it isn't open."""
    stretch = _stretch(at, windows, calendar, skip_holidays=False)
    return stretch[1] if stretch else utc(at)


def _stretch(at: datetime, windows: Sequence[Window], calendar: Calendar, skip_holidays: bool) -> Stretch | None:
    at = utc(at)
    today = _open(calendar, tuple(windows) or _ALWAYS, skip_holidays, ordinal(at, calendar))
    return next((stretch for stretch in today if stretch[0] <= at < stretch[1]), None)
