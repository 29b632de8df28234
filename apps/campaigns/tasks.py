"""The follow-up stage's two drains: enrol responses, run due steps."""

from apps.campaigns import services
from apps.common.queues import drain_task
from apps.responses.keeping import FOLLOW_UP_QUEUE
from apps.responses.services import next_follow_up_due
from apps.tenants.registry import current_base_url

drain_task(
    queue=FOLLOW_UP_QUEUE,
    step=lambda now: services.enrol(now=now),
    next_due=next_follow_up_due,
)
drain_task(
    queue=services.RUN_QUEUE,
    step=lambda now: services.run_due(now=now, base_url=current_base_url()),
    next_due=services.next_run_due,
)
