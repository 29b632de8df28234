"""Publishing what was drafted: running enrolments keep the version they began with, unless they are moved."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.campaigns.models import Campaign, CampaignVersion, Enrolment, StepRun
from apps.campaigns.sequence import Options, Problem, Sequence, SequenceError, dead_ends, parse
from apps.campaigns.services import RUN_QUEUE, start_runs
from apps.common import agenda

MAX_MOVED = 10_000


class UnknownStepError(ValueError):
    """A contact cannot go on at a step that the version does not have."""


def problems(*, document: object, stops_on_response: bool) -> list[Problem]:
    """All that is wrong with a document, whether it cannot be read or makes no sense."""
    try:
        sequence = parse(document)
    except SequenceError as error:
        return error.problems
    return dead_ends(sequence, Options(stops_on_response=stops_on_response))


@transaction.atomic
def publish(*, campaign_id: int, now: datetime, by: Any = None) -> CampaignVersion:
    """Make the draft what new enrolments run through. A draft that says what runs already makes no new version.

    Raises Campaign.DoesNotExist, or SequenceError that names all that is wrong.
    """
    campaign = Campaign.objects.select_for_update(of=("self",)).select_related("current_version").get(pk=campaign_id)
    found = problems(document=campaign.draft, stops_on_response=campaign.stop_on_response)
    if found:
        raise SequenceError(found)
    document = dict(parse(campaign.draft).document)
    current = campaign.current_version
    if current is not None and current.document == document:
        return current
    last = campaign.versions.order_by("-number").values_list("number", flat=True).first() or 0
    version = CampaignVersion.objects.create(
        campaign=campaign,
        number=last + 1,
        document=document,
        published_at=now,
        published_by=by if by is not None and by.pk else None,
    )
    campaign.current_version, campaign.draft = version, document
    campaign.save(update_fields=["current_version", "draft"])
    return version


@transaction.atomic
def move(
    *, source: CampaignVersion, target: CampaignVersion, places: Mapping[str, str | None], now: datetime,
    limit: int = MAX_MOVED,
) -> int:  # fmt: skip
    """Move running enrolments to another version of their campaign; returns how many, at most ``limit`` at once.

    Who waits at a step that the target has goes on waiting there, until the same time. ``places`` says for other steps
    where to go on (None: the enrolment ends). Steps that were taken are not taken again. Raises UnknownStepError.
    """
    sequence = parse(target.document)
    unknown = [key for key in places.values() if key is not None and key not in sequence.steps]
    if unknown or source.campaign_id != target.campaign_id:
        raise UnknownStepError(", ".join(unknown) or "another campaign")
    rows = list(
        StepRun.objects.filter(status=StepRun.Status.PENDING, enrolment__version=source)
        .select_related("enrolment")
        .order_by("enrolment_id")
        .select_for_update(of=("self",))[:limit]
    )
    missing = sorted({row.step_key for row in rows} - set(sequence.steps) - set(places))
    if missing:
        raise UnknownStepError(", ".join(missing))
    elsewhere = [row for row in rows if row.step_key not in sequence.steps]
    Enrolment.objects.filter(pk__in=[row.enrolment_id for row in rows]).update(version=target)
    _go_on(elsewhere, places, sequence, now)
    if rows:
        agenda.wake(queue=RUN_QUEUE, due_at=now, now=now)
    return len(rows)


def _go_on(rows: Iterable[StepRun], places: Mapping[str, str | None], sequence: Sequence, now: datetime) -> None:
    """Take away the pending step, which is gone, and begin the one that stands for it."""
    begin: list[tuple[Enrolment, str, int]] = []
    ended: list[UUID] = []
    taken = _taken([row.enrolment_id for row in rows])
    for row in rows:
        key = places[row.step_key]
        while key is not None and (row.enrolment_id, key) in taken:
            key = sequence.steps[key].following(is_yes=taken[row.enrolment_id, key] == "yes")
        if key is None:
            ended.append(row.enrolment_id)
        else:
            begin.append((row.enrolment, key, row.position))
    StepRun.objects.filter(pk__in=[row.pk for row in rows]).delete()
    Enrolment.objects.filter(pk__in=ended).update(state=Enrolment.State.DONE, ended_at=now, end_reason="moved")
    start_runs([(enrolment, sequence.steps[key], position, now) for enrolment, key, position in begin])


def _taken(enrolment_ids: list[UUID]) -> dict[tuple[UUID, str], str]:
    rows = StepRun.objects.filter(enrolment__in=enrolment_ids).exclude(status=StepRun.Status.PENDING)
    return {(owner, key): result.get("way", "") for owner, key, result in rows.values_list(
        "enrolment_id", "step_key", "result"
    )}  # fmt: skip
