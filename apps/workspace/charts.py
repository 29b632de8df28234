"""Geometry of the trend chart. Pure: numbers in, SVG coordinates (as strings) out, no Django.

Coordinates are strings because templates would write numbers the way the reader's language does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from math import ceil, floor

from apps.insights.nps import Nps

PAD_LEFT, PAD_RIGHT, PAD_TOP, PAD_BOTTOM = 36, 12, 28, 28
STEPS = (10, 20, 25, 50)
MAX_LINES = 5


@dataclass(frozen=True, slots=True)
class Point:
    """One month. ``y`` is empty where there are too few answers to draw a point."""

    start: date
    nps: Nps
    x: str
    y: str
    column_x: str
    column_width: str
    labelled: bool
    is_last: bool


@dataclass(frozen=True, slots=True)
class Gridline:
    """A horizontal line at a score."""

    y: str
    value: int


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


def trend(months: Sequence[tuple[date, Nps]], *, width: int, height: int, label_every: int = 1) -> Trend:
    """Place the months from left to right; months with too few answers leave a gap."""
    low, high, step = _scale([figures for _start, figures in months if not figures.too_few])
    inner_height = height - PAD_TOP - PAD_BOTTOM
    column = (width - PAD_LEFT - PAD_RIGHT) / max(1, len(months))

    def y(score: float) -> float:
        return PAD_TOP + inner_height * (high - score) / (high - low)

    points = [
        Point(
            start=start,
            nps=figures,
            x=_text(PAD_LEFT + column * (index + 0.5)),
            y="" if figures.too_few or figures.score is None else _text(y(figures.score)),
            column_x=_text(PAD_LEFT + column * index),
            column_width=_text(column),
            labelled=(len(months) - 1 - index) % label_every == 0,
            is_last=index == len(months) - 1,
        )
        for index, (start, figures) in enumerate(months)
    ]
    runs = [list(run) for drawn, run in groupby(points, key=lambda point: bool(point.y)) if drawn]
    return Trend(
        width=width,
        height=height,
        left=_text(PAD_LEFT),
        right=_text(width - PAD_RIGHT),
        bottom=_text(height - PAD_BOTTOM),
        label_y=_text(height - 8),
        gridlines=[Gridline(_text(y(value)), value) for value in range(low, high + 1, step)],
        points=points,
        lines=[" ".join(f"{point.x},{point.y}" for point in run) for run in runs if len(run) > 1],
        bands=[_band(run, y) for run in runs if len(run) > 1],
    )


def _band(run: Sequence[Point], y: Callable[[float], float]) -> str:
    upper = [f"{point.x},{_text(y(point.nps.high or 0.0))}" for point in run]
    lower = [f"{point.x},{_text(y(point.nps.low or 0.0))}" for point in reversed(run)]
    return " ".join(upper + lower)


def _scale(figures: Sequence[Nps]) -> tuple[int, int, int]:
    """Lowest and highest score on the axis and the distance of the lines."""
    lowest = min((found.low for found in figures if found.low is not None), default=0.0)
    highest = max((found.high for found in figures if found.high is not None), default=100.0)
    for step in STEPS:
        low, high = floor(lowest / step) * step, ceil(highest / step) * step
        if high - low <= step * MAX_LINES:
            return max(low, -100), min(max(high, low + step), 100), step
    return -100, 100, STEPS[-1]


def _text(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
