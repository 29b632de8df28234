"""Campaigns tried on past responses, as a queue: started by a page, worked off by a worker, watched through its row."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Min, Q, QuerySet

from apps.campaigns.criteria import Criteria, chosen, enterable, known
from apps.campaigns.entry import Entrance, is_left_out
from apps.campaigns.hindsight import CHUNK, Past, blocked_addresses, in_order
from apps.campaigns.models import Campaign, CampaignTrial, CampaignVersion
from apps.campaigns.sequence import Kind, Sequence, parse
from apps.campaigns.services import open_campaigns
from apps.campaigns.trying import AS_OF_NOW, UNKNOWN, Pool, Walk, World
from apps.common import agenda
from apps.common.batches import sentence
from apps.contacts import ledger
from apps.incentives.models import VoucherPool
from apps.incentives.services import why_none
from apps.incentives.stock import left_in
from apps.integrations import webhooks
from apps.integrations.models import EventType
from apps.responses.models import Response
from apps.surveys.models import Survey

QUEUE = "campaigns.trial"
LEASE = timedelta(minutes=3)
MAX_BACK = 366
MAX_ATTEMPTS = 3
EXAMPLES = 20
PER_WAY = 2
"""So many examples are kept of one way, so that others are seen, too."""
MOST_COUNTED = 1_000_000


def start(
    *, campaign: Campaign, days: int, now: datetime, version: CampaignVersion | None = None,
    criteria: Criteria | None = None, user: Any = None,
) -> CampaignTrial:  # fmt: skip
    """Queue a trial of the draft or of a version; with ``criteria`` as if it were started by hand for these responses.

    Raises SequenceError if the draft cannot be read.
    """
    document = dict(parse(version.document if version else campaign.draft).document)
    run = CampaignTrial.objects.create(
        campaign=campaign,
        version=version,
        document=document,
        days=min(max(days, 1), MAX_BACK),
        criteria=criteria.as_json() if criteria is not None else None,
        created_by=user if user is not None and user.pk else None,
        created_at=now,
    )
    agenda.wake(queue=QUEUE, due_at=now, now=now)
    return run


def next_due() -> datetime | None:
    """When the oldest waiting (or abandoned) trial may start; None if there is none."""
    found = CampaignTrial.objects.filter(Q(status="waiting") | Q(status="running")).aggregate(
        waiting=Min("created_at", filter=Q(status=CampaignTrial.Status.WAITING)),
        abandoned=Min("lease_until", filter=Q(status=CampaignTrial.Status.RUNNING)),
    )
    return min((at for at in found.values() if at is not None), default=None)


def run_next(*, now: datetime, clock: Callable[[], datetime]) -> int:
    """Take the oldest waiting trial and carry it out; returns 1 if there was one. One that fails says why.

    ``clock`` is read while it runs, to keep its lease.
    """
    run = _claim(now)
    if run is None:
        return 0
    if run.status == CampaignTrial.Status.FAILED:
        return 1
    try:
        run.result = _try(run, clock)
    except Exception as error:
        run.status, run.error, run.finished_at = CampaignTrial.Status.FAILED, sentence(error), clock()
        run.save(update_fields=["status", "error", "finished_at"])
        raise
    run.status, run.finished_at = CampaignTrial.Status.DONE, clock()
    run.save(update_fields=["status", "result", "finished_at"])
    return 1


@transaction.atomic
def _claim(now: datetime) -> CampaignTrial | None:
    free = Q(status=CampaignTrial.Status.WAITING) | Q(status=CampaignTrial.Status.RUNNING, lease_until__lt=now)
    run = CampaignTrial.objects.filter(free).order_by("created_at").select_for_update(skip_locked=True).first()
    if run is not None:
        run.status, run.lease_until, run.done = CampaignTrial.Status.RUNNING, now + LEASE, 0
        run.attempts += 1
        if run.attempts > MAX_ATTEMPTS:
            run.status, run.error, run.finished_at = CampaignTrial.Status.FAILED, "the workers that tried it ended", now
        run.save(update_fields=["status", "lease_until", "done", "attempts", "error", "finished_at"])
    return run


def _try(run: CampaignTrial, clock: Callable[[], datetime]) -> dict[str, Any]:
    campaign = Campaign.objects.select_related("contact_segment").get(pk=run.campaign_id)

    def progress(done: int, total: int) -> None:
        CampaignTrial.objects.filter(pk=run.pk).update(done=done, total=total, lease_until=clock() + LEASE)

    return _Trial(_world(campaign, parse(run.document), run), run).go(progress)


def _world(campaign: Campaign, sequence: Sequence, run: CampaignTrial) -> World:
    return World(
        campaign=campaign,
        sequence=sequence,
        now=run.created_at,
        policy=ledger.current_policy(),
        home=ledger.home_calendar(),
        pools=_pools(sequence, run.created_at),
        surveys=frozenset(Survey.objects.filter(is_active=True).values_list("pk", flat=True)),
        is_listened_to={
            Kind.WEBHOOK: webhooks.is_wanted(event_type=EventType.CAMPAIGN_STEP),
            Kind.TASK: webhooks.is_wanted(event_type=EventType.CAMPAIGN_TASK),
        },
        starts_now=run.criteria is not None,
    )


def _pools(sequence: Sequence, now: datetime) -> dict[int, Pool]:
    wanted = {step.settings["pool"] for step in sequence if step.kind == Kind.VOUCHER}
    return {
        pool.pk: Pool(pool.name, left_in(pool, now=now, up_to=MOST_COUNTED), why_none(pool_id=pool.pk, now=now))
        for pool in VoucherPool.objects.filter(pk__in=wanted)
    }


@dataclass(slots=True)
class _Trial:
    """What is counted while responses stream by."""

    world: World
    run: CampaignTrial
    looked_at: int = 0
    entered: int = 0
    left_out: int = 0
    others: Counter[int] = field(default_factory=Counter)
    """Campaigns of a higher rank → how many responses they take that would fit this one."""
    ways: Counter[tuple[tuple[str, str, str], ...]] = field(default_factory=Counter)
    examples: list[dict[str, Any]] = field(default_factory=list)
    campaigns: list[Campaign] = field(default_factory=list)

    def go(self, progress: Callable[[int, int], None], size: int = CHUNK) -> dict[str, Any]:
        """Go through all responses; returns the result as JSON."""
        found = self._responses()
        total = found.order_by().count()
        progress(0, total)
        own = self.world.campaign
        rivals = open_campaigns().filter(entry=Campaign.Entry.RESPONSE).exclude(pk=own.pk)
        self.campaigns = [own] if self.world.starts_now else [own, *rivals]
        blocked = blocked_addresses()
        # Only what conditions ask for, and approaches only where the budget is asked.
        fields = self.world.sequence.fields
        budget = any(s.kind == Kind.ASK or s.settings.get("within_budget") for s in self.world.sequence)
        for rows in in_order(found, size):
            entering = self._entering(rows)
            if entering:
                past = Past(blocked)
                past.read(entering, fields, self.run.created_at, budget=budget)
                self._walk(entering, past)
            self.looked_at += len(rows)
            progress(self.looked_at, max(total, self.looked_at))
        return self._result()

    def _responses(self) -> QuerySet[Response]:
        """By hand what the criteria choose and the campaign is for, else all that would have been looked at then."""
        run, until = self.run, self.run.created_at
        if run.criteria is not None:
            return enterable(chosen(Criteria.of(run.criteria), until=until), self.world.campaign, now=until)
        found = Response.objects.filter(answered_at__gte=until - timedelta(days=run.days), answered_at__lt=until)
        found = found.filter(is_suspected=False).exclude(channel=Response.Channel.IMPORT)
        return known(found)

    def _entering(self, rows: list[Response]) -> list[Response]:
        """Those that enter this campaign and no other one, without those left out for comparison."""
        own = self.world.campaign
        entrance = Entrance(self.campaigns, rows, self.run.created_at)
        found = []
        for row in rows:
            if not entrance.fits(own, row):
                continue
            first = entrance.campaign_for(row)
            if first is not None and first.pk != own.pk:
                self.others[first.pk] += 1
                continue
            self.entered += 1
            if is_left_out(own, row.contact_id):
                self.left_out += 1
            else:
                found.append(row)
        return found

    def _walk(self, rows: Iterable[Response], past: Past) -> None:
        for row in rows:
            walk = Walk(self.world, past, row, self.run.created_at if self.world.starts_now else row.answered_at)
            walk.go()
            way = tuple((key, what, why) for key, what, why, _at in walk.path)
            if len(self.examples) < EXAMPLES and self.ways[way] < PER_WAY:
                self.ways[way] += 1
                path = [[key, what, why, at.isoformat()] for key, what, why, at in walk.path]
                self.examples.append({"response": str(row.pk), "path": path})

    def _result(self) -> dict[str, Any]:
        world = self.world
        names = {campaign.pk: campaign.name for campaign in self.campaigns}
        return {
            "looked_at": self.looked_at,
            "entered": self.entered,
            "left_out": self.left_out,
            "others": [[pk, names[pk], count] for pk, count in self.others.most_common()],
            "steps": {key: tally.as_json() for key, tally in world.steps.items()},
            "ends": dict(world.ends),
            "mails": _mails(world),
            "pools": [
                {"pool": pk, "name": pool.name, "wanted": pool.wanted, "given": pool.given, "left": pool.left}
                for pk, pool in world.pools.items()
            ],
            "cases": {"opened": world.cases_opened, "there": world.cases_there},
            "unknown": sorted(world.sequence.fields & UNKNOWN),
            "as_of_now": sorted(f for f in world.sequence.fields if f.partition(".")[0] in AS_OF_NOW),
            "examples": self.examples,
        }


def _mails(world: World) -> dict[str, Any]:
    """All steps that write to contacts together: how many go, are refused and why, and meet the contact budget."""
    sent, over_budget, refused = 0, 0, defaultdict[str, int](int)
    for key, tally in world.steps.items():
        if world.sequence.steps[key].kind not in (Kind.EMAIL, Kind.ASK, Kind.OPT_IN):
            continue
        sent += tally.done
        over_budget += tally.over_budget
        for reason, count in _refusals(tally.skipped).items():
            refused[reason] += count
    return {"sent": sent, "over_budget": over_budget, "refused": dict(refused)}


def _refusals(skipped: Mapping[str, int]) -> dict[str, int]:
    """Why a mail was not written; what ended the whole way is none of it."""
    ends = {"new_response", "unsubscribed", "case_open_long"}
    return {reason: count for reason, count in skipped.items() if reason not in ends}
