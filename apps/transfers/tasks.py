"""The drain of the imports."""

from django.utils import timezone

from apps.common.queues import drain_task
from apps.transfers import runs

drain_task(
    queue=runs.QUEUE,
    step=lambda now: runs.run_next(now=now, clock=timezone.now),
    next_due=runs.next_due,
)
