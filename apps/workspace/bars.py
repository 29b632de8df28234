"""Geometry of a bar chart of two numbers a day, one on top of the other. Pure: no Django.

Coordinates are strings because templates would write numbers the way the reader's language does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

PAD_LEFT, PAD_RIGHT, PAD_TOP, PAD_BOTTOM = 44, 8, 28, 28
MAX_DAYS = 120
MAX_LINES = 4
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Column:
    """One day, or the week that begins with it."""

    start: date
    lower: int
    upper: int

    @property
    def total(self) -> int:
        """Both numbers together."""
        return self.lower + self.upper


@dataclass(frozen=True, slots=True)
class Bar:
    """A column and where it is drawn."""

    column: Column
    hit_x: str
    hit_width: str
    x: str
    width: str
    lower_y: str
    lower_height: str
    upper_y: str
    upper_height: str
    label_x: str
    labelled: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """All that a template needs to draw the bars."""

    width: int
    height: int
    left: str
    right: str
    label_y: str
    gridlines: list[tuple[str, int]]
    bars: list[Bar]


def columns(
    lower: Mapping[date, int], upper: Mapping[date, int], *, since: date, until: date
) -> tuple[list[Column], bool]:
    """Every day of the time and of the numbers in order; weeks from Monday if those are too many to be seen.

    The second value says whether the columns are weeks.
    """
    named = [*lower, *upper, since, until]
    first, last = min(named), max(named)
    weekly = (last - first).days >= MAX_DAYS
    step = ONE_DAY * 7 if weekly else ONE_DAY
    start = first - ONE_DAY * first.weekday() if weekly else first
    starts = [start + step * n for n in range((last - start) // step + 1)]

    def sums(numbers: Mapping[date, int]) -> list[int]:
        found = [0] * len(starts)
        for day, number in numbers.items():
            found[(day - start) // step] += number
        return found

    return [Column(*values) for values in zip(starts, sums(lower), sums(upper), strict=True)], weekly


def bar_chart(found: Sequence[Column], *, width: int, height: int, labels: int) -> Chart:
    """Place the columns from left to right, with about as many labels below as wanted."""
    step = _step(max((column.total for column in found), default=0))
    top = step * max(1, ceil(max((column.total for column in found), default=0) / step))
    inner = height - PAD_TOP - PAD_BOTTOM
    slot = (width - PAD_LEFT - PAD_RIGHT) / max(1, len(found))
    every = ceil(len(found) / labels)

    def y(number: int) -> float:
        return PAD_TOP + inner * (1 - number / top)

    bars = [
        _bar(column, PAD_LEFT + slot * index, slot, y, labelled=index % every == 0)
        for index, column in enumerate(found)
    ]
    return Chart(
        width=width,
        height=height,
        left=_text(PAD_LEFT),
        right=_text(width - PAD_RIGHT),
        label_y=_text(height - 8),
        gridlines=[(_text(y(value)), value) for value in range(0, top + 1, step)],
        bars=bars,
    )


def _bar(column: Column, left: float, slot: float, y: Callable[[int], float], *, labelled: bool) -> Bar:
    gap = min(2.0, slot * 0.25)
    return Bar(
        column=column,
        hit_x=_text(left),
        hit_width=_text(slot),
        x=_text(left + gap / 2),
        width=_text(slot - gap),
        lower_y=_text(y(column.lower)),
        lower_height=_text(y(0) - y(column.lower)),
        upper_y=_text(y(column.total)),
        upper_height=_text(y(column.lower) - y(column.total)),
        label_x=_text(left + slot / 2),
        labelled=labelled,
    )


def _step(highest: int) -> int:
    """A round distance of the lines, so that there are few of them: 1, 2 or 5 with zeros."""
    magnitude = 1
    while True:
        for factor in (1, 2, 5):
            if factor * magnitude * MAX_LINES >= highest:
                return factor * magnitude
        magnitude *= 10


def _text(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
