"""Lets what rests because of a contact's open case go on when the case is closed."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from apps.campaigns.models import StepRun
from apps.campaigns.services import RUN_QUEUE
from apps.cases import listeners
from apps.cases.models import Case
from apps.common import agenda


def closed(case_ids: Collection[UUID], now: datetime) -> None:
    """Have the steps looked at now that waited for these cases; another open case holds them again. Two queries.

    One that a worker looks at just now is left to it: it does not wait for us, nor we for it.
    """
    people = Case.objects.filter(pk__in=case_ids, contact__isnull=False).values("contact_id")
    resting = StepRun.objects.filter(
        status=StepRun.Status.PENDING, reason="case_open", enrolment__contact__in=people, due_at__gt=now
    )
    free = resting.order_by("pk").select_for_update(skip_locked=True, of=("self",))
    if StepRun.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update(due_at=now):
        agenda.wake(queue=RUN_QUEUE, due_at=now, now=now)


listeners.register(closed)
