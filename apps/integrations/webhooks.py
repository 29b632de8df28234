"""Tells other systems what happened: a message per endpoint is written, then sent until it is taken.

A receiver may get a message twice (a worker can die between sending and noting it), always with
the same id. Messages may arrive out of order.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import Min
from django.db.models.functions import Greatest

from apps.common import agenda
from apps.integrations.models import Delivery, EventType

QUEUE = "integrations.deliver"
SLOW_QUEUE = "integrations.deliver_slow"
"""Of receivers that take long to answer: nobody else waits behind them."""

_WANTED = "is_active AND (event_types = '{}' OR %(event_type)s::varchar = ANY(event_types))"
# The id is a version 7 UUID like those of apps.common.ids: milliseconds laid over a random version 4
# UUID, then its version bits set. FOR KEY SHARE: the endpoint cannot be deleted before we commit.
_PUBLISH = f"""
WITH told AS (SELECT id, is_slow FROM integrations_endpoint WHERE {_WANTED} FOR KEY SHARE),
new AS (
    INSERT INTO integrations_delivery
           (id, endpoint_id, event_type, reason, payload, status, due_at, attempt_count, created_at)
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
               substring(int8send((extract(epoch FROM %(now)s::timestamptz) * 1000)::bigint) FROM 3)
               FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid,
           told.id, %(event_type)s, o.reason, o.payload::jsonb, 'pending', %(now)s, 0, %(now)s
    FROM told CROSS JOIN unnest(%(reasons)s::text[], %(payloads)s::text[]) AS o(reason, payload)
    ON CONFLICT (endpoint_id, reason) DO NOTHING
    RETURNING endpoint_id
)
SELECT is_slow, count(*) FROM new JOIN told ON told.id = new.endpoint_id GROUP BY is_slow
"""  # noqa: S608


class Occurrence(NamedTuple):
    """Something that happened once: ``reason`` names it, and the same one is told once."""

    reason: str
    payload: dict[str, Any]


def publish(*, event_type: str, reason: str, payload: dict[str, Any], now: datetime) -> int:
    """Write one delivery for every active endpoint that wants ``event_type``; returns how many are new.

    ``reason`` names the occurrence (``response:{id}:{version}``): the same one is written once.
    Part of the caller's transaction; one query, also when nobody listens.
    """
    return publish_many(event_type=event_type, occurrences=[Occurrence(reason, payload)], now=now)


def publish_many(*, event_type: str, occurrences: Sequence[Occurrence], now: datetime) -> int:
    """The same for many occurrences at once: one query; none for none."""
    if not occurrences:
        return 0
    params = {
        "event_type": event_type,
        "reasons": [one.reason for one in occurrences],
        "payloads": [json.dumps(one.payload, cls=DjangoJSONEncoder) for one in occurrences],
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PUBLISH, params)  # type: ignore[arg-type]  # arrays are not known to the stubs
        new = dict(cursor.fetchall())
    for is_slow in new:
        agenda.wake(queue=queue_of(is_slow), due_at=now, now=now)
    return sum(new.values())


def is_wanted(*, event_type: str) -> bool:
    """Whether any active endpoint is told about it: spares making up what nobody reads. One query."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM integrations_endpoint WHERE {_WANTED})", {"event_type": event_type})  # noqa: S608
        return bool(cursor.fetchone()[0])


def publish_erased(*, contact_ids: Sequence[UUID], now: datetime) -> int:
    """Tell that these contacts were erased here, so that others can do the same; returns how many messages are new.

    Nothing but our own id is said: the message must not keep what was to be forgotten.
    """
    found = [
        Occurrence(f"erased:{pk}", {"id": str(pk), "erased_at": now.isoformat()}) for pk in dict.fromkeys(contact_ids)
    ]
    return publish_many(event_type=EventType.CONTACT_ERASED, occurrences=found, now=now)


def queue_of(is_slow: bool) -> str:
    """Where an endpoint's messages wait."""
    return SLOW_QUEUE if is_slow else QUEUE


def next_due(*, is_slow: bool = False) -> datetime | None:
    """When the earliest delivery that waits in a queue may be tried; None if nothing waits."""
    # PostgreSQL's GREATEST passes over null, so an unclaimed row counts by its due time.
    rows = Delivery.objects.filter(status=Delivery.Status.PENDING, endpoint__is_active=True, endpoint__is_slow=is_slow)
    found = rows.aggregate(at=Min(Greatest("due_at", "lease_until")))
    at: datetime | None = found["at"]
    return at


def redeliver(*, ids: Sequence[UUID], now: datetime) -> int:
    """Send finished deliveries once more, under their old ids; returns how many.

    Those of an endpoint that is switched off are left alone: they would wait, and arrive by surprise.
    """
    finished = Delivery.objects.filter(pk__in=ids, endpoint__is_active=True).exclude(status=Delivery.Status.PENDING)
    count = finished.update(status=Delivery.Status.PENDING, due_at=now, lease_until=None, attempt_count=0)
    if count:
        wake_all(now=now)
    return count


def wake_waiting(*, now: datetime) -> None:
    """Put what waits back onto the agenda, after an endpoint was switched on again."""
    for is_slow in (False, True):
        due_at = next_due(is_slow=is_slow)
        if due_at is not None:
            agenda.wake(queue=queue_of(is_slow), due_at=due_at, now=now)


def wake_all(*, now: datetime) -> None:
    """Have both queues looked at now: cheaper than asking which of them concerns whom."""
    for is_slow in (False, True):
        agenda.wake(queue=queue_of(is_slow), due_at=now, now=now)
