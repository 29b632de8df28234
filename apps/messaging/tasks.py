"""The deliver stage's drain."""

from apps.common.queues import drain_task
from apps.messaging import services

drain_task(
    queue=services.DELIVER_QUEUE,
    step=lambda now: services.send_batch(now=now),
    next_due=services.next_delivery_due,
)
