"""Wakes the sending of webhooks, and the forgetting of what nobody may ask for again."""

from django.utils import timezone

from apps.common import queues
from apps.integrations import attempts, log, once, replays, webhooks

# Sending mails and deciding must not wait long for others' receivers: the rest goes to the back of the line.
SHARE_SECONDS = 5.0

queues.drain_task(
    queue=webhooks.QUEUE,
    step=lambda now: attempts.attempt_due(now=now, clock=timezone.now),
    next_due=webhooks.next_due,
    seconds=SHARE_SECONDS,
)
queues.drain_task(
    queue=webhooks.SLOW_QUEUE,
    step=lambda now: attempts.attempt_slow(now=now, clock=timezone.now),
    next_due=lambda: webhooks.next_due(is_slow=True),
    seconds=SHARE_SECONDS,
)
queues.drain_task(queue=replays.QUEUE, step=lambda now: replays.go_on(now=now), next_due=replays.next_due)
queues.drain_task(queue=log.QUEUE, step=lambda now: log.forget_old(now=now), next_due=log.next_due)
queues.drain_task(queue=once.QUEUE, step=lambda now: once.forget_old(now=now), next_due=once.next_due)
