"""What people do about endpoints: switch them, replace their secret, try them."""

from datetime import datetime, timedelta

from django.db import transaction

from apps.common.ids import uuid7
from apps.integrations import attempts, signing, webhooks
from apps.integrations.models import TEST, Attempt, Delivery, Endpoint

OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=30)


@transaction.atomic
def switch(*, endpoint_id: int, on: bool, now: datetime) -> Endpoint:
    """Switch an endpoint on or off. What waits for it goes on when it is on again; an old judgement is forgotten."""
    row = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint_id)
    row.is_active, row.disabled_reason = on, ""
    if on:
        start_anew(row)
    row.save(update_fields=["is_active", "disabled_reason", "failing_since", "is_slow"])
    if on:
        webhooks.wake_waiting(now=now)
    return row


def start_anew(row: Endpoint) -> None:
    """What was known against an endpoint does not count any more; not saved."""
    row.disabled_reason, row.failing_since, row.is_slow = "", None, False


@transaction.atomic
def rotate(*, endpoint_id: int, now: datetime, overlap: timedelta = OVERLAP) -> Endpoint:
    """Give an endpoint a new secret. The old one signs along for ``overlap``, so that nobody has to be quick.

    A secret that is still signing along from a rotation before ends now.
    """
    row = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint_id)
    until = now + min(max(overlap, timedelta(0)), LONGEST_OVERLAP)
    row.old_secret, row.old_secret_until = (row.secret, until) if until > now else ("", None)
    row.secret = signing.new_secret()
    row.save(update_fields=["secret", "old_secret", "old_secret_until"])
    return row


def send_test(*, endpoint_id: int, now: datetime) -> Attempt | None:
    """Send a signed test message to an endpoint at once, switched on or not, and say what came of it.

    Takes as long as the receiver does (ten seconds at most) and must not run in a transaction. It is not repeated.
    None if the endpoint was deleted meanwhile.
    """
    pk = uuid7()
    delivery = Delivery.objects.create(
        id=pk, endpoint=Endpoint.objects.get(pk=endpoint_id), event_type=TEST, reason=f"test:{pk}",
        payload={"message": "This is a test."}, due_at=now, lease_until=now + attempts.LEASE, created_at=now,
        # The last one: whatever comes of it, nobody tries again.
        attempt_count=attempts.MAX_ATTEMPTS,
    )  # fmt: skip
    attempts.send_now(delivery=delivery, now=now)
    return Attempt.objects.filter(delivery=pk).select_related("delivery").first()
