"""How long deliveries are kept: thirty days, then they go with all their tries.

Ids tell the time (version 7 UUIDs), so the primary key leads to what is old. It is done once a day, up to the
midnight thirty days back, in batches that hold nobody up.
"""

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Min, Q

from apps.integrations.models import Attempt, Delivery, Endpoint, EventType, Replay

QUEUE = "integrations.forget_deliveries"
KEEP = timedelta(days=30)
BATCH = 1000


def forget_old(*, now: datetime, limit: int = BATCH) -> int:
    """Delete up to ``limit`` deliveries that are old enough, whatever became of them; returns how many.

    What still waits then belongs to an endpoint that has been switched off for a month.
    """
    end = _midnight(now) - KEEP
    with transaction.atomic():
        old = Delivery.objects.filter(pk__lt=_first_id(end)).order_by("pk")
        ids = list(old.values_list("pk", flat=True).select_for_update(skip_locked=True)[:limit])
        Attempt.objects.filter(delivery__in=ids).delete()
        Delivery.objects.filter(pk__in=ids).delete()
        if len(ids) < limit:
            Replay.objects.filter(created_at__lt=end).delete()
            Endpoint.objects.filter(old_secret_until__lte=now).update(old_secret="", old_secret_until=None)
    return len(ids)


def forget_contacts(*, contact_ids: Collection[UUID]) -> int:
    """Delete what was told of these contacts, with all that came back; returns how many deliveries that were.

    That they were erased stays: it says nothing but their id, and may have to be told yet. Reads all deliveries.
    """
    ids = [str(pk) for pk in contact_ids]
    about = Q(payload__contact_id__in=ids) | Q(event_type=EventType.CONTACT_UNSUBSCRIBED, payload__id__in=ids)
    count: int = Delivery.objects.filter(about).delete()[1].get("integrations.Delivery", 0)
    return count


def next_due() -> datetime | None:
    """When deliveries are to be deleted next, at most once a day; None while there is none."""
    oldest = Delivery.objects.order_by("pk").values_list("created_at", flat=True).first()
    # An old secret ends by itself; only its row waits to be tidied up.
    secret = Endpoint.objects.filter(old_secret_until__isnull=False).aggregate(at=Min("old_secret_until"))["at"]
    found = [_midnight(oldest) + timedelta(days=1) + KEEP] if oldest else []
    return min(found + ([secret] if secret else []), default=None)


def _midnight(at: datetime) -> datetime:
    return datetime.combine(at.astimezone(UTC).date(), time.min, UTC)


def _first_id(at: datetime) -> UUID:
    """The lowest id that can be made at a moment."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
