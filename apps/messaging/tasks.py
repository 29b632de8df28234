"""The drains of the deliver stage and of looking at sender domains."""

from django.utils import timezone

from apps.common.queues import drain_task
from apps.messaging import sender_domains, sending, services

# A tenant with millions of mails must not keep a worker from the ten of another.
SHARE_SECONDS = 5.0

drain_task(
    queue=services.DELIVER_QUEUE,
    step=lambda now: sending.send_batch(now=now, clock=timezone.now),
    next_due=lambda: services.next_delivery_due(now=timezone.now()),
    seconds=SHARE_SECONDS,
)
drain_task(
    queue=sender_domains.QUEUE,
    step=lambda now: sender_domains.check_next(now=now),
    next_due=sender_domains.next_check_due,
)
