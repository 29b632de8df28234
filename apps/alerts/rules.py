"""Which responses a subscription is about, and when its notices go out. Pure: no Django."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from apps.common.operators import fold
from apps.common.schedule import Calendar, Window, at_wall_time, is_open, local_day, next_open

EVERY_DAY, WORKDAYS = frozenset(range(7)), frozenset(range(5))
MIDNIGHT = 1440
WORK = (8 * 60, 18 * 60)
"""Working hours, in minutes of the day: what is due can wait for them."""
SLOTS = 21
"""So many turns of a summary are looked at for one outside the quiet hours."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which responses somebody wants to be told of; empty means all."""

    score_segments: Collection[str]
    keywords: Collection[str]
    touchpoint_ids: Collection[int]
    survey_id: int | None
    segment_id: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What wishes ask of a response."""

    score_segment: str
    comment: str
    touchpoint_id: int | None
    survey_id: int
    contact_id: UUID | None
    is_anonymous: bool


def fits(wish: Wish, facts: Facts, members: Mapping[int, Collection[UUID]]) -> bool:
    """Whether a response is one of those somebody wants to be told of.

    ``members`` says who belongs to which segment. An anonymous response is no segment's: being told of it would tell
    whose it is.
    """
    if wish.score_segments and facts.score_segment not in wish.score_segments:
        return False
    if wish.survey_id not in (None, facts.survey_id):
        return False
    if wish.touchpoint_ids and facts.touchpoint_id not in wish.touchpoint_ids:
        return False
    if wish.segment_id is not None and (
        facts.is_anonymous or facts.contact_id is None or facts.contact_id not in members.get(wish.segment_id, ())
    ):
        return False
    return not wish.keywords or _has_word(facts.comment, wish.keywords)


def _has_word(comment: str, keywords: Collection[str]) -> bool:
    """Whether one of them stands in the comment, as a part of a word as well: “cancel” is in “cancelled”."""
    said = fold(comment)
    return any(fold(word) in said for word in keywords)


@dataclass(frozen=True, slots=True)
class Quiet:
    """When somebody wants no messages, by the tenant's calendar. Minutes of the day; both the same: no quiet hours."""

    from_min: int = 0
    to_min: int = 0
    skip_weekends: bool = False
    skip_holidays: bool = False

    def windows(self, hours: tuple[int, int] = (0, MIDNIGHT)) -> tuple[Window, ...]:
        """The open hours within ``hours``; empty if nothing is left of them."""
        start, end = self.from_min, self.to_min
        if start == end:
            open_hours = [(0, MIDNIGHT)]
        elif start < end:
            open_hours = [(0, start), (end, MIDNIGHT)]
        else:
            open_hours = [(end, start)]
        days = WORKDAYS if self.skip_weekends else EVERY_DAY
        cut = [(max(opens, hours[0]), min(closes, hours[1])) for opens, closes in open_hours]
        return tuple(Window(days, opens, closes) for opens, closes in cut if opens < closes)


def instant_at(now: datetime, quiet: Quiet, calendar: Calendar, *, within_work: bool = False) -> datetime:
    """The earliest moment that is not quiet; with ``within_work`` also within working hours of a working day.

    Whose quiet hours cover all working hours is told outside them.
    """
    windows, skip_holidays = quiet.windows(), quiet.skip_holidays
    if within_work:
        work = [window._replace(days=WORKDAYS) for window in quiet.windows(WORK)]
        if work:
            windows, skip_holidays = tuple(work), True
    return next_open(now, windows, calendar, skip_holidays=skip_holidays) or now


def digest_at(now: datetime, *, hour: int, weekday: int | None, quiet: Quiet, calendar: Calendar) -> datetime:
    """The next turn of a summary after ``now``: at the hour, each day or on the weekday (0 is Monday).

    Turns in quiet hours are left out, so that their notices come with the next one; if all are (the hour itself is
    quiet), it goes out when the quiet hours end.
    """
    windows = quiet.windows()
    first: datetime | None = None
    day = local_day(now, calendar)
    for _turn in range(SLOTS * (7 if weekday is not None else 1)):
        if weekday in (None, day.weekday()):
            at = at_wall_time(day, hour * 60, calendar)
            if at > now:
                first = first or at
                if is_open(at, windows, calendar, skip_holidays=quiet.skip_holidays):
                    return at
        day += timedelta(days=1)
    assert first is not None  # noqa: S101 - three weeks have every weekday
    return instant_at(first, quiet, calendar)
