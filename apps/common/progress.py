"""How far a worker is with a batch whose effects cannot be taken back, kept so cheaply that each step can be noted.

The rows live in an unlogged table: a change costs no write to disk, and survives the end of the process that made
it. A crash of the database empties the table, so a row that is missing says: nobody knows. Whoever takes a batch over
deletes its row first; from then on the one who had it, should it wake up again, can begin nothing more.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg

from apps.common.db import connection
from apps.common.models import Progress

_ADVANCE = "UPDATE public.common_progress SET begun = %s, answered = %s WHERE id = %s"


class Reached(NamedTuple):
    """The first ``answered`` have their result, the first ``begun`` may have had their effect; no later one has."""

    begun: int
    answered: int


def start(*, batches: Collection[UUID], now: datetime) -> None:
    """Begin to note batches."""
    Progress.objects.bulk_create(Progress(id=batch, at=now) for batch in batches)


def advance(*, batch: UUID, begun: int, answered: int) -> bool:
    """Note how far it is, before the effect. False: somebody has taken the batch over; have no further effect.

    psycopg's own cursor, prepared at once: this comes with every single message.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = psycopg.Cursor(connection.connection).execute(_ADVANCE, [begun, answered, batch], prepare=True)
    return cursor.rowcount == 1


def take(*, batches: Collection[UUID]) -> dict[UUID, Reached]:
    """Take batches away from whoever works on them; how far they are, as far as that is known."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM public.common_progress WHERE id = ANY(%s) RETURNING id, begun, answered", [list(batches)]
        )
        return {batch: Reached(begun, answered) for batch, begun, answered in cursor.fetchall()}


def forget_old(*, before: datetime) -> int:
    """Delete rows that nobody came back for."""
    return Progress.objects.filter(at__lt=before).delete()[0]
