"""Which responses a figure is made of, and of which days. Pure: no Django."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeAlias

ONE_DAY = timedelta(days=1)


class Grain(StrEnum):
    """How long each point of a trend is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"

    def start_of(self, day: date) -> date:
        """The first day of the day's bucket; weeks begin on Monday."""
        if self is Grain.DAY:
            return day
        if self is Grain.WEEK:
            return day - timedelta(days=day.weekday())
        month = day.month if self is Grain.MONTH else (day.month - 1) // 3 * 3 + 1
        return date(day.year, month, 1)

    def next_after(self, start: date) -> date:
        """The first day of the bucket after the one that begins with ``start``."""
        if self in (Grain.DAY, Grain.WEEK):
            return start + (ONE_DAY if self is Grain.DAY else 7 * ONE_DAY)
        months = start.year * 12 + start.month - 1 + (1 if self is Grain.MONTH else 3)
        return date(months // 12, months % 12 + 1, 1)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole UTC days, the first and the last one included. Raises ValueError if the last is before the first."""

    since: date
    until: date

    def __post_init__(self) -> None:
        if self.until < self.since:
            raise ValueError("a period does not end before it begins")

    @classmethod
    def last(cls, days: int, *, today: date) -> "Period":
        """So many days up to and with today."""
        return cls(today - timedelta(days=days - 1), today)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.until - self.since).days + 1

    def before(self) -> "Period":
        """The period of the same length directly before."""
        return Period(self.since - timedelta(days=self.days), self.since - ONE_DAY)

    def year_before(self) -> "Period":
        """The same days of the year before; 29 February becomes the 28th."""
        return Period(_a_year_before(self.since), _a_year_before(self.until))

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """Its first moment, and the first one after it."""
        return _midnight(self.since), _midnight(self.until + ONE_DAY)

    def overlaps(self, other: "Stretch") -> bool:
        """Whether they share a moment."""
        return _overlap(self, other)

    def buckets(self, grain: Grain) -> list[date]:
        """The first days of all buckets that the period touches, in order."""
        found = [grain.start_of(self.since)]
        while (start := grain.next_after(found[-1])) <= self.until:
            found.append(start)
        return found


@dataclass(frozen=True, slots=True)
class Span:
    """From one moment up to but not including another, both in UTC; of all times unless told otherwise.

    Raises ValueError if nothing lies between them.
    """

    since: datetime = datetime(1, 1, 1, tzinfo=UTC)
    until: datetime = datetime(9999, 12, 31, tzinfo=UTC)

    def __post_init__(self) -> None:
        if self.until <= self.since:
            raise ValueError("a span does not end before it begins")

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """Its first moment, and the first one after it."""
        return self.since, self.until

    def before(self) -> "Span":
        """As long, directly before. Raises OverflowError where there is no such time."""
        return Span(self.since - (self.until - self.since), self.since)

    def year_before(self) -> "Span":
        """The same a year before; 29 February becomes the 28th. Raises ValueError where there is no such time."""
        since, until = (datetime.combine(_a_year_before(at.date()), at.timetz()) for at in self.moments)
        return Span(since, until)

    def overlaps(self, other: "Stretch") -> bool:
        """Whether they share a moment."""
        return _overlap(self, other)

    def in_days(self) -> "Stretch":
        """The same as a period if it is made of whole UTC days: of these the figures are kept ready."""
        if any(at != _midnight(at.date()) for at in self.moments):
            return self
        return Period(self.since.date(), self.until.date() - ONE_DAY)


Stretch: TypeAlias = Period | Span


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _overlap(one: Stretch, other: Stretch) -> bool:
    return one.moments[0] < other.moments[1] and other.moments[0] < one.moments[1]


def _a_year_before(day: date) -> date:
    last = monthrange(day.year - 1, day.month)[1]
    return date(day.year - 1, day.month, min(day.day, last))


@dataclass(frozen=True, slots=True)
class Property:
    """Something that was told along: ``store``; or of the contact or company: ``contact.plan``, ``company.size``.

    Compared as text, as JSON writes it.
    """

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Slice:
    """Which responses count. Of humans always; nothing given: all of them."""

    survey: str = ""
    touchpoint: str = ""
    stage: str = ""
    """A stage with all its sub-steps, or a sub-step alone."""
    channel: str = ""
    language: str = ""
    """``de`` also fits ``de-AT``."""
    company_id: int | None = None
    segment: str = ""
    """Key of a segment of contacts."""
    trait: Property | None = None
    is_incentivised: bool | None = None
    """Whether something was promised for answering; None: either."""

    @property
    def is_rolled(self) -> bool:
        """Whether the figures kept ready are enough to answer it."""
        return not (self.channel or self.language or self.segment or self.trait or self.company_id is not None)
