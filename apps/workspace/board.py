"""What the dashboard shows, put together once for the page, a shared link and the file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q

from apps.insights import cells, figures
from apps.insights.cells import within
from apps.insights.differences import Change, change
from apps.insights.figures import Group, Point
from apps.insights.models import Annotation, Target
from apps.insights.nps import Nps
from apps.insights.overview import Overview, overview
from apps.insights.places import find
from apps.insights.slices import ONE_DAY, Grain, Period, Slice
from apps.responses.models import Response
from apps.responses.selectors import with_promise
from apps.touchpoints.models import Event
from apps.workspace.dashboard_filter import DashboardFilter

TOP_ROWS = 10
MAX_MARKS = 40


@dataclass(frozen=True, slots=True)
class Row:
    """A part of the breakdown, what it is compared with, and the step between them."""

    key: str
    name: str
    now: Nps
    other: Nps | None
    change: Change | None


@dataclass(frozen=True, slots=True)
class Board:
    """The figures of the page. ``other`` is what they are compared with; None where nothing is."""

    period: Period
    grain: Grain
    rolling: int | None
    now: Overview
    other: Overview | None
    change: Change | None
    dimension: str
    rows: list[Row]

    @property
    def nps(self) -> Nps:
        """The score of the period."""
        return self.now.nps

    @property
    def distribution(self) -> list[int]:
        """How often each score from 0 to 10 was given."""
        return [self.now.scores.get(score, 0) for score in range(11)]

    @property
    def is_mixed(self) -> bool:
        """Whether some answers were promised something, and some were not."""
        return 0 < self.now.incentivised < self.nps.n

    def days_of(self, overview: Overview, start: date) -> Period:
        """The days that a point of the trend is made of."""
        until = min(self.grain.next_after(start) - ONE_DAY, overview.period.until)
        if self.rolling is not None:
            return Period.last(self.rolling, today=until)
        return Period(max(start, overview.period.since), until)

    @property
    def has_incentives(self) -> bool:
        """Whether any answer that was looked at was promised something."""
        return bool(self.now.incentivised or (self.other and self.other.incentivised))

    @property
    def partial(self) -> set[date]:
        """The points that hold less than they could, because the period begins or ends within them."""
        if self.rolling is not None or not self.now.points:
            return set()
        first, last = self.now.points[0].start, self.now.points[-1].start
        cut = {first} if first < self.period.since else set()
        ends = (self.grain.next_after(last) - self.period.until).days > 1
        return cut | ({last} if ends else set())


def gather(form: DashboardFilter, *, now: datetime, dimension: str = "", sort: str = "") -> Board:
    """All figures; what the breakdown goes by can be put in place of what was asked for.

    As many queries however many parts and days there are. Raises ConditionError for a segment that cannot be
    evaluated.
    """
    period, against, dimension = form.period, form.against, dimension or form.dimension
    found = _overviews(form, period, against, now)
    mine, other = found[0], found[1] if len(found) > 1 else None
    return Board(
        period=period,
        grain=form.trend_grain,
        rolling=form.window,
        now=mine,
        other=other,
        # Answers that both sides share make the interval wider than it had to be, never narrower.
        change=change(other.nps, mine.nps) if other else None,
        dimension=dimension,
        rows=_sorted(_rows(form.wanted, period, against, dimension, now), sort or form.asked["sort"]),
    )


def _overviews(form: DashboardFilter, period: Period, against: Period | Slice | None, now: datetime) -> list[Overview]:
    """Of the period, and of what it is compared with."""

    def read(wanted: Slice, periods: Sequence[Period]) -> list[Overview]:
        return overview(wanted=wanted, periods=periods, grain=form.trend_grain, rolling=form.window, now=now)

    if isinstance(against, Slice):
        return read(form.wanted, [period]) + read(against, [period])
    return read(form.wanted, [period, against] if against else [period])


def _rows(wanted: Slice, period: Period, against: Period | Slice | None, dimension: str, now: datetime) -> list[Row]:
    if isinstance(against, Slice):
        others = figures.by(wanted=against, periods=[period], dimension=dimension, now=now)
        by_key = {(part.key, part.name): part.figures[0] for part in others}
        parts = figures.by(wanted=wanted, periods=[period], dimension=dimension, now=now)
        pairs = [(part, by_key.get((part.key, part.name))) for part in parts]
    else:
        periods = [period, against] if against else [period]
        parts = figures.by(wanted=wanted, periods=periods, dimension=dimension, now=now)
        pairs = [(part, part.figures[1] if against else None) for part in parts]
    return [_row(part, other) for part, other in pairs if part.figures[0].n]


def _row(part: Group, other: Nps | None) -> Row:
    now = part.figures[0]
    return Row(part.key, part.name, now, other, change(other, now) if other else None)


def _sorted(rows: list[Row], sort: str) -> list[Row]:
    """By what was asked for: highest first for numbers, "-" the other way round; what has no such number last."""
    name, is_back = sort.removeprefix("-"), sort.startswith("-")
    if name == "name":
        return sorted(rows, key=lambda row: row.name.casefold(), reverse=is_back)
    numbers: dict[str, Any] = {
        "nps": lambda row: None if row.now.too_few else row.now.score,
        "change": lambda row: row.change.delta if row.change else None,
        "n": lambda row: row.now.n,
    }
    if name not in numbers:
        return rows
    number = numbers[name]
    told = sorted((row for row in rows if number(row) is not None), key=number, reverse=not is_back)
    return told + [row for row in rows if number(row) is None]


# --- beside the figures -------------------------------------------------------------------------------


def annotations(form: DashboardFilter) -> list[Annotation]:
    """What was noted in the period of everything or of what is looked at, oldest first. One query."""
    period, wanted = form.period, form.wanted
    found = Annotation.objects.filter(day__gte=period.since, day__lte=period.until)
    if wanted.touchpoint or wanted.stage:
        at = Q(touchpoint=None)
        if wanted.touchpoint:
            at |= Q(touchpoint__key=wanted.touchpoint)
        else:
            at |= Q(touchpoint__stage__key=wanted.stage) | Q(touchpoint__stage__parent__key=wanted.stage)
        found = found.filter(at)
    return sorted(found.order_by("-day", "-pk")[:MAX_MARKS], key=lambda row: (row.day, row.pk))


def has_target(wanted: Slice) -> bool:
    """Whether targets are set for this: everything, or one touchpoint."""
    return wanted == Slice(touchpoint=wanted.touchpoint)


def target(form: DashboardFilter) -> Target | None:
    """What is to be reached by what is looked at: one touchpoint, or everything. None for any other part. One query."""
    if not has_target(form.wanted):
        return None
    at = Q(touchpoint__key=form.wanted.touchpoint) if form.wanted.touchpoint else Q(touchpoint=None)
    return Target.objects.filter(at, status=Target.Status.OPEN).first()


def suspected(period: Period) -> int:
    """How many answers of the period are left out because probably no human gave them. One query."""
    return Response.objects.filter(within(period), is_suspected=True, score__isnull=False).count()


def comments(form: DashboardFilter, *, now: datetime, limit: int) -> list[Response]:
    """The newest responses of the period and the part looked at that say something. As many queries as it has keys."""
    wanted = form.wanted
    found = cells.responses(wanted=wanted, places=find(wanted), now=now, is_scored=False).filter(within(form.period))
    found = with_promise(found.exclude(comment="").select_related("contact", "touchpoint"))
    return list(found.order_by("-answered_at", "-pk")[:limit])


def is_new() -> bool:
    """Whether nothing has happened here yet. Two queries."""
    return not (Response.objects.exists() or Event.objects.exists())


__all__ = ["Board", "Point", "Row", "annotations", "comments", "gather", "has_target", "is_new", "suspected", "target"]
