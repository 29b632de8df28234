"""Following up: responses are enrolled in the campaign of their segment, due steps are run."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Min, QuerySet

from apps.campaigns.models import Campaign, Enrolment, Step, StepRun
from apps.campaigns.steps import case, email, opt_in
from apps.campaigns.steps.base import Run
from apps.common import agenda
from apps.common.batches import SINGLES, together_or_singly
from apps.common.conditions import ConditionError
from apps.common.ids import uuid7
from apps.common.segments import segment_of
from apps.responses.models import Response
from apps.triggers import segments

RUN_QUEUE = "campaigns.run"
_RUNNERS = {Step.Kind.EMAIL: email.run, Step.Kind.CASE: case.run, Step.Kind.OPT_IN: opt_in.run}


@transaction.atomic
def enrol(*, now: datetime, limit: int = 200) -> int:
    """Enrol responses that await follow-up; returns how many there were.

    Each goes into the most specific active campaign of its segment; a response is enrolled in a
    campaign once, whatever is changed later. One without a score goes into none; one that a machine
    probably gave waits until a human judges it.
    """
    pending = list(
        Response.objects.filter(follow_up=Response.FollowUp.PENDING, is_suspected=False, follow_up_at__lte=now)
        .order_by("follow_up_at")
        .select_for_update(skip_locked=True)[:limit]
    )
    if not pending:
        return 0
    campaigns = list(
        Campaign.objects.filter(is_active=True)
        .select_related("contact_segment")
        .prefetch_related("steps")
        .order_by("pk")
    )
    members = _members(campaigns, pending, now)
    chosen = [(response, _campaign_for(response, campaigns, members)) for response in pending]
    rows = [
        Enrolment(id=uuid7(), campaign=campaign, response=response, enrolled_at=now)
        for response, campaign in chosen
        if campaign
    ]
    Enrolment.objects.bulk_create(rows, ignore_conflicts=True)
    fresh = set(Enrolment.objects.filter(id__in=[row.id for row in rows]).values_list("id", flat=True))
    _plan_steps([row for row in rows if row.id in fresh], now)
    for response, campaign in chosen:
        response.follow_up = Response.FollowUp.ENROLLED if campaign else Response.FollowUp.NONE
    Response.objects.bulk_update(pending, ["follow_up"], batch_size=500)
    return len(pending)


def _members(campaigns: Sequence[Campaign], pending: Sequence[Response], now: datetime) -> dict[int, set[UUID]]:
    """Contact segment → those of the responses' contacts that belong to it. One query per segment in use.

    A segment whose condition is broken has nobody in it: other campaigns go on.
    """
    people = {response.contact_id for response in pending if response.contact_id}
    found: dict[int, set[UUID]] = {}
    for segment in {campaign.contact_segment for campaign in campaigns if campaign.contact_segment}:
        try:
            found[segment.pk] = segments.members(condition=segment.condition, of=people, now=now)
        except ConditionError:
            found[segment.pk] = set()
    return found


def _campaign_for(
    response: Response, campaigns: Sequence[Campaign], members: Mapping[int, Collection[UUID]]
) -> Campaign | None:
    """The most specific one that fits, if any; one for a segment of contacts before one for all."""
    segment = _segment(response)
    fitting = [
        c
        for c in campaigns
        if c.segment == segment
        and c.survey_id in (None, response.survey_id)
        and c.touchpoint_id in (None, response.touchpoint_id)
        and (c.contact_segment_id is None or response.contact_id in members[c.contact_segment_id])
    ]
    return max(
        fitting,
        key=lambda c: (
            c.contact_segment_id is not None,
            c.touchpoint_id is not None,
            c.survey_id is not None,
            -c.pk,
        ),
        default=None,
    )


def _segment(response: Response) -> str:
    """Whose answer it is; "" without a score, which is nobody's."""
    return "" if response.score is None else segment_of(response.score)


def _plan_steps(enrolments: Sequence[Enrolment], now: datetime) -> None:
    runs = [
        StepRun(id=uuid7(), enrolment=row, step=step, due_at=row.response.updated_at + step.delay)
        for row in enrolments
        for step in row.campaign.steps.all()
    ]
    if runs:
        StepRun.objects.bulk_create(runs)
        agenda.wake(queue=RUN_QUEUE, due_at=min(run.due_at for run in runs), now=now)


def next_run_due() -> datetime | None:
    """When the next step is due; None if no run is pending."""
    found = StepRun.objects.filter(status=StepRun.Status.PENDING).aggregate(at=Min("due_at"))
    return found["at"]  # type: ignore[no-any-return]


def run_due(*, now: datetime, base_url: str) -> int:
    """Run due steps; one that breaks the others fails with its error, and they go through."""

    def put_aside(run_id: UUID, error: Exception) -> None:
        StepRun.objects.filter(pk=run_id, status=StepRun.Status.PENDING).update(
            status=StepRun.Status.FAILED, reason=type(error).__name__[:40], done_at=now
        )

    return together_or_singly(
        together=lambda: run_steps(now=now, base_url=base_url),
        waiting=lambda: _due(now).values_list("id", flat=True)[:SINGLES],
        single=lambda run_id: run_steps(now=now, base_url=base_url, only=run_id),
        put_aside=put_aside,
    )


def _due(now: datetime) -> QuerySet[StepRun]:
    return StepRun.objects.filter(status=StepRun.Status.PENDING, due_at__lte=now).order_by("due_at")


@transaction.atomic
def run_steps(*, now: datetime, base_url: str, limit: int = 200, only: UUID | None = None) -> int:
    """Run due steps, all of one kind together; returns how many were due.

    What a step does is a row (a mail in the outbox, a case), written with the step's own state in
    one transaction: no step runs twice, none is lost.
    """
    due = list(
        (_due(now).filter(pk=only) if only else _due(now))
        .select_related(
            "step", "enrolment__campaign", "enrolment__response__contact", "enrolment__response__touchpoint"
        )
        .select_for_update(skip_locked=True, of=("self",))[:limit]
    )
    by_kind: dict[str, list[Run]] = defaultdict(list)
    for row in due:
        run = Run(row=row, response=row.enrolment.response, now=now, base_url=base_url)
        if run.response.is_suspected:
            run.skip("suspected")
        elif row.enrolment.campaign.segment != _segment(run.response):
            run.skip("segment_changed")
        elif not row.enrolment.campaign.is_active:
            run.skip("campaign_inactive")
        else:
            by_kind[row.step.kind].append(run)
    for kind, runs in by_kind.items():
        _RUNNERS[Step.Kind(kind)](runs)
    StepRun.objects.bulk_update(due, ["status", "reason", "done_at", "email"], batch_size=500)
    return len(due)
