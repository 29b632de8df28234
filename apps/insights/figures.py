"""Figures for people, the same wherever they are shown: every score comes with n and how far it may be off."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from apps.insights import cells, groups
from apps.insights.cells import Scores
from apps.insights.nps import Change, Counts, Nps, change, nps
from apps.insights.places import find
from apps.insights.slices import Grain, Period, Slice, Stretch


@dataclass(frozen=True, slots=True)
class Point:
    """The score of one bucket of a trend; with a rolling window: of so many days up to the bucket's end."""

    start: date
    nps: Nps


@dataclass(frozen=True, slots=True)
class Group:
    """One part of a breakdown: its address ("" for what belongs to none), its name, its scores by period."""

    key: str
    name: str
    figures: tuple[Nps, ...]
    pk: Any = None


def distribution(*, wanted: Slice, period: Stretch, now: datetime) -> Scores:
    """How often each score was given: score → answers, without the scores nobody gave.

    Raises UnknownKeyError and, for a segment that cannot be evaluated, ConditionError; so do all functions here.
    """
    found = cells.read(wanted=wanted, places=find(wanted), periods=[period], grain=None, cut="", now=now)
    return next(iter(found.values()), {})


def score(*, wanted: Slice, period: Stretch, now: datetime) -> Nps:
    """The score of a period. Two queries, and one for each key in the slice."""
    return nps(Counts.from_scores(distribution(wanted=wanted, period=period, now=now)))


def compare(
    *, wanted: Slice, period: Stretch, against: Stretch | Slice, now: datetime
) -> tuple[Nps, Nps, Change | None]:
    """The score, the one it is compared with (another period, or other responses of the same), and the step to it."""
    if isinstance(against, Slice):
        mine = score(wanted=wanted, period=period, now=now)
        other = score(wanted=against, period=period, now=now)
    else:
        mine, other = scores(wanted=wanted, periods=[period, against], now=now)
    return mine, other, change(other, mine)


def scores(*, wanted: Slice, periods: Sequence[Stretch], now: datetime) -> list[Nps]:
    """The score of each of some periods, together if they do not overlap."""
    found = read(wanted, periods, None, "", now)
    return [nps(Counts.from_scores(found.get(cells.Cell(n, None, None), {}))) for n in range(len(periods))]


def trend(
    *, wanted: Slice, period: Period, grain: Grain | str, now: datetime, rolling: int | None = None
) -> list[Point]:
    """The score bucket by bucket, oldest first, empty ones included.

    Only days within the period count. ``rolling``: each point is the score of that many days up to the last day of
    its bucket, days before the period included, which shows where a few answers a day are going.
    """
    grain = Grain(grain)
    if rolling is not None:
        return _rolling(wanted, period, grain, rolling, now)
    found = read(wanted, [period], grain, "", now)
    return [
        Point(start, nps(Counts.from_scores(found.get(cells.Cell(0, start, None), {}))))
        for start in period.buckets(grain)
    ]


def by_day(*, wanted: Slice, period: Stretch, cut: str = "", now: datetime) -> dict[Any, dict[date, Counts]]:
    """Counts of every day that has any, per touchpoint, survey … by primary key (``cut``), or all under None."""
    found: dict[Any, dict[date, Counts]] = {}
    for cell, given in read(wanted, [period], Grain.DAY, cut, now).items():
        if cell.bucket is not None:
            found.setdefault(cell.key, {})[cell.bucket] = Counts.from_scores(given)
    return found


def _rolling(wanted: Slice, period: Period, grain: Grain, window: int, now: datetime) -> list[Point]:
    longer = replace(period, since=period.since - timedelta(days=window - 1))
    days = by_day(wanted=wanted, period=longer, now=now).get(None, {})
    points = []
    counts, end = Counts(), longer.since  # the counts of the ``window`` days before ``end``
    for start in period.buckets(grain):
        stop = min(grain.next_after(start), period.until + timedelta(days=1))
        while end < stop:
            counts = counts + days.get(end, Counts())
            counts = counts - days.get(end - timedelta(days=window), Counts())
            end += timedelta(days=1)
        points.append(Point(start, nps(counts)))
    return points


def by(*, wanted: Slice, periods: Sequence[Stretch], dimension: str, now: datetime) -> list[Group]:
    """The score of each part in each period: ``groups.DIMENSIONS`` or ``property:<name>``.

    Touchpoints and stages in the order of the journey, the others by the number of answers in the first period; at
    most ``groups.MAX_GROUPS``. Raises ValueError for another dimension.
    """
    if not groups.is_dimension(dimension):
        raise ValueError(f"there is no dimension {dimension!r}")
    if dimension == "segment":
        found = groups.by_segment(wanted=wanted, periods=periods, now=now)
    else:
        found = {}
        cut = "touchpoint" if dimension == "stage" else dimension
        for cell, given in read(wanted, periods, None, cut, now).items():
            found.setdefault(cell.key, {})[cell.period] = given
    return [
        Group(part.key, part.name, tuple(nps(part.counts.get(n, Counts())) for n in range(len(periods))), part.pk)
        for part in groups.named(found, dimension=dimension)
    ]


def read(
    wanted: Slice, periods: Sequence[Stretch], grain: Grain | None, cut: str, now: datetime
) -> dict[cells.Cell, Scores]:
    """How often each score was given, by period, bucket and part: together where the periods share no moment."""
    places = find(wanted)
    overlap = any(one.overlaps(other) for n, one in enumerate(periods) for other in periods[:n])
    if not overlap:
        return cells.read(wanted=wanted, places=places, periods=periods, grain=grain, cut=cut, now=now)
    found: dict[cells.Cell, Scores] = {}
    for number, period in enumerate(periods):
        part = cells.read(
            wanted=wanted, places=places, periods=[period], grain=grain, cut=cut, now=now, leading=periods[0]
        )
        found |= {cell._replace(period=number): given for cell, given in part.items()}
    return found
