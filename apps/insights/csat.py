"""Customer satisfaction: the share of those who are satisfied. Pure: no Django.

Answers are 1 to 5; 4 and 5 are satisfied (“top two boxes”). The interval is Wilson's score interval (1927), which never
collapses to a point when everybody agrees. On average over all shares it holds in 95 % of cases; for a single share it
wobbles, because there are no half answers: between 92 and 98 % with 30 answers and shares of 5 to 95 %, between 93 and
97 % with 100 and shares of 10 to 90 %. Beyond that, close to none or all, there are shares at which it holds less often
(86 % with 30 answers and 99.5 % satisfied; Brown, Cai and DasGupta 2001, “Interval Estimation for a Binomial
Proportion”, Statistical Science 16, 101–133, show the same).

The difference of two (``differences.change``) is Newcombe's, in percentage points.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.common.shares import Part, wilson
from apps.insights.differences import MIN_N, reach

LOWEST, HIGHEST = 1, 5
SATISFIED = 4
"""From this answer on somebody is satisfied."""


@dataclass(frozen=True, slots=True)
class Csat:
    """Percent satisfied with what is needed to judge it. Figure and interval are None when nobody answered."""

    part: Part
    value: float | None
    low: float | None
    high: float | None

    @property
    def n(self) -> int:
        """Number of answers behind the figure."""
        return self.part.total

    @property
    def margin(self) -> float | None:
        """How far the 95 % interval reaches from the figure, in percentage points."""
        return reach(self.value, self.low, self.high)

    @property
    def too_few(self) -> bool:
        """True while there are too few answers to show a figure."""
        return self.n < MIN_N


def part_of(answers: Mapping[int, int]) -> Part:
    """How many answered and how many of them are satisfied, from the number of answers per value.

    A value other than 1 to 5, or fewer than no answers, is a ValueError.
    """
    for value, number in answers.items():
        if not LOWEST <= value <= HIGHEST:
            raise ValueError(f"satisfaction is {LOWEST} to {HIGHEST}, not {value}")
        if number < 0:
            raise ValueError("numbers must not be negative")
    return Part(sum(answers.values()), sum(number for value, number in answers.items() if value >= SATISFIED))


def csat(part: Part) -> Csat:
    """Percent satisfied (0…100) and 95 % interval of so many of so many."""
    if not 0 <= part.hits <= part.total:
        raise ValueError(f"{part.hits} of {part.total} cannot be satisfied")
    if part.total == 0:
        return Csat(part, None, None, None)
    low, high = wilson(part)
    return Csat(part, 100 * part.rate, 100 * low, 100 * high)
