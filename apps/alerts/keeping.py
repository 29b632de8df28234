"""How long notices are kept, and how they are forgotten with the person they are about."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.alerts.mails import mail_reason
from apps.alerts.models import Notice
from apps.messaging.models import OutgoingEmail

QUEUE = "alerts.forget"
KEEP = timedelta(days=90)


def next_due() -> datetime | None:
    """When old notices are to be deleted next, at most once a day; None while there is none."""
    oldest = Notice.objects.order_by("created_at", "id").values_list("created_at", flat=True).first()
    return oldest + KEEP + timedelta(days=1) if oldest else None


@transaction.atomic
def forget_old(*, now: datetime, limit: int = 1000) -> int:
    """Delete notices older than KEEP; returns how many."""
    old = Notice.objects.filter(created_at__lt=now - KEEP).order_by("created_at", "id")
    ids = list(old.values_list("pk", flat=True).select_for_update(skip_locked=True)[:limit])
    Notice.objects.filter(pk__in=ids).delete()
    return len(ids)


@transaction.atomic
def forget_responses(*, response_ids: Collection[UUID]) -> None:
    """Delete what users were told of these responses, the mails included. Two queries and the deletions."""
    rows = Notice.objects.filter(response__in=response_ids)
    told = [mail_reason(pk) for pk in rows.values_list("message", flat=True) if pk is not None]
    OutgoingEmail.objects.filter(reason__in=told).delete()
    rows.delete()
