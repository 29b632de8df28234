"""Everything that can be answered, with how likely it is: coverage is counted exactly rather than drawn by lot."""

from collections.abc import Callable, Iterable, Iterator
from math import exp, lgamma, log
from random import Random
from typing import TypeAlias

from apps.insights.differences import Change, Score
from apps.insights.nps import Counts

Shares: TypeAlias = tuple[float, float, float]
_NEGLIGIBLE = 1e-8

PROFILES: dict[str, Shares] = {
    "even": (0.33, 0.34, 0.33),
    "usual": (0.5, 0.3, 0.2),
    "good": (0.7, 0.2, 0.1),
    "very good": (0.9, 0.07, 0.03),
    "bad": (0.1, 0.2, 0.7),
    "two camps": (0.5, 0.02, 0.48),
    "nobody unhappy": (0.85, 0.15, 0.0),
}


def binomial(n: int, share: float) -> Iterator[tuple[int, float]]:
    """How many of ``n``, with its chance."""
    if share in (0.0, 1.0):
        yield round(share) * n, 1.0
        return
    for k in range(n + 1):
        ways = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
        chance = exp(ways + k * log(share) + (n - k) * log(1 - share))
        if chance > _NEGLIGIBLE:
            yield k, chance


def trinomial(n: int, shares: Shares) -> Iterator[tuple[Counts, float]]:
    """Promoters, passives and detractors of ``n``, with their chance."""
    for promoters, chance in binomial(n, shares[0]):
        for detractors, further in binomial(n - promoters, shares[2] / (1 - shares[0])):
            yield Counts(promoters, n - promoters - detractors, detractors), chance * further


def held(true: float, found: Iterable[tuple[Score | Change, float]]) -> float:
    """In how many cases the interval has the true figure in it."""
    inside, every = 0.0, 0.0
    for one, chance in found:
        assert one.low is not None
        assert one.high is not None
        every += chance
        inside += chance if one.low - 1e-9 <= true <= one.high + 1e-9 else 0.0
    return inside / every


def drawn(found: Iterable[tuple[Score, float]], *, number: int, lot: Random) -> list[Score]:
    """So many drawn by a lot that always falls the same."""
    rows = list(found)
    return lot.choices([row for row, _ in rows], [chance for _, chance in rows], k=number)


def scores(n: int, shares: Shares, of: Callable[[Counts], Score]) -> list[tuple[Score, float]]:
    """Scores of everything that can be answered, with their chance."""
    return [(of(counts), chance) for counts, chance in trinomial(n, shares)]
