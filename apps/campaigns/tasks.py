"""The drains of following up: enrol responses, run due steps, start by hand, try against the past."""

from django.utils import timezone

from apps.campaigns import launches, services, trials
from apps.common.queues import drain_task
from apps.responses.keeping import FOLLOW_UP_QUEUE
from apps.responses.services import next_follow_up_due
from apps.tenants.registry import current_base_url

drain_task(
    queue=FOLLOW_UP_QUEUE,
    step=lambda now: services.enrol_due(now=now),
    next_due=next_follow_up_due,
)
drain_task(
    queue=services.RUN_QUEUE,
    step=lambda now: services.run_due(now=now, base_url=current_base_url()),
    next_due=services.next_run_due,
)
drain_task(
    queue=launches.QUEUE,
    step=lambda now: launches.run_next(now=now),
    next_due=launches.next_due,
)
drain_task(
    queue=trials.QUEUE,
    step=lambda now: trials.run_next(now=now, clock=timezone.now),
    next_due=trials.next_due,
)
