"""Taking events in. One statement per event: the row is durable before the answer is given."""

import time
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import IntegrityError, OperationalError
from django.db.models import Q

from apps.common import agenda
from apps.common.db import connection, fetch_prepared
from apps.common.ids import uuid7
from apps.integrations import once
from apps.touchpoints.intake import EventIn, FieldError, InvalidEventError
from apps.touchpoints.models import Event, Touchpoint

DECIDE_QUEUE = "triggers.decide"
_KEYS_TTL_SECONDS = 5.0
EVENT_COLUMNS = 8
_keys: dict[str, tuple[float, Mapping[str, int]]] = {}


class Recorded(NamedTuple):
    """An event's id, and whether the very request had been answered with it before."""

    id: UUID
    replayed: bool = False


def record_event(*, event: EventIn, now: datetime, request: once.Once | None = None) -> Recorded:
    """Store one event as pending and return its id; the same (source, external id) gives the same id.

    With ``request`` the same request again gives the same id too, for 24 hours. Raises InvalidEventError if the
    tenant has no such touchpoint, once.OtherRequestError if the request's key was used for another one. The event
    is committed on return (outside an enclosing transaction).
    """
    event_id = uuid7()
    try:
        touchpoint = touchpoint_id(event.touchpoint)
    except InvalidEventError:
        # Perhaps it was there when the request came first.
        if request is None or not once.is_known(request=request, now=now):
            raise
        return Recorded(_answered_id(request, event), replayed=True)
    row = _row(event, event_id, touchpoint, now)
    if request is not None:
        row = (request.id, request.fingerprint, answer_of(event_id), now, now - once.LIFE, *row)
    try:
        result, again = _insert(row)
    except IntegrityError:
        forget_touchpoints()
        raise unknown_touchpoint(event.touchpoint) from None
    # A first try may have been committed before its connection died, and then nobody was woken.
    if result is Inserted.ASLEEP or again:
        agenda.wake(queue=DECIDE_QUEUE, due_at=now, now=now)
    if result is Inserted.REPEATED and request is not None:
        return Recorded(_answered_id(request, event), replayed=True)
    if result is not Inserted.BEFORE:
        return Recorded(event_id)
    known = _existing(event_id, event)
    if request is not None and known != event_id:
        once.correct(request=request, body=answer_of(known))
    return Recorded(known)


def _row(event: EventIn, event_id: UUID, touchpoint: int, now: datetime) -> tuple[Any, ...]:
    return (
        event_id,
        touchpoint,
        event.source,
        event.external_id,
        event.occurred_at or now,
        now,
        msgspec.json.encode(event.contact).decode(),
        msgspec.json.encode(event.properties).decode(),
    )


def answer_of(event_id: UUID) -> bytes:
    """What an accepted event is answered with."""
    return b'{"id":"%s","status":"accepted"}' % str(event_id).encode()


def _answered_id(request: once.Once, event: EventIn) -> UUID:
    """What the request was answered with before. Raises once.OtherRequestError if that was another request."""
    stored = once.replay(request=request)
    if event.external_id:
        # It may have broken off before it was noted that the event has another id.
        same = Event.objects.filter(source=event.source, external_id=event.external_id)
        known: UUID | None = same.values_list("pk", flat=True).first()
        if known is not None:
            return known
    return UUID(msgspec.json.decode(stored.body)["id"])


class Inserted(Enum):
    """What became of an insert: there before, or new with the queue awake already or still asleep."""

    REPEATED = "repeated"
    BEFORE = "before"
    AWAKE = "awake"
    ASLEEP = "asleep"


def _insert(row: tuple[Any, ...]) -> tuple[Inserted, bool]:
    """Insert the row; once more (then True) on a new connection if the old one turns out to be dead.

    Kept connections die when the database restarts. Asking first whether this one lives would cost every
    event a round trip. Repeating is safe: the id was made here, so it cannot be stored twice.
    """
    try:
        return _execute(row), False
    except OperationalError:
        if connection.in_atomic_block:
            raise
        connection.close()
    return _execute(row), True


def _execute(row: tuple[Any, ...]) -> Inserted:
    """One statement, one round trip."""
    once_only = len(row) > EVENT_COLUMNS
    found = fetch_prepared(_insert_sql(connection.schema_name, once_only), row)
    if found is None:
        return Inserted.BEFORE
    taken, awake = found
    if not taken:
        return Inserted.REPEATED
    if awake is None:
        return Inserted.BEFORE
    return Inserted.AWAKE if awake else Inserted.ASLEEP


@lru_cache(maxsize=4096)
def _insert_sql(schema_name: str, once_only: bool) -> str:
    """The insert for one tenant, with the schema spelled out so that no search_path is needed.

    It also tells whether the queue is due already, so that a busy queue costs no second statement (null: the
    event was there before). Where a request must be carried out once only, its row and the event's are written by
    the same statement, both or none. The schema name is one that passed ``is_valid_schema_name``.
    """
    values = "%s::uuid, %s::bigint, %s::varchar, %s::varchar, %s::timestamptz, %s::timestamptz, %s::text::jsonb, "
    values += "%s::text::jsonb, 'pending', 0, ''"
    taken = ""
    if once_only:
        taken = f"""
            taken AS (
                INSERT INTO "{schema_name}".integrations_idempotentrequest AS r
                    (id, fingerprint, status, content_type, body, created_at)
                VALUES (%s, %s, 202, 'application/json', %s, %s)
                ON CONFLICT (id) DO UPDATE SET fingerprint = EXCLUDED.fingerprint, body = EXCLUDED.body,
                    status = 202, content_type = 'application/json', created_at = EXCLUDED.created_at
                    WHERE r.created_at < %s RETURNING id),
            """  # noqa: S608
    source = f"SELECT {values} FROM taken" if once_only else f"VALUES ({values})"  # noqa: S608
    return f"""
        WITH {taken} fresh AS (
            INSERT INTO "{schema_name}".touchpoints_event
                (id, touchpoint_id, source, external_id, occurred_at, received_at, contact_data, properties,
                 status, attempts, error)
            {source} ON CONFLICT DO NOTHING RETURNING received_at)
        SELECT {"EXISTS (SELECT FROM taken)" if once_only else "true"},
            (SELECT EXISTS (SELECT FROM public.common_agendaitem a
                            WHERE a.schema_name = '{schema_name}' AND a.queue = '{DECIDE_QUEUE}'
                              AND a.due_at <= fresh.received_at)
             FROM fresh)
        """  # noqa: S608


def _existing(event_id: UUID, event: EventIn) -> UUID:
    """The id of the event that came before; its insert is committed, for ours waited for it."""
    same = Q(source=event.source, external_id=event.external_id) if event.external_id else Q(pk=event_id)
    return Event.objects.values_list("pk", flat=True).get(same)


def forget_touchpoints() -> None:
    """Drop what this process remembers of the current tenant's touchpoints."""
    _keys.pop(connection.schema_name, None)


def touchpoint_id(key: str) -> int:
    """The active touchpoint's id, remembered for some seconds. Raises InvalidEventError if there is none."""
    schema_name = connection.schema_name
    cached = _keys.get(schema_name)
    if cached is None or cached[0] < time.monotonic() or key not in cached[1]:
        rows = Touchpoint.objects.filter(is_active=True).values_list("key", "pk")
        cached = _keys[schema_name] = (time.monotonic() + _KEYS_TTL_SECONDS, dict(rows))
    found = cached[1].get(key)
    if found is None:
        raise unknown_touchpoint(key)
    return found


def unknown_touchpoint(key: str) -> InvalidEventError:
    return InvalidEventError([FieldError("touchpoint", f"“{key}” is not an active touchpoint of this tenant.")])
