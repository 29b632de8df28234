"""The difference of two scores, and what may be said of it. Pure: no Django.

One rule for every kind of score. The interval of a difference is made of the intervals of the two scores: from each
end, the distances between the scores and their own limits on that side are added as the sides of a right angle.
That is MOVER, the method of variance estimates recovery: Zou, G. Y. and Donner, A. (2008), “Construction of confidence
limits about effect measures: a general approach”, Statistics in Medicine 27, 1693–1702. Of two Wilson intervals it
makes Newcombe's method 10 (1998). It is only as good as the intervals that go into it, and takes over that they are
wider towards the middle of the scale: so it holds near the ends, too.

Why not the plain “difference ± √(margin² + margin²)”: of Net Promoter Scores with profiles from 97 % promoters to half
promoters and half detractors, that held in 65 % of cases with 5 answers against 2,000 and in 92 % with 30 against
2,000. The same around adjusted scores (Lewis and Sauro 2021, measuringu.com/nps-significance-test) held in 74 % with
5 against 10, and in 90 % with 30 against 30. This one holds in 93 % or more from 30 answers a side and in 92 % or more
from 10; with 5 to 9 mostly, but not with few who differ among many who agree (83 % where 85 % are promoters and the
others passives: 4 times in 9 all five are promoters). Over everything it is rather too wide than too narrow.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import hypot
from typing import Protocol

MIN_N = 5
"""Below this many answers a score says more about who happened to answer than about the whole."""
Z = 1.959963984540054
"""Two-sided 95 %."""
UP, DOWN, CHANCE, TOO_FEW = "up", "down", "chance", "too_few"


class Score(Protocol):
    """What any kind of score tells: how many answers, the figure, and where it lies with 95 % confidence."""

    @property
    def n(self) -> int:
        """Number of answers."""

    @property
    def value(self) -> float | None:
        """The figure; None when nobody answered."""

    @property
    def low(self) -> float | None:
        """Lower end of the interval; None when nobody answered."""

    @property
    def high(self) -> float | None:
        """Upper end of the interval; None when nobody answered."""

    @property
    def margin(self) -> float | None:
        """How far the interval reaches from the figure, to its farther end; None when nobody answered."""

    @property
    def too_few(self) -> bool:
        """True while there are too few answers to show it."""


def reach(value: float | None, low: float | None, high: float | None) -> float | None:
    """What stands behind ±: how far an interval reaches from its figure, to the farther end. None if there is none.

    Intervals here do not have the figure in their middle. Half their width around it would keep less than they
    promise: of 30 answers that are all extreme, 90 % instead of 95 %.
    """
    return None if value is None or low is None or high is None else max(value - low, high - value)


@dataclass(frozen=True, slots=True)
class Change:
    """The step from one score to another, in the unit of the scores, with its 95 % interval."""

    delta: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """``up``, ``down``, or ``chance`` if no difference at all lies within the interval."""
        if self.low > 0:
            return UP
        return DOWN if self.high < 0 else CHANCE

    @property
    def is_clear(self) -> bool:
        """True if the step is larger than chance explains in 19 of 20 cases."""
        return self.verdict != CHANCE

    @property
    def margin(self) -> float:
        """How far the interval reaches from the step towards none: a clear step is larger than its margin."""
        if self.delta == 0:
            return max(self.high, -self.low)
        return self.delta - self.low if self.delta > 0 else self.high - self.delta


def change(before: Score, after: Score) -> Change | None:
    """How far a score moved, from one period to another or from one group to another.

    None while either side has fewer than ``MIN_N`` answers: then nothing is said at all. From there on few answers
    make a wide interval rather than a wrong one, see above. Both sides have to be of different answers.
    """
    if before.too_few or after.too_few:
        return None
    return difference(gained=(after,), lost=(before,))


def difference(*, gained: Iterable[Score], lost: Iterable[Score]) -> Change:
    """The sum of some scores less the sum of others, all of different answers.

    A score that nobody gave is a ValueError.
    """
    delta, below, above = 0.0, 0.0, 0.0
    for sign, scores in ((1, gained), (-1, lost)):
        for score in scores:
            if score.value is None or score.low is None or score.high is None:
                raise ValueError("a score of no answers has no difference")
            # Rounding must not turn a score at the end of its interval into one beyond it.
            down, up = max(0.0, score.value - score.low), max(0.0, score.high - score.value)
            delta += sign * score.value
            below, above = hypot(below, down if sign > 0 else up), hypot(above, up if sign > 0 else down)
    return Change(delta, delta - below, delta + above)
