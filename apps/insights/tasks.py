"""The drains that keep the rollups up to date, learn how much touchpoints weigh, and look which targets are met."""

from datetime import datetime

from django.utils import timezone

from apps.common.queues import drain_task
from apps.insights import influences, journey_reviews, services, targets
from apps.responses.keeping import ROLL_UP_QUEUE


def _step(now: datetime) -> int:
    return services.roll_up(now=now)


def _next_due() -> datetime | None:
    return services.next_due(now=timezone.now())


drain_task(queue=ROLL_UP_QUEUE, step=_step, next_due=_next_due)
drain_task(
    queue=influences.QUEUE,
    step=lambda now: influences.learn_due(now=now),
    next_due=lambda: influences.next_due(now=timezone.now()),
)
drain_task(
    queue=targets.QUEUE,
    step=lambda now: targets.check(now=now),
    next_due=lambda: targets.next_due(now=timezone.now()),
)
drain_task(
    queue=journey_reviews.QUEUE,
    step=lambda now: journey_reviews.remind_due(now=now),
    next_due=lambda: journey_reviews.next_due(now=timezone.now()),
)
