"""Geometry of the trend chart. Pure: numbers in, SVG coordinates (as strings) out, no Django.

Coordinates are strings because templates would write numbers the way the reader's language does.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from math import ceil, floor

from apps.insights.nps import Nps

PAD_LEFT, PAD_RIGHT, PAD_TOP, PAD_BOTTOM = 36, 12, 28, 28
STEPS = (10, 20, 25, 50)
MAX_LINES = 5
DENSE = 8
"""Points closer than so many units are drawn without dots."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point in time. ``y`` is empty where there are too few answers to draw a point."""

    start: date
    nps: Nps
    x: str
    y: str
    column_x: str
    column_width: str
    labelled: bool
    is_last: bool
    is_partial: bool = False
    """Less than a whole month, week … counts."""
    other: Nps | None = None
    """What it is compared with."""


@dataclass(frozen=True, slots=True)
class Gridline:
    """A horizontal line at a score."""

    y: str
    value: int


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened, at its place; those close together share one."""

    x: str
    label: str


@dataclass(frozen=True, slots=True)
class Trend:
    """All that a template needs to draw the chart."""

    width: int
    height: int
    left: str
    right: str
    bottom: str
    label_y: str
    gridlines: list[Gridline]
    points: list[Point]
    lines: list[str]
    bands: list[str]
    whiskers: list[tuple[str, str, str]]
    """x, upper and lower end of the interval of points that stand alone."""
    other_lines: list[str]
    target: Gridline | None
    marks: list[Mark]
    is_dense: bool

    @property
    def is_empty(self) -> bool:
        """Whether there are too few answers everywhere."""
        return not any(point.y for point in self.points)


def trend(
    months: Sequence[tuple[date, Nps]],
    *,
    width: int,
    height: int,
    label_every: int = 1,
    against: Sequence[Nps] = (),
    target: int | None = None,
    marks: Sequence[date] = (),
    partial: Collection[date] | None = None,
) -> Trend:
    """Place the months (or weeks, days …) from left to right; those with too few answers leave a gap.

    ``against``: what each is compared with, in the same order. ``marks``: days in order, numbered from 1. ``partial``:
    the first days of those that are not whole; the last one if nothing is said.
    """
    shown = [figures for _start, figures in months if not figures.too_few]
    low, high, step = _scale(shown, [one.score for one in against if not one.too_few], target)
    plane = _Plane(width, height, len(months), low, high)
    points = _points(months, plane, label_every, against, partial)
    runs = _runs(points)
    return Trend(
        width=width,
        height=height,
        left=_text(PAD_LEFT),
        right=_text(width - PAD_RIGHT),
        bottom=_text(height - PAD_BOTTOM),
        label_y=_text(height - 8),
        gridlines=[Gridline(plane.y(value), value) for value in range(low, high + 1, step)],
        points=points,
        lines=[" ".join(f"{point.x},{point.y}" for point in run) for run in runs if len(run) > 1],
        bands=[_band(run, plane) for run in runs if len(run) > 1],
        whiskers=[_whisker(run[0], plane) for run in runs if len(run) == 1],
        other_lines=_lines(points, plane),
        target=None if target is None else Gridline(plane.y(target), target),
        marks=_marks(marks, [start for start, _figures in months], plane),
        is_dense=plane.column < DENSE,
    )


@dataclass(frozen=True, slots=True)
class _Plane:
    """Where things are: columns from left to right, scores from low to high."""

    width: int
    height: int
    columns: int
    low: int
    high: int

    @property
    def column(self) -> float:
        """How wide a column is."""
        return (self.width - PAD_LEFT - PAD_RIGHT) / max(1, self.columns)

    def left(self, index: int) -> str:
        """Where a column begins."""
        return _text(PAD_LEFT + self.column * index)

    def x(self, index: int) -> str:
        """The middle of a column."""
        return _text(PAD_LEFT + self.column * (index + 0.5))

    def y(self, score: float | None) -> str:
        """The height of a score."""
        inner = self.height - PAD_TOP - PAD_BOTTOM
        return _text(PAD_TOP + inner * (self.high - (score or 0.0)) / (self.high - self.low))


def _points(
    months: Sequence[tuple[date, Nps]],
    plane: _Plane,
    label_every: int,
    against: Sequence[Nps],
    partial: Collection[date] | None,
) -> list[Point]:
    last = len(months) - 1
    return [
        Point(
            start=start,
            nps=figures,
            x=plane.x(index),
            y="" if figures.too_few or figures.score is None else plane.y(figures.score),
            column_x=plane.left(index),
            column_width=_text(plane.column),
            labelled=(last - index) % label_every == 0,
            is_last=index == last,
            is_partial=index == last if partial is None else start in partial,
            other=against[index] if index < len(against) else None,
        )
        for index, (start, figures) in enumerate(months)
    ]


def _runs(points: Sequence[Point]) -> list[list[Point]]:
    """Points without a gap between them."""
    return [list(run) for drawn, run in groupby(points, key=lambda point: bool(point.y)) if drawn]


def _lines(points: Sequence[Point], plane: _Plane) -> list[str]:
    """What the points are compared with."""
    places = [
        (point.x, "" if not point.other or point.other.too_few else plane.y(point.other.score)) for point in points
    ]
    runs = [list(run) for drawn, run in groupby(places, key=lambda place: bool(place[1])) if drawn]
    return [" ".join(f"{x},{y}" for x, y in run) for run in runs if len(run) > 1]


def _band(run: Sequence[Point], plane: _Plane) -> str:
    upper = [f"{point.x},{plane.y(point.nps.high)}" for point in run]
    lower = [f"{point.x},{plane.y(point.nps.low)}" for point in reversed(run)]
    return " ".join(upper + lower)


def _whisker(point: Point, plane: _Plane) -> tuple[str, str, str]:
    return point.x, plane.y(point.nps.high), plane.y(point.nps.low)


def _marks(days: Sequence[date], starts: Sequence[date], plane: _Plane) -> list[Mark]:
    """Each in the column of its day; several of one column share their place: "2–4"."""
    numbers: dict[int, list[int]] = {}
    for number, day in enumerate(days, start=1):
        index = sum(1 for start in starts if start <= day) - 1
        if index >= 0:
            numbers.setdefault(index, []).append(number)
    return [
        Mark(plane.x(index), str(found[0]) if len(found) == 1 else f"{found[0]}–{found[-1]}")
        for index, found in numbers.items()
    ]


def _scale(
    figures: Sequence[Nps], others: Sequence[float | None] = (), target: int | None = None
) -> tuple[int, int, int]:
    """Lowest and highest score on the axis and the distance of the lines."""
    more = [score for score in (*others, target) if score is not None]
    lowest = min([*(found.low for found in figures if found.low is not None), *more], default=0.0)
    highest = max([*(found.high for found in figures if found.high is not None), *more], default=100.0)
    for step in STEPS:
        low, high = floor(lowest / step) * step, ceil(highest / step) * step
        if high - low <= step * MAX_LINES:
            return max(low, -100), min(max(high, low + step), 100), step
    return -100, 100, STEPS[-1]


def _text(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
