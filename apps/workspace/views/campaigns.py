"""Campaigns: the list, and one of them with what came of each step and whether it helped."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.campaigns import figures, sentences
from apps.campaigns.models import Campaign, CampaignVersion
from apps.campaigns.names import Names
from apps.workspace import campaign_steps
from apps.workspace import lists_campaigns as lists
from apps.workspace.campaign_forms import CampaignFilter
from apps.workspace.paging import page

VIEW, CHANGE = "campaigns.view_campaign", "campaigns.change_campaign"
View = Callable[..., HttpResponse]


def may_see(view: View) -> View:
    """For those who may see campaigns; never kept by a browser."""
    checked: View = login_required(permission_required(VIEW, raise_exception=True)(never_cache(view)))
    return wraps(view)(checked)


def may_change(view: View) -> View:
    """For those who may change campaigns: starting and stopping them writes to contacts."""
    checked: View = login_required(permission_required(CHANGE, raise_exception=True)(never_cache(view)))
    return wraps(view)(checked)


def campaign_or_404(pk: int) -> Campaign:
    """The campaign, or a page that says that there is none."""
    try:
        return lists.campaign(pk)
    except Campaign.DoesNotExist as error:
        raise Http404 from error


@may_see
@require_safe
def campaigns(request: HttpRequest) -> HttpResponse:
    """The newest first, filtered, each with how many run, are done, and reached the goal."""
    form = CampaignFilter(request.GET)
    cursor = request.GET.get("cursor", "")
    found = page(lists.campaigns(form.values()), field="id", cursor=cursor, is_number=True)
    states = figures.states(campaigns=found.rows) if found.rows else {}
    conversions = figures.conversions(campaigns=found.rows, now=timezone.now())
    rows: list[Any] = [(row, states.get(row.pk, {}), conversions.get(row.pk)) for row in found.rows]
    return render(request, "workspace/campaigns.html", {"filter": form, "page": found, "rows": rows})


@may_see
@require_safe
def campaign(request: HttpRequest, pk: int) -> HttpResponse:
    """What it does, how far contacts are, and what came of it: of all versions, or of one."""
    row = campaign_or_404(pk)
    versions = lists.versions(row)
    version = _chosen(request, versions)
    now, names = timezone.now(), Names.load()
    document = version.document if version else row.current_version.document if row.current_version else row.draft
    version_id = version.pk if version else None
    found = figures.steps(campaign=row, version_id=version_id, now=now)
    context: dict[str, Any] = {
        "campaign": row,
        "versions": versions,
        "version": version,
        "entry": sentences.entry(row, names),
        "goal": sentences.goal(row),
        "totals": figures.totals(campaign=row, version_id=version_id, now=now),
        "effect": figures.effect(campaign=row, version_id=version_id, now=now),
        "minimum": figures.MINIMUM,
        "nodes": campaign_steps.live(document, names, found),
        "gone": campaign_steps.gone(document, names, found),
        "failed": lists.failed(row),
        "launches": lists.launches(row),
    }
    return render(request, "workspace/campaign.html", context)


def _chosen(request: HttpRequest, versions: list[CampaignVersion]) -> CampaignVersion | None:
    """The version in the address; None: all of them."""
    wanted = request.GET.get("version", "")
    return next((version for version in versions if str(version.number) == wanted), None)
