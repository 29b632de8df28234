"""The score of some periods as a whole and over time, and how it is made up: from one reading."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.insights import figures
from apps.insights.cells import Scores
from apps.insights.figures import Point
from apps.insights.nps import Counts, Nps, nps
from apps.insights.slices import Grain, Period, Slice


@dataclass(frozen=True, slots=True)
class Overview:
    """What a period shows."""

    period: Period
    scores: Scores
    """Score → answers, without the scores nobody gave."""
    points: list[Point]
    incentivised: int
    """So many of the answers were promised something."""

    @property
    def nps(self) -> Nps:
        """The score of the whole period."""
        return nps(Counts.from_scores(self.scores))


def overview(
    *, wanted: Slice, periods: Sequence[Period], grain: Grain, now: datetime, rolling: int | None = None
) -> list[Overview]:
    """Each of the periods. Two queries (one more while answers are hidden) for those that share no day.

    A rolling window reads more days, and costs as much again for each period. Raises what figures raise.
    """
    cells = figures.read(wanted, periods, grain, "incentive", now)
    found = []
    for number, period in enumerate(periods):
        total: Counter[int] = Counter()
        buckets: dict[object, Counter[int]] = {}
        incentivised = 0
        for cell, given in cells.items():
            if cell.period == number:
                total.update(given)
                buckets.setdefault(cell.bucket, Counter()).update(given)
                incentivised += sum(given.values()) if cell.key else 0
        if rolling is None:
            points = [Point(start, nps(Counts.from_scores(buckets.get(start, {})))) for start in period.buckets(grain)]
        else:
            points = figures.trend(wanted=wanted, period=period, grain=grain, rolling=rolling, now=now)
        found.append(Overview(period, dict(total), points, incentivised))
    return found
