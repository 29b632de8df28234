"""The drain that keeps the rollups up to date."""

from datetime import datetime

from django.utils import timezone

from apps.common.queues import drain_task
from apps.insights import services
from apps.responses.keeping import ROLL_UP_QUEUE


def _step(now: datetime) -> int:
    return services.roll_up(now=now)


def _next_due() -> datetime | None:
    return services.next_due(now=timezone.now())


drain_task(queue=ROLL_UP_QUEUE, step=_step, next_due=_next_due)
