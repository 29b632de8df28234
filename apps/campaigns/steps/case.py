"""The step that opens a case for a human."""

from collections.abc import Sequence

from apps.campaigns.runs import Run
from apps.cases import services as cases


def run(runs: Sequence[Run]) -> None:
    """Open a case per response; one that is there already is left as it is."""
    if not runs:
        return
    cases.open_cases(responses=[one.response for one in runs], now=runs[0].now)
    for one in runs:
        one.done()
