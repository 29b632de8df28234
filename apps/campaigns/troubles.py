"""What breaks is put aside: tried again later, and given up after so many times. The others go on."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.alerts.models import Kind
from apps.alerts.services import Occasion, tell
from apps.campaigns.models import Enrolment, StepRun
from apps.common.batches import sentence
from apps.responses.models import Response

BACKOFF = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
"""After so many failures a step is tried again so much later; after one more it has failed for good."""
FOLLOW_UP_AGAIN = timedelta(hours=1)
FOLLOW_UP_FOR = timedelta(days=7)
"""So long after an answer its follow-up is tried again."""


@transaction.atomic
def put_off(*, run_ids: Sequence[UUID], error: Exception, now: datetime) -> None:
    """Steps broke: later again, or after too many times not any more. The enrolments stand still there."""
    pending = StepRun.objects.filter(pk__in=run_ids, status=StepRun.Status.PENDING).order_by("pk")
    rows = list(pending.select_related("enrolment__campaign").select_for_update(of=("self",)))
    for row in rows:
        row.attempts += 1
        row.last_error = sentence(error)
        if row.attempts <= len(BACKOFF):
            row.due_at = now + BACKOFF[row.attempts - 1]
        else:
            row.status, row.reason, row.done_at = StepRun.Status.FAILED, type(error).__name__[:40], now
    StepRun.objects.bulk_update(rows, ["status", "reason", "due_at", "done_at", "attempts", "last_error"])
    failed = [row for row in rows if row.status == StepRun.Status.FAILED]
    if failed:
        running = Enrolment.objects.filter(pk__in=[row.enrolment_id for row in failed], state=Enrolment.State.RUNNING)
        running.update(state=Enrolment.State.FAILED, ended_at=now)
        _tell_failed(failed, now)


def _tell_failed(rows: Sequence[StepRun], now: datetime) -> None:
    """Tell whoever wants to know. Once a day for a step: what breaks for one contact mostly breaks for all."""
    occasions = {}
    for row in rows:
        campaign = row.enrolment.campaign
        reason = f"campaign-failed:{campaign.pk}:{row.step_key}:{now:%Y-%m-%d}"
        occasions[reason] = Occasion(
            kind=Kind.CAMPAIGN_FAILED,
            reason=reason,
            user_ids=(),
            values={"campaign": campaign.name, "error": row.last_error},
            path=f"/campaigns/{campaign.pk}/enrolments/?state=failed",
        )
    # In the same order by every worker: they write the same notices.
    tell(occasions=[occasions[reason] for reason in sorted(occasions)], now=now)


@transaction.atomic
def give_up_follow_up(*, response_id: UUID, now: datetime) -> None:
    """Following up on a response broke: later again, or after a week not any more."""
    waiting = Response.objects.filter(pk=response_id, follow_up=Response.FollowUp.PENDING)
    row = waiting.select_for_update(of=("self",)).first()
    if row is None:
        return
    if now - row.updated_at > FOLLOW_UP_FOR:
        row.follow_up = Response.FollowUp.NONE
    else:
        row.follow_up_at = now + FOLLOW_UP_AGAIN
    row.save(update_fields=["follow_up", "follow_up_at"])
