"""Registry of the drains: each queue's name is the name of the Celery task that works it off."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from celery import shared_task
from django.utils import timezone

from apps.common import agenda


class Drain(NamedTuple):
    """How to work a queue off and when it is next due (None: nothing waits)."""

    step: Callable[[datetime], int]
    next_due: Callable[[], datetime | None]


DRAINS: dict[str, Drain] = {}


def drain_task(
    *, queue: str, step: Callable[[datetime], int], next_due: Callable[[], datetime | None], seconds: float = 20.0
) -> None:
    """Register the Celery task ``queue`` that drains the current tenant's rows, ``seconds`` at a time."""
    DRAINS[queue] = Drain(step, next_due)

    @shared_task(name=queue)
    def run() -> int:
        return agenda.drain(queue=queue, step=step, next_due=next_due, clock=timezone.now, seconds=seconds)


def repair(*, now: datetime) -> int:
    """Put every queue of the current tenant that has waiting rows onto the agenda; returns how many."""
    waiting = [(queue, due_at) for queue, drain in DRAINS.items() if (due_at := drain.next_due())]
    for queue, due_at in waiting:
        agenda.wake(queue=queue, due_at=due_at, now=now)
    return len(waiting)
