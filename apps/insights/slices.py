"""Which responses a figure is made of, and of which days. Pure: no Django."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

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

    def overlaps(self, other: "Period") -> bool:
        """Whether they share a day."""
        return self.since <= other.until and other.since <= self.until

    def buckets(self, grain: Grain) -> list[date]:
        """The first days of all buckets that the period touches, in order."""
        found = [grain.start_of(self.since)]
        while (start := grain.next_after(found[-1])) <= self.until:
            found.append(start)
        return found


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
