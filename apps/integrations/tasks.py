"""Wakes the sending of webhooks."""

from apps.common import queues
from apps.integrations import webhooks

queues.drain_task(queue=webhooks.QUEUE, step=lambda now: webhooks.attempt_due(now=now), next_due=webhooks.next_due)
