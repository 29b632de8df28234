"""Taking events in. One statement per event: the row is durable before the answer is given."""

import time
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from django.db import IntegrityError, OperationalError
from django.db.models import Q

from apps.common import agenda
from apps.common.db import connection, fetch_prepared
from apps.common.ids import uuid7
from apps.touchpoints.intake import EventIn, FieldError, InvalidEventError
from apps.touchpoints.models import Event, Touchpoint

DECIDE_QUEUE = "triggers.decide"
_KEYS_TTL_SECONDS = 5.0
_keys: dict[str, tuple[float, Mapping[str, int]]] = {}


def record_event(*, event: EventIn, now: datetime) -> UUID:
    """Store one event as pending and return its id; the same (source, external id) gives the same id.

    Raises InvalidEventError if the tenant has no such touchpoint. The event is committed on
    return (outside an enclosing transaction).
    """
    event_id = uuid7()
    row = (
        event_id,
        _touchpoint_id(event.touchpoint),
        event.source,
        event.external_id,
        event.occurred_at or now,
        now,
        msgspec.json.encode(event.contact).decode(),
        msgspec.json.encode(event.properties).decode(),
    )
    try:
        result = _insert(row)
    except IntegrityError:
        _keys.pop(connection.schema_name, None)
        raise _unknown(event.touchpoint) from None
    if result is Inserted.ASLEEP:
        agenda.wake(queue=DECIDE_QUEUE, due_at=now, now=now)
    return _existing(event_id, event) if result is Inserted.BEFORE else event_id


class Inserted(Enum):
    """What became of an insert: there before, or new with the queue awake already or still asleep."""

    BEFORE = "before"
    AWAKE = "awake"
    ASLEEP = "asleep"


def _insert(row: tuple[Any, ...]) -> Inserted:
    """Insert the row; once more on a new connection if the old one turns out to be dead.

    Kept connections die when the database restarts. Asking first whether this one lives would cost every
    event a round trip. Repeating is safe: the id was made here, so it cannot be stored twice.
    """
    try:
        return _execute(row)
    except OperationalError:
        if connection.in_atomic_block:
            raise
        connection.close()
    result = _execute(row)
    # The first try may have been committed before its connection died, and then nobody was woken.
    return Inserted.AWAKE if result is Inserted.AWAKE else Inserted.ASLEEP


def _execute(row: tuple[Any, ...]) -> Inserted:
    """One statement, one round trip."""
    found = fetch_prepared(_insert_sql(connection.schema_name), row)
    if found is None:
        return Inserted.BEFORE
    return Inserted.AWAKE if found[0] else Inserted.ASLEEP


@lru_cache(maxsize=4096)
def _insert_sql(schema_name: str) -> str:
    """The insert for one tenant, with the schema spelled out so that no search_path is needed.

    It also tells whether the queue is due already, so that a busy queue costs no second statement; an
    event that was there before gives no row. The schema name is one that passed ``is_valid_schema_name``.
    """
    return f"""
        WITH fresh AS (
            INSERT INTO "{schema_name}".touchpoints_event
                (id, touchpoint_id, source, external_id, occurred_at, received_at, contact_data, properties,
                 status, attempts, error)
            VALUES (%s, %s, %s, %s, %s, %s, %s::text::jsonb, %s::text::jsonb, 'pending', 0, '')
            ON CONFLICT DO NOTHING RETURNING received_at)
        SELECT EXISTS (SELECT FROM public.common_agendaitem a
                       WHERE a.schema_name = '{schema_name}' AND a.queue = '{DECIDE_QUEUE}'
                         AND a.due_at <= fresh.received_at)
        FROM fresh
        """  # noqa: S608


def _existing(event_id: UUID, event: EventIn) -> UUID:
    """The id of the event that came before; its insert is committed, for ours waited for it."""
    same = Q(source=event.source, external_id=event.external_id) if event.external_id else Q(pk=event_id)
    return Event.objects.values_list("pk", flat=True).get(same)


def _touchpoint_id(key: str) -> int:
    schema_name = connection.schema_name
    cached = _keys.get(schema_name)
    if cached is None or cached[0] < time.monotonic() or key not in cached[1]:
        rows = Touchpoint.objects.filter(is_active=True).values_list("key", "pk")
        cached = _keys[schema_name] = (time.monotonic() + _KEYS_TTL_SECONDS, dict(rows))
    found = cached[1].get(key)
    if found is None:
        raise _unknown(key)
    return found


def _unknown(key: str) -> InvalidEventError:
    return InvalidEventError([FieldError("touchpoint", f"“{key}” is not an active touchpoint of this tenant.")])
