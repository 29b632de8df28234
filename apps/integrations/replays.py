"""Sending what was sent before once more, a whole span of time: queued again in batches, under the old ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count, Min, QuerySet
from django.utils.translation import gettext as _

from apps.common import agenda
from apps.integrations import webhooks
from apps.integrations.log import KEEP
from apps.integrations.models import Delivery, Endpoint, Replay

QUEUE = "integrations.replay"
BATCH = 500

Status = Delivery.Status


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a repetition is."""

    total: int
    queued: int
    delivered: int
    failed: int
    waiting: int

    @property
    def percent(self) -> int:
        """Of all deliveries, how many have come to an end."""
        return min(100, 100 * (self.delivered + self.failed) // self.total) if self.total else 100

    @property
    def is_done(self) -> bool:
        """Whether nothing waits any more."""
        return self.queued >= self.total and not self.waiting


def start(
    *,
    endpoint: Endpoint,
    since: datetime,
    until: datetime,
    now: datetime,
    event_type: str = "",
    status: str = "",
    by: str = "",
) -> Replay:
    """Have all finished deliveries of a span of time sent once more; ``event_type`` and ``status`` narrow it down.

    Raises ValidationError (by field) for a span that makes no sense, an endpoint that is switched off, and while
    another repetition is being queued for it.
    """
    until = min(until, now)
    if since >= until:
        raise ValidationError({"since": _("The beginning must lie before the end, and in the past.")})
    if not endpoint.is_active:
        raise ValidationError(_("The endpoint is switched off. Switch it on first."))
    replay = Replay(
        endpoint=endpoint, since=max(since, now - KEEP), until=until, event_type=event_type, status=status, by=by[:150],
        total=0, created_at=now,
    )  # fmt: skip
    replay.total = chosen(replay).count()
    if not replay.total:
        raise ValidationError(_("Nothing that was sent in this time fits."))
    try:
        with transaction.atomic():
            replay.save(force_insert=True)
    except IntegrityError as error:
        raise ValidationError(_("A repetition is running for this endpoint. Wait until it has been queued.")) from error
    agenda.wake(queue=QUEUE, due_at=now, now=now)
    return replay


def chosen(replay: Replay) -> QuerySet[Delivery]:
    """The finished deliveries that a repetition is about and has not queued yet."""
    rows = Delivery.objects.filter(endpoint=replay.endpoint_id, created_at__lt=replay.until)
    rows = rows.filter(created_at__gte=replay.reached or replay.since).exclude(status=Status.PENDING)
    if replay.event_type:
        rows = rows.filter(event_type=replay.event_type)
    if replay.status:
        rows = rows.filter(status=replay.status)
    return rows.exclude(replay=replay.pk)


@transaction.atomic
def go_on(*, now: datetime, limit: int = BATCH) -> int:
    """Queue the next deliveries of the oldest repetition again; returns how many were looked at."""
    waiting = Replay.objects.filter(done_at=None, endpoint__is_active=True).order_by("created_at")
    replay = waiting.select_for_update(skip_locked=True, of=("self",)).first()
    if replay is None:
        return 0
    rows = list(chosen(replay).order_by("created_at", "pk").select_for_update(of=("self",))[:limit])
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
        status=Status.PENDING, due_at=now, lease_until=None, attempt_count=0, replay=replay
    )
    replay.queued += len(rows)
    if rows:
        replay.reached = rows[-1].created_at
        webhooks.wake_all(now=now)
    if len(rows) < limit:
        # Some may have been deleted or sent again by hand since they were counted.
        replay.total, replay.done_at = replay.queued, now
    replay.save(update_fields=["queued", "reached", "total", "done_at"])
    return max(1, len(rows))


def next_due() -> datetime | None:
    """When the oldest repetition was asked for that has not been queued; None if there is none."""
    waiting = Replay.objects.filter(done_at=None, endpoint__is_active=True)
    at: datetime | None = waiting.aggregate(at=Min("created_at"))["at"]
    return at


def progress_of(replay: Replay) -> Progress:
    """How far it is. One query."""
    return progress_of_all([replay])[replay.pk]


def progress_of_all(rows: Sequence[Replay]) -> dict[UUID, Progress]:
    """How far each is. One query."""
    found = Delivery.objects.filter(replay__in=rows).order_by().values_list("replay", "status").annotate(Count("pk"))
    counts = {(replay, status): count for replay, status, count in found}

    def of(row: Replay, status: str) -> int:
        return counts.get((row.pk, status), 0)

    return {
        row.pk: Progress(
            total=row.total,
            queued=row.queued,
            delivered=of(row, Status.DELIVERED),
            failed=of(row, Status.FAILED),
            waiting=of(row, Status.PENDING),
        )
        for row in rows
    }
