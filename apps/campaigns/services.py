"""Following up: responses are enrolled in a campaign, due steps are run, each in its order."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Min, QuerySet

from apps.alerts import services as alerts
from apps.campaigns import entry, looks
from apps.campaigns.models import Campaign, CampaignVersion, Enrolment, StepRun
from apps.campaigns.runs import Run
from apps.campaigns.sequence import Kind, SequenceError, Step, parse, wait_end
from apps.campaigns.sequence import Sequence as Steps
from apps.campaigns.steps import ask, branch, case, email, opt_in, plain, tag, told, voucher
from apps.campaigns.troubles import give_up_follow_up, put_off
from apps.cases import opening
from apps.common import agenda
from apps.common.batches import SINGLES, together_or_singly
from apps.contacts import ledger
from apps.contacts import services as contacts
from apps.responses.models import Response

RUN_QUEUE = "campaigns.run"
# Always run in this order, so that two workers lock contacts, then responses, then cases.
_RUNNERS = {
    Kind.WAIT: plain.run,
    Kind.BRANCH: branch.run,
    Kind.EMAIL: email.run,
    Kind.ASK: ask.run,
    Kind.OPT_IN: opt_in.run,
    Kind.TAG: tag.run,
    Kind.VOUCHER: voucher.run,
    Kind.CASE: case.run,
    Kind.WEBHOOK: told.run_webhook,
    Kind.TASK: told.run_task,
    Kind.STOP: plain.run,
}


def enrol_due(*, now: datetime) -> int:
    """Follow up on responses that await it; one that breaks the others is tried again later, and they go through."""
    return together_or_singly(
        together=lambda: enrol(now=now),
        waiting=lambda: _awaiting(now).values_list("id", flat=True)[:SINGLES],
        single=lambda response_id: enrol(now=now, only=response_id),
        put_aside=lambda response_id, _error: give_up_follow_up(response_id=response_id, now=now),
    )


def _awaiting(now: datetime) -> QuerySet[Response]:
    waiting = Response.objects.filter(follow_up=Response.FollowUp.PENDING, is_suspected=False, follow_up_at__lte=now)
    return waiting.order_by("follow_up_at")


@transaction.atomic
def enrol(*, now: datetime, limit: int = 200, only: UUID | None = None) -> int:
    """Follow up on responses that await it; returns how many there were.

    Rules open cases for them, users are told, and each goes into the campaign of the highest priority that fits, then
    the most specific one; a response is enrolled in a campaign once, whatever is changed later. One without a score
    goes into none; one that a machine probably gave waits until a human judges it.
    """
    pending = list(
        (_awaiting(now).filter(pk=only) if only else _awaiting(now))
        .select_related("contact__company", "touchpoint", "survey")
        .select_for_update(skip_locked=True, of=("self",))[:limit]
    )
    if not pending:
        return 0
    opening.open_by_rules(responses=pending, now=now)
    alerts.about_responses(responses=pending, now=now)
    campaigns = _readable(open_campaigns().filter(entry=Campaign.Entry.RESPONSE))
    entrance = entry.Entrance(campaigns, pending, now)
    chosen = [(response, entrance.campaign_for(response)) for response in pending]
    enter([(response, campaign) for response, campaign in chosen if campaign], now=now)
    for response, campaign in chosen:
        response.follow_up = Response.FollowUp.ENROLLED if campaign else Response.FollowUp.NONE
    Response.objects.bulk_update(pending, ["follow_up"], batch_size=500)
    return len(pending)


def open_campaigns() -> QuerySet[Campaign]:
    """Campaigns that take responses: active and published."""
    found = Campaign.objects.filter(is_active=True, current_version__isnull=False)
    return found.select_related("contact_segment", "current_version").order_by("pk")


def _readable(campaigns: Iterable[Campaign]) -> list[Campaign]:
    """Those whose steps can be read; one that is broken takes nobody, and the others go on."""
    found = []
    for campaign in campaigns:
        with suppress(SequenceError):
            parse(campaign.current_version.document if campaign.current_version else {})
            found.append(campaign)
    return found


def enter(
    chosen: Sequence[tuple[Response, Campaign]], *, now: datetime, launch_id: UUID | None = None
) -> list[Enrolment]:
    """Enrol responses and begin their first steps; returns the enrolments that are new.

    The first step counts from the answer; where somebody started the campaign by hand, from then on. Must run in a
    transaction.
    """
    if not chosen:
        return []
    known = entry.rounds([response for response, _campaign in chosen])
    rows = [entry.enrolment(campaign, response, now, known) for response, campaign in chosen]
    for row in rows:
        row.launch_id = launch_id
    Enrolment.objects.bulk_create(rows, ignore_conflicts=True)
    there = set(Enrolment.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    fresh = [row for row in rows if row.pk in there]
    sequences: dict[int, Steps] = {}
    begin, ended = [], []
    for row in fresh:
        sequence = _sequence(row.version, sequences)
        if row.state != Enrolment.State.RUNNING:
            continue
        if sequence.first is None:
            ended.append(row.pk)
        else:
            begin.append((row, sequence.steps[sequence.first], 1, now if launch_id else row.response.updated_at))
    Enrolment.objects.filter(pk__in=ended).update(state=Enrolment.State.DONE, ended_at=now)
    start_runs(begin)
    _wake(now, min((start for *_rest, start in begin), default=None))
    return fresh


def _sequence(version: CampaignVersion, known: dict[int, Steps]) -> Steps:
    """A version's steps; parsed once per batch."""
    if version.pk not in known:
        known[version.pk] = parse(version.document)
    return known[version.pk]


def start_runs(begin: Sequence[tuple[Enrolment, Step, int, datetime]]) -> list[StepRun]:
    """Write the runs of steps that are next: enrolment, step, position, and when it begins."""
    if not begin:
        return []
    home = ledger.home_calendar()
    rows = []
    for enrolment, step, position, start in begin:
        due_at = wait_end(step.settings, start, home) if step.kind == Kind.WAIT else start
        rows.append(
            StepRun(
                enrolment=enrolment, step_key=step.key, kind=step.kind, position=position, planned_at=due_at,
                due_at=due_at,
            )
        )  # fmt: skip
    return StepRun.objects.bulk_create(rows)


def _wake(now: datetime, due_at: datetime | None) -> None:
    if due_at is not None:
        agenda.wake(queue=RUN_QUEUE, due_at=due_at, now=now)


def next_run_due() -> datetime | None:
    """When the next step is due; None if no run is pending."""
    found = StepRun.objects.filter(status=StepRun.Status.PENDING).aggregate(at=Min("due_at"))
    return found["at"]  # type: ignore[no-any-return]


def run_due(*, now: datetime, base_url: str) -> int:
    """Run due steps; one that breaks the others is tried again later, and they go through."""
    return together_or_singly(
        together=lambda: run_steps(now=now, base_url=base_url),
        waiting=lambda: _due(now).values_list("id", flat=True)[:SINGLES],
        single=lambda run_id: run_steps(now=now, base_url=base_url, only=run_id),
        put_aside=lambda run_id, error: put_off(run_ids=[run_id], error=error, now=now),
    )


@transaction.atomic
def retry(*, enrolment_ids: Collection[UUID], now: datetime) -> int:
    """Try steps again that failed for good, and go on from there; returns how many."""
    rows = StepRun.objects.filter(enrolment__in=enrolment_ids, status=StepRun.Status.FAILED)
    owners = list(rows.select_for_update().values_list("enrolment_id", flat=True))
    count = rows.filter(enrolment__in=owners).update(
        status=StepRun.Status.PENDING, reason="", attempts=0, due_at=now, done_at=None
    )
    Enrolment.objects.filter(pk__in=owners).update(state=Enrolment.State.RUNNING, ended_at=None)
    _wake(now, now if count else None)
    return count


@transaction.atomic
def stop(*, enrolment_ids: Collection[UUID], reason: str, now: datetime) -> int:
    """End running enrolments before their next step; returns how many. A step that a worker has in hand comes first."""
    rows = StepRun.objects.filter(enrolment__in=enrolment_ids, status=StepRun.Status.PENDING)
    list(rows.order_by("pk").select_for_update().values_list("pk"))
    # Looked for again: who was waited for has begun the next one.
    rows.update(status=StepRun.Status.SKIPPED, reason=reason, done_at=now)
    found = Enrolment.objects.filter(pk__in=enrolment_ids, state=Enrolment.State.RUNNING)
    return found.update(state=Enrolment.State.STOPPED, end_reason=reason, ended_at=now)


def _due(now: datetime) -> QuerySet[StepRun]:
    return StepRun.objects.filter(status=StepRun.Status.PENDING, due_at__lte=now).order_by("due_at")


@transaction.atomic
def run_steps(*, now: datetime, base_url: str, limit: int = 200, only: UUID | None = None) -> int:
    """Run due steps, all of one kind together; returns how many were due.

    What a step does is a row (a mail in the outbox, a case), written with the step's own state and the next step's
    run in one transaction: no step runs twice, none is lost, and each comes after the one before it.
    """
    rows = _in_hand(_due(now).filter(pk=only) if only else _due(now), limit)
    runs = _runs(rows, now, base_url)
    looks.judge(runs, now)
    by_kind: dict[Kind, list[Run]] = defaultdict(list)
    for run in runs:
        if run.is_open and run.step is not None:
            by_kind[run.step.kind].append(run)
    _lock_contacts([*by_kind[Kind.EMAIL], *by_kind[Kind.ASK]])
    for kind, runner in _RUNNERS.items():
        if by_kind[kind]:
            runner(by_kind[kind])
    _save(runs)
    _go_on(runs, now)
    return len(rows)


def _in_hand(due: QuerySet[StepRun], limit: int) -> list[StepRun]:
    """Due steps, locked; read only then, so that we know what was stopped or moved a moment ago."""
    ids = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
    rows = StepRun.objects.filter(pk__in=ids).select_related(
        "enrolment__campaign", "enrolment__version", "enrolment__response__contact__company",
        "enrolment__response__touchpoint", "enrolment__response__survey",
    )  # fmt: skip
    return list(rows.order_by("due_at")) if ids else []


def _runs(rows: Sequence[StepRun], now: datetime, base_url: str) -> list[Run]:
    """The steps of versions that can be read; the others are put off all together."""
    by_version: dict[int, list[StepRun]] = defaultdict(list)
    for row in rows:
        by_version[row.enrolment.version_id].append(row)
    runs: list[Run] = []
    for group in by_version.values():
        try:
            sequence = parse(group[0].enrolment.version.document)
        except SequenceError as error:
            put_off(run_ids=[row.pk for row in group], error=error, now=now)
        else:
            runs += [Run(row, sequence, now, base_url) for row in group]
    return runs


def _lock_contacts(runs: Sequence[Run]) -> None:
    """All contacts whose budget is looked at, at once: two workers that have the same ones come one after the other."""
    spending = [run for run in runs if run.step and (run.step.kind == Kind.ASK or run.setting("within_budget"))]
    people = {run.response.contact_id for run in spending if run.response.contact_id}
    if people:
        contacts.lock(contact_ids=sorted(people))


def _save(runs: Sequence[Run]) -> None:
    fields = ["status", "reason", "done_at", "due_at", "email", "result"]
    StepRun.objects.bulk_update([run.row for run in runs], fields, batch_size=500)


def _go_on(runs: Sequence[Run], now: datetime) -> None:
    """Begin what comes next, and end what has come to its end."""
    running = [run for run in runs if run.row.enrolment.state == Enrolment.State.RUNNING]
    over = [run for run in running if not run.is_open and not run.is_held]
    taken = _taken([run for run in over if not run.ends])
    begin, done = [], []
    for run in over:
        key = None if run.ends or run.step is None else run.step.following(is_yes=run.row.result.get("way") == "yes")
        # Who was moved here may have had later steps already, also who was enrolled before there were sequences.
        while key is not None and (run.row.enrolment_id, key) in taken:
            key = run.sequence.steps[key].following(is_yes=taken[run.row.enrolment_id, key] == "yes")
        if key is None:
            done.append(run)
        else:
            begin.append((run.row.enrolment, run.sequence.steps[key], run.row.position + 1, now))
    for run in done:
        ending = run.row.enrolment
        ending.state = Enrolment.State.STOPPED if run.ends else Enrolment.State.DONE
        ending.end_reason, ending.ended_at = run.ends, now
    Enrolment.objects.bulk_update([run.row.enrolment for run in done], ["state", "end_reason", "ended_at"])
    rows = start_runs(begin)
    _wake(now, min((row.due_at for row in rows), default=None))


def _taken(runs: Iterable[Run]) -> Mapping[tuple[UUID, str], str]:
    """Which steps these enrolments have had, and which way they took there."""
    owners = [run.row.enrolment_id for run in runs]
    if not owners:
        return {}
    rows = StepRun.objects.filter(enrolment__in=owners).values_list("enrolment_id", "step_key", "result")
    return {(owner, key): result.get("way", "") for owner, key, result in rows}
