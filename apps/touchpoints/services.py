"""Taking events in. One statement per event: the row is durable before the answer is given."""

import time
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from uuid import UUID

import msgspec
import psycopg
from django.db import connection
from django.db.utils import IntegrityError

from apps.common import agenda
from apps.common.ids import uuid7
from apps.touchpoints.intake import EventIn, FieldError, InvalidEventError
from apps.touchpoints.models import Touchpoint

DECIDE_QUEUE = "triggers.decide"
_KEYS_TTL_SECONDS = 5.0
_keys: dict[str, tuple[float, Mapping[str, int]]] = {}


def record_event(*, event: EventIn, now: datetime) -> UUID:
    """Store one event as pending and return its id; the same (source, external id) gives the same id.

    Raises InvalidEventError if the tenant has no such touchpoint. The event is committed on
    return (outside an enclosing transaction).
    """
    touchpoint_id = _touchpoint_id(event.touchpoint)
    schema_name = connection.schema_name
    connection.ensure_connection()
    params = (
        uuid7(),
        touchpoint_id,
        event.source,
        event.external_id,
        event.occurred_at or now,
        now,
        msgspec.json.encode(event.contact).decode(),
        msgspec.json.encode(event.properties).decode(),
        schema_name,
        DECIDE_QUEUE,
    )
    try:
        # A prepared statement on psycopg's own cursor: Django's would bind on the client each time.
        with connection.wrap_database_errors:
            cursor = psycopg.Cursor(connection.connection)
            event_id, is_new, agenda_due_at = cursor.execute(_insert_sql(schema_name), params, prepare=True).fetchone()  # type: ignore[misc]
    except IntegrityError:
        _keys.pop(schema_name, None)
        raise _unknown(event.touchpoint) from None
    if is_new and (agenda_due_at is None or agenda_due_at > now):
        agenda.wake(queue=DECIDE_QUEUE, due_at=now, now=now)
    return event_id or _existing(event)


@lru_cache(maxsize=4096)
def _insert_sql(schema_name: str) -> str:
    """The insert for one tenant, with the schema spelled out so that no search_path is needed.

    It also reads when the queue is due, so that a busy queue costs no second statement. The
    schema name is one that passed ``is_valid_schema_name``.
    """
    return f"""
        WITH fresh AS (
            INSERT INTO "{schema_name}".touchpoints_event
                (id, touchpoint_id, source, external_id, occurred_at, received_at, contact_data, properties,
                 status, attempts, error)
            VALUES (%s, %s, %s, %s, %s, %s, %s::text::jsonb, %s::text::jsonb, 'pending', 0, '')
            ON CONFLICT (source, external_id) DO NOTHING RETURNING id)
        SELECT (SELECT id FROM fresh), EXISTS (SELECT FROM fresh),
               (SELECT due_at FROM public.common_agendaitem WHERE schema_name = %s::text AND queue = %s::text)
        """  # noqa: S608


def _existing(event: EventIn) -> UUID:
    """The id of the event that came before; its insert is committed, for ours waited for it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM touchpoints_event WHERE source = %s AND external_id = %s",
            [event.source, event.external_id],
        )
        row = cursor.fetchone()
    return UUID(str(row[0]))


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
