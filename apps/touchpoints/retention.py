"""Messages from other tools are kept to be looked at, and no longer than that."""

from datetime import datetime, timedelta

from django.db.models import Min

from apps.touchpoints.hooks import KEEP_FOR
from apps.touchpoints.models import HookPayload, TrackedName, TrackingProblem

QUEUE = "touchpoints.forget"
EVERY = timedelta(days=1)


def forget_old_payloads(*, now: datetime) -> int:
    """Delete what came a month ago or earlier; returns how many messages. A hook keeps few at any time."""
    before = now - KEEP_FOR
    seen = sum(
        model.objects.filter(last_seen_at__lte=before).exclude(last_payload="").update(last_payload="")
        for model in (TrackedName, TrackingProblem)
    )
    return HookPayload.objects.filter(received_at__lte=before).delete()[0] + seen


def next_due() -> datetime | None:
    """When the oldest message is to go, with those of the day after; None while there is none."""
    oldest = [HookPayload.objects.aggregate(at=Min("received_at"))["at"]]
    oldest += [
        model.objects.exclude(last_payload="").aggregate(at=Min("last_seen_at"))["at"]
        for model in (TrackedName, TrackingProblem)
    ]
    known = [at for at in oldest if at is not None]
    return min(known) + KEEP_FOR + EVERY if known else None
