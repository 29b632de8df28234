"""Starting a campaign by hand for responses there are: looked at beforehand, then worked off in batches."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import QuerySet

from apps.campaigns.criteria import Criteria, chosen, enterable
from apps.campaigns.entry import Entrance
from apps.campaigns.models import Campaign, Launch
from apps.campaigns.services import enter
from apps.common import agenda
from apps.common.batches import sentence
from apps.responses.models import Response

logger = logging.getLogger(__name__)

QUEUE = "campaigns.launch"
BATCH = 500
EXAMPLES = 5
EXACT_UP_TO = 5_000
"""So many responses are tested against the campaign's condition for a preview; of more it tells a bound."""
NOBODY = UUID(int=0)


class LaunchError(Exception):
    """A campaign cannot be started now; ``code`` says why: "inactive", "not_published", "running", "nobody"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Preview:
    """What starting would do."""

    found: int
    """Responses that fit what was asked for."""
    entering: int
    """Of these: how many would be enrolled."""
    is_bound: bool
    """Whether ``entering`` is only a bound: the campaign's condition was not tested on all of them."""
    examples: list[Response]


def preview(*, campaign: Campaign, criteria: Criteria, now: datetime) -> Preview:
    """Who would be enrolled, counted exactly unless there are very many and the campaign has a condition."""
    found = chosen(criteria, until=now)
    able = enterable(found, campaign, now=now)
    total, entering = found.order_by().count(), able.order_by().count()
    newest = able.order_by("-answered_at", "-pk")
    if not campaign.condition:
        return Preview(total, entering, False, list(_read(newest)[:EXAMPLES]))
    if entering > EXACT_UP_TO:
        some = _fitting(campaign, list(_read(newest)[:BATCH]), now)
        return Preview(total, entering, True, some[:EXAMPLES])
    fitting = [row for batch in _batches(able) for row in _fitting(campaign, batch, now)]
    fitting.sort(key=lambda row: (row.answered_at, row.pk), reverse=True)
    return Preview(total, len(fitting), False, fitting[:EXAMPLES])


def _read(found: QuerySet[Response]) -> QuerySet[Response]:
    return found.select_related("contact__company", "touchpoint", "survey")


def _batches(found: QuerySet[Response], after: UUID = NOBODY) -> Iterator[list[Response]]:
    while True:
        rows = list(_read(found.filter(pk__gt=after)).order_by("pk")[:BATCH])
        if not rows:
            return
        yield rows
        after = rows[-1].pk


def _fitting(campaign: Campaign, rows: Sequence[Response], now: datetime) -> list[Response]:
    """Those of the responses that the campaign takes, its condition included."""
    entrance = Entrance([campaign], rows, now)
    return [row for row in rows if entrance.fits(campaign, row)]


@transaction.atomic
def start(*, campaign_id: int, criteria: Criteria, now: datetime, by: Any = None) -> Launch:
    """Begin to enrol whom the criteria choose, of the responses answered until now. Raises LaunchError."""
    campaign = Campaign.objects.select_related("current_version", "contact_segment").get(pk=campaign_id)
    if campaign.current_version is None:
        raise LaunchError("not_published")
    if not campaign.is_active:
        raise LaunchError("inactive")
    total = enterable(chosen(criteria, until=now), campaign, now=now).order_by().count()
    if not total:
        raise LaunchError("nobody")
    try:
        with transaction.atomic():
            launch = Launch.objects.create(
                campaign=campaign,
                version=campaign.current_version,
                criteria=criteria.as_json(),
                until=now,
                total=total,
                by=by if by is not None and by.pk else None,
                created_at=now,
            )
    except IntegrityError:
        raise LaunchError("running") from None
    agenda.wake(queue=QUEUE, due_at=now, now=now)
    return launch


def next_due() -> datetime | None:
    """When the oldest running launch began; None if there is none."""
    rows = Launch.objects.filter(status=Launch.Status.RUNNING).order_by("created_at")
    return rows.values_list("created_at", flat=True).first()


def run_next(*, now: datetime) -> int:
    """Enrol the next batch of the oldest launch; returns how many responses were looked at, 1 when it is at its end.

    Where a batch breaks, the launch stops there and says why; it can be resumed.
    """
    running = Launch.objects.filter(status=Launch.Status.RUNNING).order_by("created_at", "pk")
    for pk in running.values_list("pk", flat=True):
        try:
            handled = _looked_twice(pk, now)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            logger.exception("Launch %s breaks", pk)
            _fail(pk, sentence(error), now)
            return 1
        if handled:
            return handled
    return 0


def _looked_twice(launch_id: UUID, now: datetime) -> int:
    """One batch, tried again where a response or contact in it was erased meanwhile: it is not found any more."""
    try:
        return _batch(launch_id, now)
    except IntegrityError:
        return _batch(launch_id, now)


@transaction.atomic
def _batch(launch_id: UUID, now: datetime) -> int:
    """One batch of a launch; 0 if another worker has it in hand."""
    rows = Launch.objects.filter(pk=launch_id, status=Launch.Status.RUNNING)
    rows = rows.select_related("campaign__contact_segment", "version")
    launch = rows.select_for_update(skip_locked=True, of=("self",)).first()
    if launch is None:
        return 0
    campaign = launch.campaign
    if not campaign.is_active:
        return _end(launch, Launch.Status.CANCELLED, "campaign_inactive", now)
    # Whatever was published meanwhile: all of a launch go through the version that was looked at.
    campaign.current_version = launch.version
    able = enterable(chosen(Criteria.of(launch.criteria), until=launch.until), campaign, now=now)
    batch = next(_batches(able, launch.reached or NOBODY), [])
    if not batch:
        return _end(launch, Launch.Status.DONE, "", now)
    fresh = enter([(row, campaign) for row in _fitting(campaign, batch, now)], now=now, launch_id=launch.pk)
    launch.reached = batch[-1].pk
    launch.seen += len(batch)
    launch.enrolled += len(fresh)
    launch.save(update_fields=["reached", "seen", "enrolled"])
    return len(batch)


def _end(launch: Launch, status: str, error: str, now: datetime) -> int:
    launch.status, launch.error, launch.finished_at = status, error, now
    launch.save(update_fields=["status", "error", "finished_at"])
    return 1


@transaction.atomic
def _fail(launch_id: UUID, error: str, now: datetime) -> None:
    launch = Launch.objects.filter(pk=launch_id, status=Launch.Status.RUNNING).select_for_update().first()
    if launch is not None:
        _end(launch, Launch.Status.FAILED, error, now)


@transaction.atomic
def cancel(*, launch_id: UUID, now: datetime) -> bool:
    """Enrol nobody more; who is enrolled goes on. False if it was over already. Waits for the batch in hand."""
    launch = Launch.objects.select_for_update().filter(pk=launch_id, status=Launch.Status.RUNNING).first()
    if launch is None:
        return False
    _end(launch, Launch.Status.CANCELLED, "", now)
    return True


@transaction.atomic
def resume(*, launch_id: UUID, now: datetime) -> bool:
    """Go on with one that failed or was cancelled, where it stopped. Raises LaunchError."""
    stopped = [Launch.Status.FAILED, Launch.Status.CANCELLED]
    rows = Launch.objects.filter(pk=launch_id, status__in=stopped, campaign__is_active=True)
    try:
        with transaction.atomic():
            count = rows.update(status=Launch.Status.RUNNING, error="", finished_at=None)
    except IntegrityError:
        raise LaunchError("running") from None
    if count:
        agenda.wake(queue=QUEUE, due_at=now, now=now)
    return bool(count)
