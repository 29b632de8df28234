"""The mean of answers on any scale with its uncertainty. Pure: no Django.

The interval is that of ``ces``, for other ends of the scale: Student's t around the mean to which three quarters of an
answer at each end were added.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from apps.insights.ces import PSEUDO_OUTER, t_quantile
from apps.insights.differences import MIN_N, reach


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean on a scale with what is needed to judge it. Figure and interval are None when nobody answered."""

    n: int
    value: float | None
    low: float | None
    high: float | None

    @property
    def margin(self) -> float | None:
        """How far the 95 % interval reaches from the figure."""
        return reach(self.value, self.low, self.high)

    @property
    def too_few(self) -> bool:
        """True while there are too few answers to show a figure."""
        return self.n < MIN_N


def mean(answers: Mapping[int, int], *, lowest: int, highest: int) -> Mean:
    """Mean and 95 % interval, from the number of answers per value; one answer has the whole scale as interval.

    A value beyond the scale's ends, or fewer than no answers, is a ValueError.
    """
    if any(not lowest <= value <= highest or number < 0 for value, number in answers.items()):
        raise ValueError(f"answers are {lowest} to {highest}, and their numbers not negative")
    n = sum(answers.values())
    if n == 0:
        return Mean(0, None, None, None)
    total = sum(value * number for value, number in answers.items())
    squares = sum(value * value * number for value, number in answers.items())
    weight = n + 2 * PSEUDO_OUTER
    centre = (total + PSEUDO_OUTER * (lowest + highest)) / weight
    variance = (squares + PSEUDO_OUTER * (lowest**2 + highest**2)) / weight - centre**2
    margin = t_quantile(n - 1) * sqrt(max(0.0, variance) / weight) if n > 1 else float(highest - lowest)
    return Mean(n, total / n, max(float(lowest), centre - margin), min(float(highest), centre + margin))
