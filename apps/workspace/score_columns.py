"""Geometry of the distribution of scores as columns. Pure: numbers in, SVG coordinates (as strings) out, no Django.

Coordinates are strings because templates would write numbers the way the reader's language does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.insights.nps import segment_of

WIDTH, HEIGHT, TOP, BOTTOM = 352, 176, 20, 22
SLOT = WIDTH / 11
GAP = 4


@dataclass(frozen=True, slots=True)
class Column:
    """One score: how many gave it, and where it is drawn."""

    score: int
    segment: str
    number: int
    share: float
    """Of all answers, 0 to 1."""
    percent: str
    """The same, rounded, and never a zero for somebody."""
    x: str
    y: str
    width: str
    height: str
    middle: str
    label_y: str


def columns(numbers: Sequence[int]) -> list[Column]:
    """A column for each score from 0 to 10; the highest fills the picture, and a single answer stays visible."""
    total, top = sum(numbers), max(numbers, default=0)
    inner = HEIGHT - TOP - BOTTOM
    found = []
    for score, number in enumerate(numbers):
        height = max(2.0, inner * number / top) if number else 0.0
        y = HEIGHT - BOTTOM - height
        found.append(
            Column(
                score=score,
                segment=segment_of(score),
                number=number,
                share=number / total if total else 0.0,
                percent=_percent(number, total),
                x=_text(SLOT * score + GAP / 2),
                y=_text(y),
                width=_text(SLOT - GAP),
                height=_text(height),
                middle=_text(SLOT * (score + 0.5)),
                label_y=_text(y - 5),
            )
        )
    return found


def _percent(number: int, total: int) -> str:
    if not number:
        return "0"
    return str(round(100 * number / total) or "<1")


def _text(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
