"""Requests that may come twice: carried out once, answered alike (``Idempotency-Key``, as Stripe does it).

https://docs.stripe.com/api/idempotent_requests, draft-ietf-httpapi-idempotency-key-header-07.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import OperationalError, transaction
from django.db.models import Min

from apps.common.db import connection
from apps.integrations.models import IdempotentRequest

LIFE = timedelta(hours=24)
MAX_KEY = 255
WAIT_SECONDS = 10
QUEUE = "integrations.forget_requests"
DELETE_BATCH = 10_000
LOCK_NOT_AVAILABLE = "55P03"


class Once(NamedTuple):
    """A request that must be carried out once."""

    id: UUID
    fingerprint: bytes


class Stored(NamedTuple):
    """What a request was answered with."""

    status: int
    content_type: str
    body: bytes


class OtherRequestError(Exception):
    """The Idempotency-Key was used for another request within the last 24 hours."""


class StillRunningError(Exception):
    """The same request is being carried out at this moment."""


def once(*, api_key_id: int, key: str, method: str, path: str, body: bytes) -> Once:
    """Names a request by who sends it and its Idempotency-Key, and says what it asks for."""
    named = hashlib.sha256(f"{api_key_id}|{key}".encode()).digest()
    content = hashlib.sha256(f"{method} {path}\n".encode() + body).digest()
    return Once(UUID(bytes=named[:16]), content)


# A key that is older than its life names a new request.
_CLAIM = """
    INSERT INTO integrations_idempotentrequest (id, fingerprint, status, content_type, body, created_at)
    VALUES (%(id)s, %(fingerprint)s, 0, '', '', %(now)s)
    ON CONFLICT (id) DO UPDATE SET fingerprint = EXCLUDED.fingerprint, status = 0, created_at = EXCLUDED.created_at
        WHERE integrations_idempotentrequest.created_at < %(oldest)s
    RETURNING id
"""


def carry_out(*, request: Once, act: Callable[[], Stored], now: datetime) -> tuple[Stored, bool]:
    """What ``act`` answers, or what it answered the first time (then True).

    The act and its answer are stored in one transaction, so a request that broke off left nothing and may come
    again. Only success is kept: an answer of 400 and more undoes the act's changes, and the key stays free.
    A second request at the same time waits for the first.
    Raises OtherRequestError, StillRunningError (after waiting ten seconds).
    """
    with transaction.atomic():
        if not _claim(request, now):
            return replay(request=request), True
        answer = act()
        if answer.status >= 400:
            transaction.set_rollback(True)
        else:
            IdempotentRequest.objects.filter(pk=request.id).update(
                status=answer.status, content_type=answer.content_type[:80], body=answer.body
            )
    return answer, False


def _claim(request: Once, now: datetime) -> bool:
    params: dict[str, Any] = {"id": request.id, "fingerprint": request.fingerprint, "now": now, "oldest": now - LIFE}
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
            cursor.execute(_CLAIM, params)
            claimed = cursor.fetchone() is not None
            cursor.execute("SET LOCAL lock_timeout = DEFAULT")
            return claimed
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == LOCK_NOT_AVAILABLE:
            raise StillRunningError from error
        raise


def is_known(*, request: Once, now: datetime) -> bool:
    """Whether one with its Idempotency-Key was carried out within the last 24 hours."""
    return IdempotentRequest.objects.filter(pk=request.id, created_at__gte=now - LIFE).exists()


def replay(*, request: Once) -> Stored:
    """What the request was answered with before. Raises OtherRequestError if that was another request."""
    row = IdempotentRequest.objects.get(pk=request.id)
    if bytes(row.fingerprint) != request.fingerprint:
        raise OtherRequestError
    return Stored(row.status, row.content_type, bytes(row.body))


def correct(*, request: Once, body: bytes) -> None:
    """The answer turned out to be another one than was written first."""
    IdempotentRequest.objects.filter(pk=request.id).update(body=body)


def forget_old(*, now: datetime) -> int:
    """Delete a batch of requests whose life is over; returns how many."""
    old = IdempotentRequest.objects.filter(created_at__lt=now - LIFE).order_by("created_at").values("pk")
    return IdempotentRequest.objects.filter(pk__in=old[:DELETE_BATCH]).delete()[0]


def next_due() -> datetime | None:
    """When the oldest request's life ends, an hour of them at a time; None while there is none."""
    oldest: datetime | None = IdempotentRequest.objects.aggregate(at=Min("created_at"))["at"]
    return None if oldest is None else oldest + LIFE + timedelta(hours=1)
