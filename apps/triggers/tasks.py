"""The drains of deciding, of cadences and of dry runs."""

from django.utils import timezone

from apps.common.queues import drain_task
from apps.touchpoints.services import DECIDE_QUEUE
from apps.triggers import cadences, dry_runs, services

drain_task(
    queue=DECIDE_QUEUE,
    step=lambda now: services.decide_pending(now=now),
    next_due=services.next_decision_due,
)
drain_task(
    queue=cadences.QUEUE,
    step=lambda now: cadences.run_due(now=now),
    next_due=cadences.next_due,
)
drain_task(
    queue=dry_runs.QUEUE,
    step=lambda now: dry_runs.run_next(now=now, clock=timezone.now),
    next_due=dry_runs.next_due,
)
