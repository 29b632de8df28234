"""The decide stage's drain."""

from apps.common.queues import drain_task
from apps.touchpoints.services import DECIDE_QUEUE
from apps.triggers import services

drain_task(
    queue=DECIDE_QUEUE,
    step=lambda now: services.decide_pending(now=now),
    next_due=services.next_decision_due,
)
