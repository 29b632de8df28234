"""Forgets other tools' messages in time."""

from apps.common.queues import drain_task
from apps.touchpoints import retention

drain_task(
    queue=retention.QUEUE,
    step=lambda now: retention.forget_old_payloads(now=now),
    next_due=retention.next_due,
)
