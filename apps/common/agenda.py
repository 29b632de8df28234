"""Which tenant has due work: kept beside the rows, so that a tick costs what is due.

A wake-up is a hint. The rows are the truth: a lost hint is repaired by the sweep, a doubled one
finds nothing to do.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from celery import current_app
from django.db import transaction

from apps.common.db import connection
from apps.common.models import AgendaItem

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
LAST_LOOK = timedelta(seconds=3)
BROKER_PAUSE_SECONDS = 10.0
_broker_down_until = 0.0


class Due(NamedTuple):
    """A tenant's queue that has work."""

    schema_name: str
    queue: str


def wake(*, queue: str, due_at: datetime, now: datetime) -> None:
    """Note that this tenant's queue has work at ``due_at``; tell a worker if that is now.

    Runs after the surrounding transaction commits, so that the agenda row is never locked by it
    and a worker never looks before the work is visible.
    """
    schema_name = connection.schema_name

    def after_commit() -> None:
        if note(schema_name=schema_name, queue=queue, due_at=due_at) and due_at <= now:
            announce(schema_name=schema_name, queue=queue)

    transaction.on_commit(after_commit)


def note(*, schema_name: str, queue: str, due_at: datetime) -> bool:
    """Lower the queue's due time to ``due_at``. True if it was idle or later before."""
    row = AgendaItem.objects.filter(schema_name=schema_name, queue=queue).values_list("due_at").first()
    if row is not None and row[0] is not None and row[0] <= due_at:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO public.common_agendaitem AS a (schema_name, queue, due_at) VALUES (%s, %s, %s)
            ON CONFLICT (schema_name, queue) DO UPDATE SET due_at = LEAST(a.due_at, excluded.due_at)
            """,
            [schema_name, queue, due_at],
        )
    return True


def announce(*, schema_name: str, queue: str) -> bool:
    """Send the wake-up task. A broker that is down costs little and loses nothing: the tick repeats it."""
    global _broker_down_until
    if time.monotonic() < _broker_down_until:
        return False
    try:
        current_app.send_task(queue, kwargs={"schema_name": schema_name}, retry=False)
    except Exception as error:
        # Any transport error (each broker has its own classes) must not fail the request that saved the row.
        _broker_down_until = time.monotonic() + BROKER_PAUSE_SECONDS
        logger.warning("Broker not reachable, the next tick will wake %s: %s", queue, error)
        return False
    return True


def take_due(*, now: datetime, limit: int = 1000) -> list[Due]:
    """Queues due now, oldest first, leased so that the next tick does not send them again at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE public.common_agendaitem SET due_at = %s
            WHERE id IN (SELECT id FROM public.common_agendaitem WHERE due_at <= %s
                         ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
            RETURNING schema_name, queue
            """,
            [now + LEASE, now, limit],
        )
        return [Due(*row) for row in cursor.fetchall()]


def drain(
    *,
    queue: str,
    step: Callable[[datetime], int],
    next_due: Callable[[], datetime | None],
    clock: Callable[[], datetime],
    seconds: float = 20.0,
) -> int:
    """Run ``step(now)`` until it finds nothing or the time share is used up; returns rows handled.

    The time share keeps one tenant's backlog from holding a worker: the rest goes to the back of
    the line. If the worker dies, the lease runs out and the tick sends the queue again.
    """
    schema_name = connection.schema_name
    items = AgendaItem.objects.filter(schema_name=schema_name, queue=queue)
    lease = clock() + LEASE
    items.update(due_at=lease)
    handled = 0
    stop_at = time.monotonic() + seconds
    while time.monotonic() < stop_at:
        count = step(clock())
        handled += count
        if count == 0:
            break
    # Only if nobody woke the queue meanwhile: a wake-up lowers due_at below our lease. Somebody may be
    # committing a row right now who saw the queue awake, so after work it is looked at once more soon.
    due_at = next_due() or (clock() + LAST_LOOK if handled else None)
    items.filter(due_at=lease).update(due_at=due_at)
    # What was committed for later between the look and the release met our lease and left no note.
    waiting = next_due()
    if waiting is not None:
        # Rows that are due but were not to be had are in another worker's hands: no reason to hurry.
        soon = waiting if handled else max(waiting, clock() + LAST_LOOK)
        note(schema_name=schema_name, queue=queue, due_at=soon)
        if soon <= clock():
            announce(schema_name=schema_name, queue=queue)
    return handled
