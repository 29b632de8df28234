"""Geometry of the journey map: the curve along it and the small pictures on it. Pure: no Django.

The curve is as wide as the map, whatever that is: places across are percent, places down are pixels. All coordinates
are strings because templates would write numbers the way the reader's language does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import ceil, floor

from apps.insights.nps import Nps, segment_of

HEIGHT, PAD_TOP, PAD_BOTTOM = 248, 32, 48
STEP, ROOM = 50, 25
"""How far lines are apart; and what the lower end of the scale is rounded to: not more below zero than it takes."""
SPARK_WIDTH, SPARK_HEIGHT, SPARK_PAD = 120, 28, 3
CROWDED = 4
"""With more touchpoints on a stage than this, their scores stand on the cards alone."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A touchpoint on the curve. ``y`` is empty where there is no score to draw; ``standing`` gives its shape."""

    number: int
    standing: str
    nps: Nps
    x: str
    y: str
    low_y: str
    high_y: str
    label_y: str
    has_label: bool


@dataclass(frozen=True, slots=True)
class Leg:
    """The line from one touchpoint to the next one; ``is_broken`` if touchpoints without a score lie between."""

    x1: str
    y1: str
    x2: str
    y2: str
    is_broken: bool


@dataclass(frozen=True, slots=True)
class Band:
    """A stripe behind the curve: where scores are good, in between, or bad."""

    standing: str
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Curve:
    """All that a template needs to draw it. ``base_y`` is below the scale: what has no score there is not near zero."""

    height: int
    base_y: str
    bands: list[Band]
    number_y: str
    gridlines: list[tuple[str, int]]
    borders: list[str]
    stops: list[Stop]
    legs: list[Leg]


def curve(columns: Sequence[Sequence[tuple[int, str, Nps]]], *, good: int, bad: int) -> Curve:
    """Place touchpoints (number, standing, score) column by column, evenly within each.

    From ``good`` on a score is good, below ``bad`` it is bad: that is what the stripes behind say.
    """
    scores = [found for column in columns for _number, _standing, found in column if not found.too_few]
    low, high = _bounds(scores)

    def y(score: float) -> float:
        return PAD_TOP + (HEIGHT - PAD_TOP - PAD_BOTTOM) * (high - score) / (high - low)

    stops, places = [], []
    for index, column in enumerate(columns):
        for position, (number, standing, found) in enumerate(column):
            across = 100 * (index + (position + 0.5) / len(column)) / len(columns)
            places.append((across, None if found.too_few or found.score is None else y(found.score)))
            stops.append(_stop(number, standing, found, across, y, has_label=len(column) <= CROWDED))
    drawn = [(n, across, down) for n, (across, down) in enumerate(places) if down is not None]
    legs = [
        Leg(f"{x1:.2f}%", _text(y1), f"{x2:.2f}%", _text(y2), is_broken=n2 - n1 > 1)
        for (n1, x1, y1), (n2, x2, y2) in pairwise(drawn)
    ]
    return Curve(
        height=HEIGHT,
        base_y=_text(HEIGHT - PAD_BOTTOM + 14),
        bands=[
            Band(name, _text(y(top)), _text(y(bottom) - y(top)))
            for name, bottom, top in (("good", good, high), ("middle", bad, min(good, high)), ("bad", low, bad))
            if top > bottom
        ],
        number_y=_text(HEIGHT - 12),
        gridlines=[(_text(y(value)), value) for value in range(-100, 101, STEP) if low <= value <= high],
        borders=[f"{100 * n / len(columns):.2f}%" for n in range(1, len(columns))],
        stops=stops,
        legs=legs,
    )


def _bounds(scores: Sequence[Nps]) -> tuple[int, int]:
    """Around all intervals, in multiples of STEP above and of ROOM below; always with zero, or above means nothing."""
    lowest = min((found.low for found in scores if found.low is not None), default=0.0)
    highest = max((found.high for found in scores if found.high is not None), default=100.0)
    low, high = min(0, floor(lowest / ROOM) * ROOM), max(0, ceil(highest / STEP) * STEP)
    return low, high if high > low else low + STEP


def _stop(
    number: int, standing: str, found: Nps, across: float, y: Callable[[float], float], *, has_label: bool
) -> Stop:
    x = f"{across:.2f}%"
    if found.too_few or found.score is None or found.low is None or found.high is None:
        return Stop(number, standing, found, x, "", "", "", "", has_label)
    # The interval may reach less far than the mark is high: the label keeps clear of both.
    top = min(y(found.high), y(found.score) - 6)
    return Stop(
        number, standing, found, x, _text(y(found.score)), _text(y(found.low)), _text(y(found.high)), _text(top - 6),
        has_label,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Axis:
    """A score with its interval on a line from −100 to 100, in percent of the width."""

    low: str
    at: str
    high: str


def axis(found: Nps) -> Axis | None:
    """Where to draw a score; None while there are too few answers."""
    if found.too_few or found.score is None or found.low is None or found.high is None:
        return None
    return Axis(*(f"{(value + 100) / 2:.2f}%" for value in (found.low, found.score, found.high)))


@dataclass(frozen=True, slots=True)
class Spark:
    """A line through the last months, in a box of its own; ``end`` is where it stands now."""

    width: int
    height: int
    lines: list[str]
    dots: list[tuple[str, str]]
    """Months that stand alone."""
    end: tuple[str, str] | None
    zero_y: str


def spark(months: Sequence[Nps]) -> Spark | None:
    """Months with too few answers leave a gap; None if there is nothing to draw a line through."""
    drawn = [found.score for found in months if not found.too_few and found.score is not None]
    if len(drawn) < 2:
        return None
    # Never stretched over less than 40 points: noise would look like a story.
    middle = (min(drawn) + max(drawn)) / 2
    half = max(20.0, (max(drawn) - min(drawn)) / 2)
    room = SPARK_HEIGHT - 2 * SPARK_PAD

    def y(score: float) -> float:
        return SPARK_PAD + room * (middle + half - score) / (2 * half)

    step = (SPARK_WIDTH - 2 * SPARK_PAD) / max(1, len(months) - 1)
    points = [
        None if found.too_few or found.score is None else (_text(SPARK_PAD + step * n), _text(y(found.score)))
        for n, found in enumerate(months)
    ]
    runs = [[p for p in run if p] for there, run in groupby(points, key=lambda point: point is not None) if there]
    zero = y(0.0)
    return Spark(
        width=SPARK_WIDTH,
        height=SPARK_HEIGHT,
        lines=[" ".join(f"{x},{down}" for x, down in run) for run in runs if len(run) > 1],
        dots=[run[0] for run in runs if len(run) == 1],
        end=runs[-1][-1],
        zero_y=_text(zero) if 0 <= zero <= SPARK_HEIGHT else "",
    )


@dataclass(frozen=True, slots=True)
class Column:
    """How often one score was given, as a column of the distribution."""

    score: int
    segment: str
    number: int
    x: str
    width: str
    y: str
    height: str
    label_x: str


def distribution(given: Mapping[int, int], *, height: int) -> list[Column]:
    """Eleven columns, the highest as high as the picture but for its labels."""
    top = max(given.values(), default=0) or 1
    slot, room = 100 / 11, height - 40
    columns = []
    for score in range(11):
        number = given.get(score, 0)
        tall = max(2.0, room * number / top) if number else 0.0
        columns.append(
            Column(
                score, segment_of(score), number, f"{slot * (score + 0.12):.2f}%", f"{slot * 0.76:.2f}%",
                _text(20 + room - tall), _text(tall), f"{slot * (score + 0.5):.2f}%",
            )
        )  # fmt: skip
    return columns


def _text(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
