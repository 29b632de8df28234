"""When a target counts as reached, and which one comes next. Pure: no Django."""

from math import ceil

from apps.insights.nps import Nps

STEP = 5
BEST = 100
TOO_FEW, BELOW, REACHED, MET = "too_few", "below", "reached", "met"


def standing(figures: Nps, goal: int) -> str:
    """``too_few``, ``below``, ``reached`` or ``met``.

    Reached is when the score is at the goal. Met is when that is no accident: the lower end of its 95 % interval is at
    the goal as well, so that in 39 of 40 such cases the true score is.
    """
    if figures.too_few or figures.score is None or figures.low is None:
        return TOO_FEW
    if figures.score < goal:
        return BELOW
    return MET if figures.low >= goal else REACHED


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
