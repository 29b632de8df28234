"""The step that looks which way to go."""

from collections.abc import Sequence

from apps.campaigns.facts import gather
from apps.campaigns.runs import Run


def run(runs: Sequence[Run]) -> None:
    """Note each run's way, ``yes`` or ``no``, by what is known now."""
    steps = [one.step for one in runs if one.step and one.step.condition]
    fields = frozenset[str]().union(*(step.condition.fields for step in steps if step.condition))
    facts = gather(responses=list({one.response.pk: one.response for one in runs}.values()), fields=fields)
    for one in runs:
        condition = one.step.condition if one.step else None
        is_yes = condition is not None and condition.test(facts[one.response.pk], one.now)
        one.row.result = {"way": "yes" if is_yes else "no"}
        one.done()
