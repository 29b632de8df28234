"""The days before something took effect against the days after, and what may be said of them. Pure: no Django.

The day itself counts on neither side: on it some met the old and some the new. Before are ``window`` whole days, after
as many once they have passed. From ``MIN_DAYS`` days on there is a first figure, of all days there are so far; before
that a Monday would be compared with a whole week.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from apps.insights.differences import TOO_FEW, UP, Change
from apps.insights.effects import Effect, effect
from apps.insights.nps import Counts, Nps, change, nps
from apps.insights.slices import ONE_DAY, Period

MIN_DAYS = 7
"""So many whole days after it have to have passed before anything is said."""
MEASURING = "measuring"
"""What is said until then."""
Daily = Mapping[date, Counts]
ByPlace = dict[int | None, dict[date, Counts]]
"""Counts of each day by touchpoint; None: of responses without one."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that took effect on a day, where, and for whom it did not. ``key`` is the caller's."""

    key: Hashable
    day: date
    window: int = 30
    """Days before and after."""
    touchpoint_id: int | None = None
    """None: everywhere."""
    control_touchpoint_id: int | None = None
    control_segment: str = ""
    """Key of a segment of contacts."""


@dataclass(frozen=True, slots=True)
class Spans:
    """The days that are compared; ``after`` is None while no whole day has passed since."""

    earlier: Period
    """As many days as before, directly before those: whether “before” was worse than usual."""
    before: Period
    after: Period | None
    today: date
    """Which is not whole yet."""

    @property
    def whole(self) -> Period:
        """From the first to the last of all these days."""
        return Period(self.earlier.since, self.after.until if self.after else self.before.until)

    def covers(self, day: date) -> bool:
        """Whether the day is one of those compared, or the day between them."""
        return self.before.since <= day <= (self.after.until if self.after else self.before.until + ONE_DAY)


def spans(subject: Subject, *, today: date) -> Spans:
    """Which days are compared, as of today: only whole days count, so up to yesterday."""
    before = Period(subject.day - timedelta(days=subject.window), subject.day - ONE_DAY)
    last = min(subject.day + timedelta(days=subject.window), today - ONE_DAY)
    after = Period(subject.day + ONE_DAY, last) if last > subject.day else None
    return Spans(before.before(), before, after, today)


def counted(daily: Daily, period: Period | None) -> Nps:
    """The score of the days of a period."""
    total = Counts()
    if period is not None:
        for number in range(period.days):
            total = total + daily.get(period.since + timedelta(days=number), Counts())
    return nps(total)


class Days:
    """Some people's answers: counts of each day, by touchpoint or of all together."""

    def __init__(self, by_place: ByPlace) -> None:
        self.by_place = by_place
        self._totals: dict[int | None, Daily] = {}

    def at(self, touchpoint_id: int | None, *, but: int | None = None) -> Daily:
        """At one touchpoint, or of all together ``but`` one."""
        if touchpoint_id is not None:
            return self.by_place.get(touchpoint_id, {})
        if but not in self._totals:
            self._totals[but] = self._total(but)
        return self._totals[but]

    def _total(self, but: int | None) -> Daily:
        total: dict[date, Counts] = defaultdict(Counts)
        for place, daily in self.by_place.items():
            if place is None or place != but:
                for day, counts in daily.items():
                    total[day] = total[day] + counts
        return dict(total)


@dataclass(frozen=True, slots=True)
class Other:
    """Something else that happened: ``kind`` is "annotation" or "action"."""

    kind: str
    key: Hashable
    day: date
    text: str
    touchpoint_id: int | None


@dataclass(frozen=True, slots=True)
class Measured:
    """Before and after, what is left of the change once the others are taken off, and what speaks against it."""

    subject: Subject
    spans: Spans
    earlier: Nps
    before: Nps
    after: Nps
    control_before: Nps | None = None
    control_after: Nps | None = None
    is_control_gone: bool = False
    """It was to be compared with a segment that is not there any more, or that is broken."""
    others: tuple[Other, ...] = ()
    """What else happened there within these days: the change may be its doing."""
    at_control: tuple[Other, ...] = ()
    """What happened with those it is compared with: they are no control then."""

    @property
    def days_after(self) -> int:
        """Whole days that have passed since, at most the window."""
        return self.spans.after.days if self.spans.after else 0

    @property
    def days_left(self) -> int:
        """Days to go until the window after it is full."""
        return self._days_until(self.subject.window)

    @property
    def is_final(self) -> bool:
        """Whether the window is full: nothing will change but by late answers."""
        return self.days_left == 0

    @property
    def has_begun(self) -> bool:
        """Whether enough days have passed for a first figure."""
        return self.days_after >= MIN_DAYS

    @property
    def days_to_begin(self) -> int:
        """Days to go until there is a first figure."""
        return self._days_until(MIN_DAYS)

    def _days_until(self, whole_days: int) -> int:
        """Days to go until so many whole days have passed since, as of today; the day may be still to come."""
        # The day itself is not one of them, and the last one has passed only once the next one begins.
        passed_on = self.subject.day + timedelta(days=whole_days + 1)
        return max(0, (passed_on - self.spans.today).days)

    @property
    def own(self) -> Change | None:
        """The change where it took effect, whatever happened elsewhere. None: too early, or too few answers."""
        return change(self.before, self.after) if self.has_begun else None

    @property
    def against(self) -> Effect | None:
        """The same against the others. None: there are none, too early, or too few answers on any side."""
        if not self.has_begun or self.control_before is None or self.control_after is None:
            return None
        return effect(
            before=self.before,
            after=self.after,
            control_before=self.control_before,
            control_after=self.control_after,
        )

    @property
    def change(self) -> Change | None:
        """What is called its effect: against the others if there are any, else the change alone."""
        if self.control_before is None:
            return self.own
        return self.against.net if self.against else None

    @property
    def told(self) -> Change | Effect | None:
        """What is put into words: against the others if there are any, else the change alone."""
        return self.own if self.control_before is None else self.against

    @property
    def verdict(self) -> str:
        """``measuring``, ``too_few``, ``chance``, ``up`` or ``down``."""
        if not self.has_begun:
            return MEASURING
        return self.change.verdict if self.change else TOO_FEW

    @property
    def lacks_control_answers(self) -> bool:
        """Whether there would be something to say but for too few answers of the others."""
        return self.control_before is not None and self.own is not None and self.against is None

    @property
    def may_be_regression(self) -> bool:
        """Whether a rise may be no more than the end of a bad spell.

        What is mended is mostly what was worst, and what was worst by chance gets better by itself. Others would have
        shown that; without them it is said unless the days before were no worse than those before them.
        """
        if self.control_before is not None or self.verdict != UP:
            return False
        if self.earlier.too_few or self.earlier.score is None or self.before.score is None:
            return True
        return self.before.score < self.earlier.score
