"""Workers' hands without Celery: ``python -m tests.processes.hand SCHEMA LIMIT STAGE…`` works stages off together.

A process per stage, forked as Celery forks its own: Django is read once, and each has a connection of its own. They
begin at the same moment, and what each did is printed as JSON. A deadlock is counted and the batch repeated, as the
agenda's lease does: what was decided must hold anyway.
"""

import json
import multiprocessing
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from typing import Any

import django

DECIDE, DISPATCH, RUN_CADENCES = "decide", "dispatch", "run cadences"
IDLE_SECONDS, START_SECONDS = 0.8, 60


def main(schema: str, limit: int, stages: list[str]) -> None:
    """Fork the hands, and say what they did in their order; a hand that breaks has none, and its traceback is seen."""
    django.setup()
    steps = [stage_step(stage, limit) for stage in stages]
    forked = multiprocessing.get_context("fork")
    together, said = forked.Barrier(len(steps)), forked.Manager().dict()
    hands = [forked.Process(target=work, args=(schema, step, together, said, n)) for n, step in enumerate(steps)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    print(json.dumps([said.get(n) for n in range(len(steps))]))


def work(schema: str, step: Callable[..., int], together: Barrier, said: Any, number: int) -> None:
    """Work until nothing has been found for a while."""
    from django.db import OperationalError, connection
    from django_tenants.utils import schema_context

    done, share, broken = 0, None, []
    with schema_context(schema):
        step(limit=0)  # Connected, and everything is imported.
        together.wait(START_SECONDS)
        idle_since = time.monotonic()
        while time.monotonic() - idle_since < IDLE_SECONDS:
            try:
                count = step()
            except OperationalError as error:
                broken.append(str(error).strip().splitlines()[0])
                count = 0
                idle_since = time.monotonic()
            done += count
            if count:
                idle_since = time.monotonic()
            else:
                share = done if share is None else share
                time.sleep(0.02)
    connection.close()
    said[number] = {"done": done, "share": share or 0, "broken": broken}


def stage_step(stage: str, limit: int) -> Callable[..., int]:
    """One batch of the stage, at the present time."""
    from django.utils import timezone

    from apps.surveys.services import dispatch_due
    from apps.triggers import cadences
    from apps.triggers.services import evaluate_events

    def decide(**changes: Any) -> int:
        return evaluate_events(**{"now": timezone.now(), "limit": limit, **changes})

    def dispatch(**changes: Any) -> int:
        # Looks a moment ahead as a clock that goes fast would: the same rows are in both stages' hands more often.
        now = timezone.now() + timedelta(milliseconds=50)
        return dispatch_due(**{"now": now, "base_url": "http://fleet.test", "limit": limit, **changes})

    def run_cadences(limit: int = limit) -> int:
        now = timezone.now()
        due = cadences.Cadence.objects.filter(next_run_at__lte=now).order_by("next_run_at").values_list("pk", flat=True)
        return sum(cadences.run_batch(cadence_id=pk, now=now, limit=limit) for pk in due[:1] if limit)

    return {DECIDE: decide, DISPATCH: dispatch, RUN_CADENCES: run_cadences}[stage]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
