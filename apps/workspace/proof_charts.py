"""Geometry of the small pictures about cases. Pure: numbers in, SVG coordinates (as strings) out, no Django.

Coordinates are strings because templates would write numbers the way the reader's language does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.common.shares import Part, wilson

HEIGHT, SLOT, GAP = 24, 10, 2


@dataclass(frozen=True, slots=True)
class Interval:
    """A share as a point on a line, with how far it may be off; in percent of the width."""

    low: str
    at: str
    high: str


@dataclass(frozen=True, slots=True)
class Spark:
    """Small columns side by side: x, y and height of each."""

    width: int
    height: int
    column: int
    columns: list[tuple[str, str, str]]


def interval(part: Part) -> Interval | None:
    """Where to draw a share; None if it is one of nobody."""
    if not part.total:
        return None
    low, high = wilson(part)
    return Interval(*(f"{100 * share:.2f}%" for share in (low, part.rate, high)))


def spark(numbers: Sequence[int], *, top: int) -> Spark:
    """Columns whose full height is ``top``, so that several pictures can be compared; a small number stays visible."""
    columns = []
    for index, number in enumerate(numbers):
        height = max(1.5, HEIGHT * number / top) if number and top else 0.0
        columns.append((str(index * SLOT + GAP // 2), f"{HEIGHT - height:.1f}", f"{height:.1f}"))
    return Spark(len(numbers) * SLOT, HEIGHT, SLOT - GAP, columns)
