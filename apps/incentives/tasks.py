"""The drain that marks vouchers which are out of date."""

from apps.common.queues import drain_task
from apps.incentives import redemption

drain_task(
    queue=redemption.QUEUE,
    step=lambda now: redemption.expire_due(now=now),
    next_due=redemption.next_due,
)
