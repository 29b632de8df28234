"""Steps that do nothing by themselves: a wait that is over, and the end."""

from collections.abc import Sequence

from apps.campaigns.runs import Run


def run(runs: Sequence[Run]) -> None:
    """They are done."""
    for one in runs:
        one.done()
