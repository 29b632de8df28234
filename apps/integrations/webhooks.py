"""Tells other systems what happened: a message per endpoint is written, then sent until it is taken.

A receiver may get a message twice (a worker can die between sending and noting it), always with
the same id. Messages may arrive out of order.
"""

import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.models import F, Min, Q
from django.db.models.functions import Greatest

from apps.common import agenda, sealed
from apps.integrations import outbound_http, signing
from apps.integrations.models import Attempt, Delivery, Endpoint
from apps.integrations.outbound_http import Answer

logger = logging.getLogger(__name__)

QUEUE = "integrations.deliver"
MAX_ATTEMPTS = 8
# Seconds before the second, third … try: a restart, a deployment, a night.
BACKOFF = (5, 60, 300, 1800, 7200, 18_000, 36_000)
MAX_RETRY_AFTER = 86_400
PARALLEL = 25
# Longer than any batch takes: two rounds of PARALLEL requests, each bounded by outbound_http.
LEASE = timedelta(seconds=90)
GONE = 410

_WAITING = Q(status=Delivery.Status.PENDING, endpoint__is_active=True)
# The id is a version 7 UUID like those of apps.common.ids: milliseconds laid over a random version 4
# UUID, then its version bits set. FOR KEY SHARE: the endpoint cannot be deleted before we commit.
_PUBLISH = """
INSERT INTO integrations_delivery
       (id, endpoint_id, event_type, reason, payload, status, due_at, attempt_count, created_at)
SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
           substring(int8send((extract(epoch FROM %(now)s::timestamptz) * 1000)::bigint) FROM 3)
           FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid,
       e.id, %(event_type)s, %(reason)s, %(payload)s::jsonb, 'pending', %(now)s, 0, %(now)s
FROM (SELECT id FROM integrations_endpoint
      WHERE is_active AND (event_types = '{}' OR %(event_type)s::varchar = ANY(event_types)) FOR KEY SHARE) AS e
ON CONFLICT (endpoint_id, reason) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class _Message:
    """All that a thread needs to send a delivery, so that threads stay away from the database."""

    id: str
    url: str
    secret: str
    content: dict[str, Any]
    now: datetime
    allow_private: bool


def publish(*, event_type: str, reason: str, payload: dict[str, Any], now: datetime) -> int:
    """Write one delivery for every active endpoint that wants ``event_type``; returns how many are new.

    ``reason`` names the occurrence (``response:{id}:{version}``): the same one is written once.
    Part of the caller's transaction; one query, also when nobody listens.
    """
    content = json.dumps(payload, cls=DjangoJSONEncoder)
    with connection.cursor() as cursor:
        cursor.execute(_PUBLISH, {"event_type": event_type, "reason": reason, "payload": content, "now": now})
        count = cursor.rowcount
    if count:
        agenda.wake(queue=QUEUE, due_at=now, now=now)
    return count


def attempt_due(*, now: datetime, limit: int = 25) -> int:
    """Send what is due, at most ``limit``; returns how many were tried.

    Claimed under a lease in one short transaction, sent outside any, noted in another.
    """
    claimed = _claim(now=now, limit=limit)
    if not claimed:
        return 0
    messages = [_message(delivery, now) for delivery in claimed]
    with ThreadPoolExecutor(max_workers=min(len(messages), PARALLEL)) as pool:
        answers = list(pool.map(_send, messages))
    _settle(answers={delivery.pk: answer for delivery, answer in zip(claimed, answers, strict=True)}, now=now)
    return len(claimed)


def next_due() -> datetime | None:
    """When the earliest waiting delivery may be tried; None if nothing waits."""
    # PostgreSQL's GREATEST passes over null, so an unclaimed row counts by its due time.
    found = Delivery.objects.filter(_WAITING).aggregate(at=Min(Greatest("due_at", "lease_until")))
    at: datetime | None = found["at"]
    return at


def redeliver(*, ids: Sequence[UUID], now: datetime) -> int:
    """Send finished deliveries once more, under their old ids; returns how many."""
    finished = Delivery.objects.filter(pk__in=ids).exclude(status=Delivery.Status.PENDING)
    count = finished.update(status=Delivery.Status.PENDING, due_at=now, lease_until=None, attempt_count=0)
    if count:
        agenda.wake(queue=QUEUE, due_at=now, now=now)
    return count


def wake_waiting(*, now: datetime) -> None:
    """Put what waits back onto the agenda, after an endpoint was switched on again."""
    due_at = next_due()
    if due_at is not None:
        agenda.wake(queue=QUEUE, due_at=due_at, now=now)


def _claim(*, now: datetime, limit: int) -> list[Delivery]:
    """Lease due deliveries. The try is counted here, so that one which kills its worker comes to an end."""
    pending = Delivery.objects.filter(status=Delivery.Status.PENDING)
    with transaction.atomic():
        pending.filter(lease_until__lte=now, attempt_count__gte=MAX_ATTEMPTS).update(
            status=Delivery.Status.FAILED, lease_until=None
        )
        due = list(
            Delivery.objects.filter(_WAITING, Q(lease_until=None) | Q(lease_until__lte=now), due_at__lte=now)
            .select_for_update(of=("self",), skip_locked=True)
            .select_related("endpoint")
            .order_by("due_at")[:limit]
        )
        Delivery.objects.filter(pk__in=[delivery.pk for delivery in due]).update(
            lease_until=now + LEASE, attempt_count=F("attempt_count") + 1
        )
    return due


def _message(delivery: Delivery, now: datetime) -> _Message:
    """The content is the same at every try, whatever it is signed with."""
    return _Message(
        id=str(delivery.pk),
        url=delivery.endpoint.url,
        secret=delivery.endpoint.secret,
        content={"type": delivery.event_type, "timestamp": delivery.created_at, "data": delivery.payload},
        now=now,
        allow_private=settings.WEBHOOK_ALLOW_PRIVATE,
    )


def _send(message: _Message) -> Answer:
    """Runs in a thread: no database here."""
    try:
        body = msgspec.json.encode(message.content)
        secret = sealed.readable(message.secret)
        signed = signing.headers(secret=secret, message_id=message.id, body=body, now=message.now)
        return outbound_http.post(
            url=message.url,
            body=body,
            headers={"Content-Type": "application/json", **signed},
            allow_private=message.allow_private,
        )
    except sealed.UnreadableError as error:
        return Answer(None, 0, str(error))
    except Exception:
        # One poisonous delivery must not make the neighbours of its batch be sent again.
        logger.exception("Webhook %s could not be tried", message.id)
        return Answer(None, 0, "Internal error.")


def _settle(*, answers: dict[UUID, Answer], now: datetime) -> None:
    """Note what came back. What was deleted or taken over meanwhile is left as it is."""
    with transaction.atomic():
        locked = Delivery.objects.select_for_update().filter(pk__in=answers).order_by("pk")
        deliveries = list(locked)
        Attempt.objects.bulk_create(_attempt(delivery, answers[delivery.pk], now) for delivery in deliveries)
        mine = [delivery for delivery in deliveries if _conclude(delivery, answers[delivery.pk], now)]
        Delivery.objects.bulk_update(mine, ["status", "due_at", "lease_until"])
        gone = {delivery.endpoint_id for delivery in mine if answers[delivery.pk].status == GONE}
        if gone:
            Endpoint.objects.filter(pk__in=gone).update(is_active=False, disabled_reason=Endpoint.DisabledReason.GONE)


def _attempt(delivery: Delivery, answer: Answer, now: datetime) -> Attempt:
    return Attempt(
        delivery=delivery,
        at=now,
        status_code=answer.status,
        duration_ms=answer.duration_ms,
        error=answer.error,
        response_excerpt=answer.excerpt,
    )


def _conclude(delivery: Delivery, answer: Answer, now: datetime) -> bool:
    """Set the delivery's new state; False if another worker's lease or result stands."""
    delivered = answer.status is not None and 200 <= answer.status < 300
    if delivery.status != Delivery.Status.PENDING or (delivery.lease_until != now + LEASE and not delivered):
        return False
    delivery.lease_until = None
    if delivered:
        delivery.status = Delivery.Status.DELIVERED
    elif answer.status == GONE or delivery.attempt_count >= MAX_ATTEMPTS:
        delivery.status = Delivery.Status.FAILED
    else:
        ended = now + timedelta(milliseconds=answer.duration_ms)
        delivery.due_at = ended + timedelta(seconds=_pause(delivery, answer))
    return True


def _pause(delivery: Delivery, answer: Answer) -> float:
    """Seconds until the next try: what the receiver asks for, else longer each time.

    Up to a fifth is added, by the random part of the id, so that a receiver which was down is not
    met by all deliveries at the same moment.
    """
    if answer.status in {429, 503} and answer.retry_after is not None:
        return min(max(answer.retry_after, 1), MAX_RETRY_AFTER)
    jitter = delivery.pk.int % 1000 / 1000 * 0.2
    return BACKOFF[delivery.attempt_count - 1] * (1 + jitter)
