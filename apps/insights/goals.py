"""When a target counts as reached, and which one comes next. Pure: no Django.

A target is looked at every day. Whoever does so with a 95 % interval is fooled: of targets whose true score stayed
right at the goal for a year, that calls 4 in 10 met over 90 days, and nearly all over 7. So a score has to be as far
above the goal as it gets by chance on any day of a whole year in about one of 20 cases (measured: 4 to 9 %).
"""

from functools import cache
from math import ceil, erfc, exp, pi, sqrt

from apps.insights.differences import Z
from apps.insights.nps import Nps

STEP = 5
BEST = 100
TOO_FEW, BELOW, REACHED, MET = "too_few", "below", "reached", "met"
YEAR = 365
ACCIDENT = 0.05
"""In so many cases at most a year of looking every day may call a target met that is not."""


def standing(figures: Nps, goal: int, *, days: int) -> str:
    """``too_few``, ``below``, ``reached`` or ``met``; ``figures`` are those of the last ``days``.

    Reached is when the score is at the goal. Met is when that is no accident, however often one looks: the lower end
    of its interval, made as much wider as looking every day asks for, is at the goal as well.
    """
    lowest = surely(figures, days=days)
    if lowest is None or figures.score is None:
        return TOO_FEW
    if figures.score < goal:
        return BELOW
    return MET if lowest >= goal else REACHED


def surely(figures: Nps, *, days: int) -> float | None:
    """The highest goal that such a score meets for certain; None of too few answers."""
    if figures.too_few or figures.score is None or figures.low is None:
        return None
    return figures.score - (figures.score - figures.low) * width(days) / Z


@cache
def width(days: int) -> float:
    """How many standard errors a score over the last so many days stays within, all through a year.

    Such a score is a moving mean, whose correlation falls in a straight line to none after ``days``: it goes beyond
    z standard errors z·φ(z) times in as many days (Slepian 1961, Annals of Mathematical Statistics 32, 610–612).
    """
    z = Z
    while YEAR / days * z * exp(-z * z / 2) / sqrt(2 * pi) + erfc(z / sqrt(2)) / 2 > ACCIDENT:
        z += 0.01
    return z


def next_goal(figures: Nps, goal: int) -> int | None:
    """Halfway from the score to the upper end of its interval, on the next multiple of 5; None beyond 100.

    What the true score may well be already is no step, what lies far beyond it is a wish. Always above the goal before.
    """
    if goal >= BEST:
        return None
    lowest = STEP * (goal // STEP + 1)
    if figures.too_few or figures.score is None or figures.high is None:
        return lowest
    halfway = (figures.score + max(figures.score, figures.high)) / 2
    # Rounding must not turn 45.000000001 into 50.
    return max(lowest, STEP * ceil(round(halfway, 6) / STEP))
