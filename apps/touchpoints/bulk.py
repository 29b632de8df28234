"""Many events at once: read one by one, so that a wrong one keeps no other out, and stored by one statement."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction

from apps.common import agenda
from apps.common.bulk import fetch_rows
from apps.common.ids import uuid7
from apps.touchpoints import services
from apps.touchpoints.intake import (
    MAX_BYTES,
    EventIn,
    FieldError,
    InvalidEventError,
    check_event,
    hides_something,
    is_deep,
    parse_event,
)

MAX_EVENTS = 1000
MAX_BULK_BYTES = 8 * 1024 * 1024

# All rows in one JSON text: psycopg would spend twice as long on seven arrays as PostgreSQL on storing them.
_INSERT = """
    INSERT INTO touchpoints_event (id, touchpoint_id, source, external_id, occurred_at, received_at, contact_data,
                                   properties, status, attempts, error)
    SELECT e.id, e.touchpoint_id, e.source, e.external_id, e.occurred_at, %s, e.contact_data, e.properties,
           'pending', 0, ''
    FROM jsonb_to_recordset(%s::text::jsonb) AS e(id uuid, touchpoint_id bigint, source varchar, external_id varchar,
                                                  occurred_at timestamptz, contact_data jsonb, properties jsonb)
    ON CONFLICT DO NOTHING RETURNING id
"""
_KNOWN = """
    SELECT e.source, e.external_id, e.id
    FROM unnest(%s::varchar[], %s::varchar[]) AS w(source, external_id)
    JOIN touchpoints_event e ON e.source = w.source AND e.external_id = w.external_id
"""


@dataclass(slots=True)
class Taken:
    """What became of one event of many: its id, or what is wrong with it. ``is_new``: it was not there before."""

    id: UUID | None = None
    is_new: bool = False
    errors: list[FieldError] = field(default_factory=list)


class TooManyEventsError(Exception):
    """More than MAX_EVENTS."""


_raws = msgspec.json.Decoder(list[msgspec.Raw])
_many = msgspec.json.Decoder(list[EventIn])
_lines = msgspec.json.Decoder(EventIn)


def parse_events(body: bytes, now: datetime, *, lines: bool = False) -> list[EventIn | InvalidEventError]:
    """The events in a JSON array, or in lines of JSON, in order; in the place of a wrong one, what is wrong with it.

    Raises InvalidEventError if the whole is no JSON array, TooManyEventsError.
    """
    raws = _parts(body, lines)
    try:
        events: Sequence[EventIn | None] = _lines.decode_lines(b"\n".join(raws)) if lines else _many.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        events = [None] * len(raws)
    if len(events) != len(raws):  # Two in one line.
        events = [None] * len(raws)
    # Looked for in all of them at once; only where something is found, in each.
    suspect = hides_something(body)
    return [_checked(raw, event, now, suspect) for raw, event in zip(raws, events, strict=True)]


def _parts(body: bytes, lines: bool) -> list[bytes]:
    if lines:
        parts: Sequence[Any] = [line for line in body.split(b"\n") if line.strip()]
    else:
        try:
            parts = _raws.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            message = "must be a JSON array of events, or one event per line as application/x-ndjson."
            raise InvalidEventError([FieldError("", message)], malformed=True) from None
    if len(parts) > MAX_EVENTS:  # Before millions of them are copied.
        raise TooManyEventsError
    return [bytes(part) for part in parts]


def _checked(raw: bytes, event: EventIn | None, now: datetime, suspect: bool) -> EventIn | InvalidEventError:
    try:
        if len(raw) > MAX_BYTES:
            return InvalidEventError([FieldError("", f"An event may have at most {MAX_BYTES // 1024} KB.")])
        if event is None:
            return parse_event(raw, now)
        check_event(event, now, suspect=suspect or is_deep(raw))
    except InvalidEventError as error:
        return error
    return event


def record_events(*, events: Sequence[EventIn | InvalidEventError], now: datetime) -> list[Taken]:
    """Store many events as pending; what became of each, in order. At most three statements.

    An event whose touchpoint the tenant does not have is refused; the others are stored together, or none of them
    (then the database's error is raised). Committed on return, outside an enclosing transaction.
    """
    try:
        return _record(events, now)
    except IntegrityError:  # A touchpoint was deleted within the last seconds: look again which there are.
        services.forget_touchpoints()
        return _record(events, now)


def _record(events: Sequence[EventIn | InvalidEventError], now: datetime) -> list[Taken]:
    result = [Taken() for _ in events]
    good: list[tuple[Taken, EventIn, dict[str, Any]]] = []
    for taken, event in zip(result, events, strict=True):
        try:
            if isinstance(event, InvalidEventError):
                raise event
            good.append((taken, event, _row(event, now)))
        except InvalidEventError as error:
            taken.errors = error.errors
    if not good:
        return result
    # In one order, so that two requests with the same events do not wait for each other in a circle.
    rows = sorted((row for _, _, row in good), key=lambda row: (row["source"], row["external_id"] or ""))
    with transaction.atomic():
        stored = {row[0] for row in fetch_rows(_INSERT, [now, msgspec.json.encode(rows).decode()])}
    for taken, _, row in good:
        taken.id, taken.is_new = row["id"], row["id"] in stored
    if len(stored) < len(good):
        _find_known([(taken, event) for taken, event, _ in good if not taken.is_new])
    if stored:
        agenda.wake(queue=services.DECIDE_QUEUE, due_at=now, now=now)
    return result


def _row(event: EventIn, now: datetime) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "touchpoint_id": services.touchpoint_id(event.touchpoint),
        "source": event.source,
        "external_id": event.external_id,
        "occurred_at": event.occurred_at or now,
        "contact_data": event.contact,
        "properties": event.properties,
    }


def _find_known(before: Sequence[tuple[Taken, EventIn]]) -> None:
    """The ids of events that were there already."""
    wanted = [(event.source, event.external_id) for _, event in before]
    rows = fetch_rows(_KNOWN, [[source for source, _ in wanted], [external_id for _, external_id in wanted]])
    known = {(source, external_id): event_id for source, external_id, event_id in rows}
    for taken, event in before:
        taken.id = known[event.source, event.external_id]
