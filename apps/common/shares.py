"""Shares and what may be said of the difference between two of them. Pure: no Django."""

from math import sqrt
from typing import NamedTuple

_Z = 1.959963984540054  # 95 %


class Part(NamedTuple):
    """So many of so many."""

    total: int = 0
    hits: int = 0

    @property
    def rate(self) -> float:
        """The share, 0 to 1."""
        return self.hits / self.total if self.total else 0.0

    def plus(self, total: int, hits: int) -> "Part":
        """With more of them."""
        return Part(self.total + total, self.hits + hits)


def wilson(part: Part) -> tuple[float, float]:
    """Wilson's score interval of a share at 95 %; (0, 1) of nobody."""
    n = part.total
    if not n:
        return 0.0, 1.0
    middle = part.rate + _Z**2 / (2 * n)
    spread = _Z * sqrt(part.rate * (1 - part.rate) / n + _Z**2 / (4 * n * n))
    return max(0.0, (middle - spread) / (1 + _Z**2 / n)), min(1.0, (middle + spread) / (1 + _Z**2 / n))


def newcombe(one: Part, other: Part) -> tuple[float, float]:
    """The 95 % interval of the difference between two shares.

    Method 10 of R. G. Newcombe, “Interval estimation for the difference between independent proportions: comparison
    of eleven methods”, Statistics in Medicine 17 (1998), 873–890: it keeps its promise also for small and large shares.
    """
    difference = one.rate - other.rate
    (low, high), (other_low, other_high) = wilson(one), wilson(other)
    return (
        difference - sqrt((one.rate - low) ** 2 + (other_high - other.rate) ** 2),
        difference + sqrt((high - one.rate) ** 2 + (other.rate - other_low) ** 2),
    )


def verdict(one: Part, other: Part, *, at_least: int) -> str:
    """What may be said of the first against the second: ``too_few``, ``chance``, ``better`` or ``worse``.

    ``at_least``: so many in each part have to be there before anything is said.
    """
    if min(one.total, other.total) < at_least:
        return "too_few"
    low, high = newcombe(one, other)
    if low <= 0 <= high:
        return "chance"
    return "better" if low > 0 else "worse"
