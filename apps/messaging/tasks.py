"""The drains of the deliver stage, of looking at sender domains, and of deleting what is kept long enough."""

from datetime import datetime, timedelta

from celery import shared_task
from django.utils import timezone

from apps.common import progress
from apps.common.queues import drain_task
from apps.messaging import backlogs, retention, sender_domains, sending, services
from apps.tenants.tasks import TenantTask

# A tenant with millions of mails must not keep a worker from the ten of another.
SHARE_SECONDS = 5.0
# Long after any worker could come back for them; a database may be away for a weekend.
KEEP_PROGRESS = timedelta(days=30)


def _deliver(now: datetime) -> int:
    backlogs.observe(now=now)
    return sending.send_batch(now=now, clock=timezone.now)


drain_task(
    queue=services.DELIVER_QUEUE,
    step=_deliver,
    next_due=lambda: services.next_delivery_due(now=timezone.now()),
    seconds=SHARE_SECONDS,
)
drain_task(
    queue=sender_domains.QUEUE,
    step=lambda now: sender_domains.check_next(now=now),
    next_due=sender_domains.next_check_due,
)
drain_task(queue=retention.QUEUE, step=lambda now: retention.forget_bodies(now=now), next_due=retention.next_due)


@shared_task(name="messaging.forget_progress", base=TenantTask, public=True)
def forget_progress() -> int:
    """Delete notes of how far batches were that nobody came back for."""
    return progress.forget_old(before=timezone.now() - KEEP_PROGRESS)
