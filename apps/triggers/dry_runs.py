"""Dry runs as a queue: started by a page, worked off by a worker, watched through their row."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Min, Q

from apps.common import agenda
from apps.common.batches import sentence
from apps.contacts import ledger
from apps.contacts.models import ContactBudget
from apps.triggers import versions
from apps.triggers.models import DryRun, Segment, TriggerRule
from apps.triggers.past import Stretch
from apps.triggers.rules import Rule, Snapshot, rule_from
from apps.triggers.simulation import Simulation, touchpoints_of

QUEUE = "triggers.dry_run"
LEASE = timedelta(minutes=3)
MAX_BACK = 366
MAX_ATTEMPTS = 3


def start(
    *,
    title: str,
    days: int,
    now: datetime,
    draft: Snapshot | None = None,
    replaces: int | None = None,
    budget: dict[str, Any] | None = None,
    user: Any = None,
) -> DryRun:
    """Queue a trial of a draft rule (in place of the saved one it ``replaces``) or of a changed budget.

    ``budget``: values of ContactBudget's fields; None tries with the present one.
    """
    run = DryRun.objects.create(
        title=title[:200],
        days=min(max(days, 1), MAX_BACK),
        draft=draft,
        rule_id_replaced=replaces,
        budget=budget,
        created_by=user if user is not None and user.pk else None,
        created_at=now,
    )
    agenda.wake(queue=QUEUE, due_at=now, now=now)
    return run


def next_due() -> datetime | None:
    """When the oldest waiting (or abandoned) run may start; None if there is none."""
    found = DryRun.objects.filter(status__in=[DryRun.Status.WAITING, DryRun.Status.RUNNING]).aggregate(
        waiting=Min("created_at", filter=Q(status=DryRun.Status.WAITING)),
        abandoned=Min("lease_until", filter=Q(status=DryRun.Status.RUNNING)),
    )
    return min((at for at in found.values() if at is not None), default=None)


def run_next(*, now: datetime, clock: Callable[[], datetime]) -> int:
    """Take the oldest waiting run and carry it out; returns 1 if there was one. A run that fails says why.

    ``clock`` is read while it runs, to keep its lease.
    """
    run = _claim(now)
    if run is None:
        return 0
    if run.status == DryRun.Status.FAILED:
        return 1
    try:
        run.result = _simulate(run, clock)
    except Exception as error:
        run.status, run.error = DryRun.Status.FAILED, sentence(error)
        run.finished_at = clock()
        run.save(update_fields=["status", "error", "finished_at"])
        raise
    run.status, run.finished_at = DryRun.Status.DONE, clock()
    run.save(update_fields=["status", "result", "finished_at"])
    return 1


@transaction.atomic
def _claim(now: datetime) -> DryRun | None:
    free = Q(status=DryRun.Status.WAITING) | Q(status=DryRun.Status.RUNNING, lease_until__lt=now)
    run = DryRun.objects.filter(free).order_by("created_at").select_for_update(skip_locked=True).first()
    if run is not None:
        run.status, run.lease_until, run.events_done = DryRun.Status.RUNNING, now + LEASE, 0
        run.attempts += 1
        if run.attempts > MAX_ATTEMPTS:
            run.status, run.error, run.finished_at = DryRun.Status.FAILED, "the workers that tried it ended", now
        run.save(update_fields=["status", "lease_until", "events_done", "attempts", "error", "finished_at"])
    return run


def _simulate(run: DryRun, clock: Callable[[], datetime]) -> dict[str, Any]:
    rules, subject = _rules(run)
    policy = ledger.policy_of(ContactBudget(**run.budget)) if run.budget else ledger.current_policy()
    stretch = Stretch(run.created_at - timedelta(days=run.days), run.created_at, touchpoints_of(rules))
    simulation = Simulation(rules=rules, policy=policy, home=ledger.home_calendar(), stretch=stretch, subject=subject)

    def progress(done: int, total: int) -> None:
        lease = clock() + LEASE
        DryRun.objects.filter(pk=run.pk).update(events_done=done, events_total=total, lease_until=lease)

    return simulation.run(progress)


def _rules(run: DryRun) -> tuple[list[Rule], str]:
    """All active rules, with the draft in its place; and what the draft is counted under."""
    saved = TriggerRule.objects.filter(is_active=True).exclude(pk=run.rule_id_replaced or 0)
    segments = {segment.key: segment for segment in Segment.objects.all()}
    loaded = [
        versions.ready(versions.snapshot(rule, segments=segments), rule_id=rule.pk)
        for rule in saved.select_related("survey").prefetch_related("touchpoints", "revoked_by")
    ]
    if run.draft is None:
        return loaded, ""
    draft = rule_from({**run.draft, "is_active": True}, rule_id=run.rule_id_replaced)
    return [*loaded, draft], draft.origin
