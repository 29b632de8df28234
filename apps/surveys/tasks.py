"""The dispatch stage's drain."""

from apps.common.queues import drain_task
from apps.surveys import services
from apps.tenants.registry import current_base_url

drain_task(
    queue=services.DISPATCH_QUEUE,
    step=lambda now: services.dispatch(now=now, base_url=current_base_url()),
    next_due=services.next_dispatch_due,
)
