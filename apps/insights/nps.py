"""Net Promoter Score with its uncertainty. Pure: no Django.

The interval is the adjusted Wald interval of Rocks, B. (2016), "Interval Estimation for the 'Net
Promoter Score'", The American Statistician 70(4), arXiv:1601.07235: three pseudo-observations are
added, ¾ promoter, 1½ passive and ¾ detractor (the variant that Lewis and Sauro (2021),
measuringu.com/nps-confidence-intervals, tested and recommend), and an ordinary Wald interval of
the difference of two proportions is taken around the adjusted score. It keeps its coverage with
few answers and never collapses to a point when everybody agrees. Because its centre is pulled
towards zero, the interval lies a little off the score itself; the score shown is the plain one,
and lies within it from ``MIN_N`` answers on. What may be said of the difference between two scores:
``differences.change``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from apps.common import segments
from apps.insights.differences import MIN_N, Change, Z, change, reach

__all__ = ["MIN_N", "Change", "Counts", "Nps", "change", "nps", "segment_of"]

PSEUDO_OUTER = 0.75
PSEUDO_TOTAL = 3.0


def segment_of(score: int) -> str:
    """9–10 promoter, 7–8 passive, 0–6 detractor; anything else is a ValueError."""
    if not 0 <= score <= 10:
        raise ValueError(f"a score is 0 to 10, not {score}")
    return segments.segment_of(score)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many answers each segment gave."""

    promoters: int = 0
    passives: int = 0
    detractors: int = 0

    @classmethod
    def from_scores(cls, scores: Mapping[int, int]) -> "Counts":
        """From the number of answers per score."""
        found = {segments.PROMOTER: 0, segments.PASSIVE: 0, segments.DETRACTOR: 0}
        for score, number in scores.items():
            found[segment_of(score)] += number
        return cls(found[segments.PROMOTER], found[segments.PASSIVE], found[segments.DETRACTOR])

    @property
    def n(self) -> int:
        """All answers."""
        return self.promoters + self.passives + self.detractors

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.promoters + other.promoters, self.passives + other.passives, self.detractors + other.detractors
        )

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(
            self.promoters - other.promoters, self.passives - other.passives, self.detractors - other.detractors
        )


@dataclass(frozen=True, slots=True)
class Nps:
    """A score with what is needed to judge it. ``score`` and interval are None when nobody answered."""

    counts: Counts
    score: float | None
    low: float | None
    high: float | None

    @property
    def n(self) -> int:
        """Number of answers behind the score."""
        return self.counts.n

    @property
    def value(self) -> float | None:
        """The score, by the name it has with every kind of score."""
        return self.score

    @property
    def margin(self) -> float | None:
        """How far the 95 % interval reaches from the score."""
        return reach(self.value, self.low, self.high)

    @property
    def too_few(self) -> bool:
        """True while there are too few answers to show a score."""
        return self.n < MIN_N

    @property
    def shares(self) -> tuple[float, float, float]:
        """Percent promoters, passives, detractors; zeros when nobody answered."""
        n = self.n or 1
        counts = self.counts
        return (100 * counts.promoters / n, 100 * counts.passives / n, 100 * counts.detractors / n)


def nps(counts: Counts) -> Nps:
    """Score (−100…100) and 95 % interval of a set of answers."""
    if min(counts.promoters, counts.passives, counts.detractors) < 0:
        raise ValueError("counts must not be negative")
    if counts.n == 0:
        return Nps(counts, None, None, None)
    score = 100 * (counts.promoters - counts.detractors) / counts.n
    centre = 100 * (counts.promoters - counts.detractors) / (counts.n + PSEUDO_TOTAL)
    margin = _margin(counts)
    return Nps(counts, score, max(-100.0, centre - margin), min(100.0, centre + margin))


def _margin(counts: Counts) -> float:
    n = counts.n + PSEUDO_TOTAL
    promoters = (counts.promoters + PSEUDO_OUTER) / n
    detractors = (counts.detractors + PSEUDO_OUTER) / n
    variance = promoters + detractors - (promoters - detractors) ** 2
    return 100 * Z * sqrt(variance / n)
