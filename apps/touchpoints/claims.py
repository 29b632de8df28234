"""Pending events, claimed for deciding and marked when decided: two plain statements per batch."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from apps.common.bulk import fetch_rows
from apps.common.db import connection

_CLAIM = """
    SELECT id, touchpoint_id, source, occurred_at, contact_data::text, properties::text FROM touchpoints_event
    WHERE status = 'pending' {only} ORDER BY received_at LIMIT %s FOR UPDATE SKIP LOCKED
"""
_DECIDED = """
    UPDATE touchpoints_event e SET status = 'decided', contact_id = d.contact_id
    FROM unnest(%s::uuid[], %s::uuid[]) AS d(id, contact_id) WHERE e.id = d.id
"""
_read = msgspec.json.Decoder().decode


class PendingEvent(NamedTuple):
    """An event nobody has decided yet. Times are aware."""

    id: UUID
    touchpoint_id: int
    source: str
    occurred_at: datetime
    contact_data: Any
    properties: Any


def claim_pending(*, limit: int, only: UUID | None = None) -> list[PendingEvent]:
    """Up to ``limit`` pending events, oldest first, locked until the transaction ends."""
    statement = _CLAIM.format(only="AND id = %s" if only else "")
    rows = fetch_rows(statement, [only, limit] if only else [limit])
    return [PendingEvent._make((*facts, _read(person), _read(properties))) for *facts, person, properties in rows]


def mark_decided(*, events: Sequence[tuple[UUID, UUID | None]]) -> None:
    """Note events (id, contact id) as decided."""
    with connection.cursor() as cursor:
        cursor.execute(_DECIDED, [[event for event, _ in events], [contact for _, contact in events]])
