"""Sends what is due: many receivers at once, each only a few requests at a time.

Every endpoint gets at most SHARE places of a worker's WIDTH, and who has answered makes room while the others are
waited for: one that hangs holds up nobody but itself. One that takes long to answer moves to a queue of its own
(:data:`webhooks.SLOW_QUEUE`), which one worker of the platform works off at a time: the other workers stay free for
everybody else.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from apps.common import agenda, sealed
from apps.integrations import delighted, outbound_http, signing, webhooks
from apps.integrations.health import note_health
from apps.integrations.models import Attempt, Delivery
from apps.integrations.outbound_http import Answer

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
# Seconds before the second, third … try: a restart, a deployment, a night.
BACKOFF = (5, 60, 300, 1800, 7200, 18_000, 36_000)
MAX_RETRY_AFTER = 86_400
JITTER = 0.2
WIDTH = 25
"""So many requests at once."""
SHARE = 5
"""So many of them to one endpoint, however many workers there are."""
ROUND_SECONDS, GATHER_SECONDS = 0.5, 0.05
"""Answers are noted together that come within so short a time of the first; and how long the first is waited for."""
PATIENCE_SECONDS = 5.0
"""So long others take the places of those that have answered; then a batch only waits for its last answers."""
# Longer than any request takes, see outbound_http.
LEASE = timedelta(seconds=90)
GONE = 410

# One endpoint's first, then everybody's second: who has many waiting is not served before who has one.
_CLAIM = """
SELECT d.id FROM integrations_endpoint e
CROSS JOIN LATERAL (
    SELECT id, due_at FROM integrations_delivery
    WHERE endpoint_id = e.id AND status = 'pending' AND due_at <= %(now)s
      AND (lease_until IS NULL OR lease_until <= %(now)s)
    ORDER BY due_at
    LIMIT greatest(0, %(share)s - (SELECT count(*) FROM integrations_delivery b
                                   WHERE b.endpoint_id = e.id AND b.lease_until > %(now)s))
    FOR UPDATE SKIP LOCKED
) AS d
WHERE e.is_active AND e.is_slow = %(is_slow)s
ORDER BY row_number() OVER (PARTITION BY e.id ORDER BY d.due_at), d.due_at
LIMIT %(limit)s
"""
# One number for all tenants; nothing else takes advisory locks of two numbers.
_SLOW_TURN = (0x77686B, 1)

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Message:
    """All that a thread needs to send a delivery, so that threads stay away from the database."""

    id: str
    url: str
    secrets: tuple[str, ...]
    delighted_key: str
    content: dict[str, Any]
    now: datetime
    allow_private: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What was sent, and what came back."""

    answer: Answer
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Flight:
    """A delivery that is being sent, and until when it is ours."""

    delivery: Delivery
    at: datetime

    @property
    def lease_until(self) -> datetime:
        """Whoever finds another time in the row knows that it was taken over."""
        return self.at + LEASE


def attempt_due(*, now: datetime, limit: int = WIDTH, clock: Clock | None = None) -> int:
    """Send what is due, at most ``limit`` at a time; returns how many were tried.

    Claimed under a lease in one short transaction, sent outside any, noted in another. While some are waited for,
    others take the places that became free; ``clock`` tells their time, without it that is ``now``.
    """
    return _attempt(now, limit, clock or (lambda: now), is_slow=False)


def attempt_slow(*, now: datetime, limit: int = WIDTH, clock: Clock | None = None) -> int:
    """The same for receivers that take long; nothing while another worker is at it, for whatever tenant."""
    with _turn() as is_ours:
        return _attempt(now, limit, clock or (lambda: now), is_slow=True) if is_ours else 0


def _attempt(now: datetime, limit: int, clock: Clock, *, is_slow: bool) -> int:
    claimed = _claim(now=now, limit=limit, is_slow=is_slow)
    if not claimed:
        return 0
    tried = 0
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    flying: dict[Future[Result], Flight] = {}
    with ThreadPoolExecutor(max_workers=min(limit, WIDTH)) as pool:
        while claimed or flying:
            tried += len(claimed)
            flying |= {pool.submit(send, message_of(one.delivery, one.at)): one for one in claimed}
            wait(flying, timeout=ROUND_SECONDS, return_when=FIRST_COMPLETED)
            done, waiting = wait(flying, timeout=GATHER_SECONDS)
            landed = [(flying.pop(future), future.result()) for future in done]
            if landed:
                _settle(landed=landed)
            room = limit - len(flying) if waiting and time.monotonic() < give_up_at else 0
            claimed = _claim(now=clock(), limit=room, is_slow=is_slow) if room else []
    return tried


def send_now(*, delivery: Delivery, now: datetime) -> None:
    """Send one delivery that was leased at ``now``, and note what came of it. Not to be used in a transaction."""
    _settle(landed=[(Flight(delivery, now), send(message_of(delivery, now)))])


@contextmanager
def _turn() -> Iterator[bool]:
    """Whether nobody else on the platform sends to slow receivers now. Given back even if the worker dies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", _SLOW_TURN)
        is_ours = bool(cursor.fetchone()[0])
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", _SLOW_TURN)


def _claim(*, now: datetime, limit: int, is_slow: bool) -> list[Flight]:
    """Lease due deliveries. The try is counted here, so that one which kills its worker comes to an end."""
    with transaction.atomic():
        Delivery.objects.filter(
            status=Delivery.Status.PENDING, lease_until__lte=now, attempt_count__gte=MAX_ATTEMPTS
        ).update(status=Delivery.Status.FAILED, lease_until=None)
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM, {"now": now, "share": SHARE, "is_slow": is_slow, "limit": limit})
            ids = [row[0] for row in cursor.fetchall()]
        due = Delivery.objects.filter(pk__in=ids)
        due.update(lease_until=now + LEASE, attempt_count=F("attempt_count") + 1)
        return [Flight(row, now) for row in due.select_related("endpoint")]


def message_of(delivery: Delivery, now: datetime) -> Message:
    """What is sent now: signed by the endpoint's secret, and by the one before while that is valid."""
    endpoint = delivery.endpoint
    secrets = [endpoint.secret]
    if endpoint.old_secret_until and endpoint.old_secret_until > now and not sealed.problem(endpoint.old_secret):
        secrets.append(endpoint.old_secret)
    return Message(
        id=str(delivery.pk),
        url=endpoint.url,
        secrets=tuple(secrets),
        delighted_key=endpoint.delighted_key,
        content=content_of(delivery),
        now=now,
        allow_private=settings.WEBHOOK_ALLOW_PRIVATE,
    )


def content_of(delivery: Delivery) -> dict[str, Any]:
    """The body, as JSON says it: the same at every try, whatever it is signed with."""
    if delivery.endpoint.delighted_key:
        return delighted.content_of(delivery)
    return {"type": delivery.event_type, "timestamp": delivery.created_at, "data": delivery.payload}


def send(message: Message) -> Result:
    """Send once and say what happened. Runs in a thread: no database here."""
    headers = {"Content-Type": "application/json"}
    try:
        body = msgspec.json.encode(message.content)
        secrets = [sealed.readable(secret) for secret in message.secrets if secret]
        headers |= signing.headers(keys=secrets, message_id=message.id, body=body, now=message.now)
        if message.delighted_key:
            headers |= delighted.headers(key=sealed.readable(message.delighted_key), body=body)
        answer = outbound_http.post(
            url=message.url, body=body, headers=headers, allow_private=message.allow_private, now=message.now
        )
    except sealed.UnreadableError as error:
        answer = Answer(None, 0, str(error))
    except Exception:
        # One poisonous delivery must not make the neighbours of its batch be sent again.
        logger.exception("Webhook %s could not be tried", message.id)
        answer = Answer(None, 0, "Internal error.")
    return Result(answer, headers)


def _settle(*, landed: Collection[tuple[Flight, Result]]) -> None:
    """Note what came back. What was deleted or taken over meanwhile is left as it is."""
    by_id = {flight.delivery.pk: (flight, result) for flight, result in landed}
    now = max(flight.at for flight, _result in landed)
    with transaction.atomic():
        rows = list(Delivery.objects.select_for_update().filter(pk__in=by_id).order_by("pk"))
        Attempt.objects.bulk_create(_attempt_of(row, *by_id[row.pk]) for row in rows)
        mine = [row for row in rows if _conclude(row, *by_id[row.pk])]
        Delivery.objects.bulk_update(mine, ["status", "due_at", "lease_until"])
        verdicts = [(flight.delivery, result.answer) for flight, result in landed]
        for is_slow in note_health(verdicts=verdicts, now=now):
            # What waits for them moves to the other queue.
            agenda.wake(queue=webhooks.queue_of(is_slow), due_at=now, now=now)


def _attempt_of(row: Delivery, flight: Flight, result: Result) -> Attempt:
    answer = result.answer
    return Attempt(
        delivery=row,
        at=flight.at,
        url=flight.delivery.endpoint.url,
        request_headers=result.headers,
        status_code=answer.status,
        duration_ms=answer.duration_ms,
        error=answer.error,
        response_headers=answer.headers,
        response_excerpt=answer.excerpt,
    )


def _conclude(row: Delivery, flight: Flight, result: Result) -> bool:
    """Set the delivery's new state; False if another worker's lease or result stands."""
    answer = result.answer
    if row.status != Delivery.Status.PENDING or (row.lease_until != flight.lease_until and not answer.is_taken):
        return False
    row.lease_until = None
    if answer.is_taken:
        row.status = Delivery.Status.DELIVERED
    elif answer.status == GONE or row.attempt_count >= MAX_ATTEMPTS:
        row.status = Delivery.Status.FAILED
    else:
        ended = flight.at + timedelta(milliseconds=answer.duration_ms)
        row.due_at = ended + timedelta(seconds=pause(pk=row.pk, tries=row.attempt_count, answer=answer))
    return True


def pause(*, pk: UUID, tries: int, answer: Answer) -> float:
    """Seconds until the next try: what the receiver asks for, else longer each time.

    Up to a fifth is added, by the random part of the id, so that a receiver which was down is not
    met by all deliveries at the same moment.
    """
    if answer.status in {429, 503} and answer.retry_after is not None:
        return min(max(answer.retry_after, 1), MAX_RETRY_AFTER)
    return BACKOFF[tries - 1] * (1 + pk.int % 1000 / 1000 * JITTER)
