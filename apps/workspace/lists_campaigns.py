"""The rows behind the pages about campaigns, with everything a row shows loaded along."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from apps.campaigns.models import Campaign, CampaignTrial, CampaignVersion, Enrolment, Launch, StepRun
from apps.responses.models import Response
from apps.workspace.campaign_forms import ACTIVE, DRAFT, OFF
from apps.workspace.lists import about_contact

FAILED = 5
LAUNCHES = 5


def campaigns(values: Mapping[str, Any]) -> QuerySet[Campaign]:
    """Campaigns that fit a CampaignFilter; without their steps."""
    found = Campaign.objects.select_related("touchpoint", "survey", "current_version", "contact_segment")
    found = found.defer("draft", "current_version__document")
    if values["q"]:
        found = found.filter(name__icontains=values["q"])
    if values["segment"]:
        found = found.filter(segment=values["segment"])
    match values["state"]:
        case state if state == DRAFT:
            found = found.filter(current_version=None)
        case state if state in (ACTIVE, OFF):
            found = found.filter(is_active=state == ACTIVE, current_version__isnull=False)
    return found


def campaign(pk: int) -> Campaign:
    """One campaign with what its page tells. Raises Campaign.DoesNotExist."""
    related = ("touchpoint", "survey", "current_version", "contact_segment", "goal_touchpoint")
    return Campaign.objects.select_related(*related).get(pk=pk)


def versions(of: Campaign) -> list[CampaignVersion]:
    """All versions, the newest first, without their steps."""
    return list(CampaignVersion.objects.filter(campaign=of).defer("document").order_by("-number"))


def enrolments(of: Campaign, values: Mapping[str, Any]) -> QuerySet[Enrolment]:
    """Enrolments of a campaign that fit an EnrolmentFilter."""
    found = _told(Enrolment.objects.filter(campaign=of))
    if values["q"]:
        found = found.filter(about_contact(values["q"]))
    if values["step"]:
        at = [StepRun.Status.PENDING, StepRun.Status.FAILED]
        here = StepRun.objects.filter(enrolment=OuterRef("pk"), step_key=values["step"], status__in=at)
        found = found.filter(Exists(here))
    return found.filter(**{name: values[name] for name in ("state", "arm", "version", "launch") if values[name]})


def _told(found: QuerySet[Enrolment]) -> QuerySet[Enrolment]:
    unread = ("version__document", "response__properties", "response__suspicions", "contact__properties")
    return found.select_related("contact", "response", "version").defer(*unread)


def failed(of: Campaign) -> list[Enrolment]:
    """The newest enrolments that stand still because a step failed, each with ``broken``: the step. Two queries."""
    rows = list(_told(Enrolment.objects.filter(campaign=of, state=Enrolment.State.FAILED)).order_by("-pk")[:FAILED])
    runs = StepRun.objects.filter(enrolment__in=rows, status=StepRun.Status.FAILED) if rows else []
    broken = {run.enrolment_id: run for run in runs}
    for row in rows:
        row.broken = broken.get(row.pk)  # type: ignore[attr-defined]
    return rows


def with_places(rows: list[Enrolment]) -> list[Enrolment]:
    """Each with ``place``: the step it waits at or failed at, None if it is over. One query."""
    at = [StepRun.Status.PENDING, StepRun.Status.FAILED]
    runs = StepRun.objects.filter(enrolment__in=[row.pk for row in rows], status__in=at)
    places = {run.enrolment_id: run for run in runs}
    for row in rows:
        row.place = places.get(row.pk)  # type: ignore[attr-defined]
    return rows


def enrolment(pk: UUID) -> Enrolment:
    """One enrolment with all that its page tells. Raises Enrolment.DoesNotExist."""
    related = ("campaign", "version", "contact__company", "response__touchpoint", "response__survey", "launch__by")
    return Enrolment.objects.select_related(*related).get(pk=pk)


def runs(of: Enrolment) -> list[StepRun]:
    """The steps it came to, in order."""
    return list(of.runs.select_related("email").order_by("position", "pk"))


def launches(of: Campaign) -> list[Launch]:
    """The newest starts by hand."""
    return list(of.launches.select_related("by").order_by("-created_at")[:LAUNCHES])


def trials(of: Campaign) -> QuerySet[CampaignTrial]:
    """A campaign's trials without what they came to, but for how many would have entered."""
    found = CampaignTrial.objects.filter(campaign=of).select_related("version", "created_by")
    return found.defer("document", "result", "version__document")


def responses(ids: list[UUID]) -> dict[UUID, Response]:
    """Responses by id, for examples: with contact and touchpoint. One query."""
    found = Response.objects.filter(pk__in=ids).select_related("contact", "touchpoint")
    return {row.pk: row for row in found.defer("contact__properties", "properties", "suspicions")}
