"""Clocks and public holidays: what a moment is called where somebody is, and which days are worked."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import holidays

MAX_WORKING_DAYS = 250
MINUTES_PER_DAY = 1440
EVERY_DAY = frozenset(range(7))
WORKDAYS = frozenset(range(5))
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Between these lies what people may name as a time: far from the ends of all times, where clocks run over."""

_ONE_DAY = timedelta(days=1)
_ONE_SECOND = timedelta(seconds=1)
# No clock is, or was, further from UTC than this.
_FARTHEST = timedelta(hours=16)
# One means this machine's own clock, the other that nobody has set one.
_NO_PLACE = {"localtime", "Factory"}
# Assumption Day is a holiday in five of six Bavarian municipalities, Munich among them (Bavarian FTG, article 1 (2)).
# Better not to write on a working day in Nuremberg than to write on a holiday in Munich. Corpus Christi, which
# Saxony and Thuringia keep in a few municipalities only, is left to the working days.
_LOCAL = {("DE", "BY"): ("public", "catholic")}


class Problem(NamedTuple):
    """What is wrong, and where: ``path`` such as ``2.from``, "" for the whole."""

    path: str
    code: str
    params: dict[str, object]


class ScheduleError(ValueError):
    """A schedule that means nothing; ``errors`` names all that is wrong with it."""

    def __init__(self, errors: list[Problem]) -> None:
        super().__init__("; ".join(f"{error.path or 'all'}: {error.code}" for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Calendar:
    """A clock and public holidays. Raises ScheduleError for an unknown time zone.

    ``country`` is an ISO 3166-1 code of two letters, ``region`` an ISO 3166-2 code without its country; "" is none.
    A country that ``holidays`` doesn't know has none, and an unknown region has its country's: what was saved
    before an update of the library must not stop what is sent. Ask ``valid_region`` before saving.
    """

    zone: str
    country: str = ""
    region: str = ""

    def __post_init__(self) -> None:
        if not valid_zone(self.zone):
            raise ScheduleError([Problem("zone", "unknown_zone", {"zone": self.zone})])


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_PLACE)


@lru_cache(maxsize=1024)
def clock(name: str) -> ZoneInfo:
    """The clock of a valid zone."""
    return ZoneInfo(name)


@lru_cache(maxsize=1)
def _regions() -> dict[str, dict[str, str]]:
    """Country → region in capitals → region as the library writes it."""
    known = holidays.list_supported_countries(include_aliases=False)
    return {country: {region.upper(): region for region in regions} for country, regions in known.items()}


def valid_zone(name: str) -> bool:
    """Whether this is a time zone of the IANA database, such as Europe/Berlin."""
    return name in _zones()


def valid_region(country: str, region: str) -> bool:
    """Whether the public holidays of this country and region are known; "" and "" are no holidays.

    Capitals or not makes no difference.
    """
    if not country:
        return not region
    regions = _regions().get(country.upper())
    return regions is not None and (not region or region.upper() in regions)


@lru_cache(maxsize=4096)
def _holidays(country: str, region: str, year: int) -> frozenset[int]:
    """The public holidays of a year, as ordinals."""
    country, region = country.upper(), region.upper()
    regions = _regions().get(country)
    if regions is None:
        return frozenset()
    categories = _LOCAL.get((country, region))
    found = holidays.country_holidays(country, subdiv=regions.get(region), years=year, categories=categories)
    return frozenset(day.toordinal() for day in found)


def is_holiday(calendar: Calendar, day: int) -> bool:
    """Whether a day, given as its ordinal, is a public holiday there."""
    if not calendar.country:
        return False
    return day in _holidays(calendar.country, calendar.region, date.fromordinal(day).year)


def weekday_of(day: int) -> int:
    """The weekday of a day's ordinal; 0 is Monday."""
    return (day + 6) % 7


class Span(NamedTuple):
    """A time during which a zone's clocks keep one offset from UTC."""

    start: datetime
    end: datetime
    offset: timedelta


@lru_cache(maxsize=4096)
def spans(zone: str, day: int) -> tuple[Span, ...]:
    """The one or two spans that hold all of a local day, in order.

    No zone has ever changed its offset twice within three days, so both ends tell whether it changes between them.
    """
    here = clock(zone)
    start = datetime.fromordinal(day).replace(tzinfo=UTC) - _FARTHEST
    end = start + _ONE_DAY + 2 * _FARTHEST
    before, after = _offset(here, start), _offset(here, end)
    if before == after:
        return (Span(start, end, before),)
    low, high = start, end
    while high - low > _ONE_SECOND:
        middle = low + (high - low) // _ONE_SECOND // 2 * _ONE_SECOND
        low, high = (middle, high) if _offset(here, middle) == before else (low, middle)
    return Span(start, high, before), Span(high, end, after)


def _offset(here: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(here).utcoffset() or timedelta(0)


def _moment(zone: str, day: int, wall: timedelta) -> datetime:
    """The first moment at which clocks show this time on this day, or if they skip it, a later time."""
    wanted = datetime.fromordinal(day).replace(tzinfo=UTC) + wall
    for span in spans(zone, day):
        at = max(wanted - span.offset, span.start)
        if at < span.end:
            return at
    raise AssertionError(f"{zone} has no moment for {wanted}")


def utc(at: datetime) -> datetime:
    """The same moment in UTC. Raises ValueError for one without a time zone: it would be anybody's guess."""
    if at.tzinfo is UTC:
        return at
    if at.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return at.astimezone(UTC)


def ordinal(at: datetime, calendar: Calendar) -> int:
    """``local_day`` as an ordinal, for moments that are known to be aware."""
    return at.astimezone(clock(calendar.zone)).toordinal()


def local_day(at: datetime, calendar: Calendar) -> date:
    """The calendar day that it is at this moment."""
    return date.fromordinal(ordinal(utc(at), calendar))


def start_of_day(day: date, calendar: Calendar) -> datetime:
    """The first moment of a local day: midnight, or later where clocks skip it."""
    return at_wall_time(day, 0, calendar)


def at_wall_time(day: date, minute_of_day: int, calendar: Calendar) -> datetime:
    """The moment at which clocks show this minute (0 to 1439) on this day.

    Of two such moments the first; if clocks skip this time, the first moment after the gap. (RFC 5545, 3.3.5, would
    go on counting through the gap instead, and arrive up to an hour later.) Raises ValueError.
    """
    if not 0 <= minute_of_day < MINUTES_PER_DAY:
        raise ValueError("a day has the minutes 0 to 1439")
    return _moment(calendar.zone, day.toordinal(), timedelta(minutes=minute_of_day))


def next_morning(at: datetime, minute_of_day: int, calendar: Calendar) -> datetime:
    """The moment at which clocks show this minute (0 to 1439) on the local day after ``at``. As ``at_wall_time``."""
    return at_wall_time(local_day(at, calendar) + _ONE_DAY, minute_of_day, calendar)


def add_working_days(at: datetime, days: int, calendar: Calendar, *, weekdays: frozenset[int] = WORKDAYS) -> datetime:
    """The same wall time so many working days later; ``at`` itself for 0 days.

    Days that are no ``weekdays`` (0 is Monday) and public holidays don't count. A time that clocks skip on that day
    becomes the next that they show. Raises ValueError for less than 0 or more than 250 days, or without a weekday.
    """
    if not 0 <= days <= MAX_WORKING_DAYS:
        raise ValueError(f"0 to {MAX_WORKING_DAYS} working days")
    if not weekdays or not weekdays <= EVERY_DAY:
        raise ValueError("weekdays are 0 to 6, and at least one")
    at = utc(at)
    if days == 0:
        return at
    local = at.astimezone(clock(calendar.zone))
    day = local.toordinal()
    while days:
        day += 1
        if weekday_of(day) in weekdays and not is_holiday(calendar, day):
            days -= 1
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    # Two values of one zone are subtracted as wall times, without their offsets.
    return _moment(calendar.zone, day, local - midnight)
