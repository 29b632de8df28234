"""Whether something that was done made a difference that did not happen elsewhere as well. Pure: no Django.

Difference in differences: what changed where it was done, less what changed where it was not. That is an effect only if
both would have gone the same way without it; nobody can prove that, so a control that lived through the same weeks and
was asked in the same way is half of the answer. Without a control there is a change, and no more
(``differences.change``).
"""

from dataclasses import dataclass

from apps.insights.differences import Change, Score, change, difference


@dataclass(frozen=True, slots=True)
class Effect:
    """What changed with the ones, what changed with the others, and what is left of it."""

    change: Change
    control: Change
    net: Change
    """``change`` less ``control``. Its interval is of all four scores: much wider than that of a change."""

    @property
    def delta(self) -> float:
        """The net change, in the unit of the scores."""
        return self.net.delta

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval of the net change."""
        return self.net.low

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval of the net change."""
        return self.net.high

    @property
    def margin(self) -> float:
        """How far the interval reaches from the net change towards none."""
        return self.net.margin

    @property
    def verdict(self) -> str:
        """``up``, ``down`` or ``chance``, of the net change."""
        return self.net.verdict

    @property
    def is_clear(self) -> bool:
        """True if the net change is larger than chance explains in 19 of 20 cases."""
        return self.net.is_clear


def effect(*, before: Score, after: Score, control_before: Score, control_after: Score) -> Effect | None:
    """What is left of a change once what happened to the control as well is taken off it.

    The four are of different answers and of one kind of score. None while any of them has fewer than ``MIN_N`` answers.
    The interval is that of ``differences.difference``. It holds in 93 % or more of cases from 30 answers in each of the
    four; with 5 to 9 its verdict is a little too sure of itself, as is said there.
    """
    changed, control = change(before, after), change(control_before, control_after)
    if changed is None or control is None:
        return None
    return Effect(changed, control, difference(gained=(after, control_before), lost=(before, control_after)))
