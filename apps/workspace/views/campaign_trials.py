"""Campaigns tried on past responses: the list, starting one, and what it came to."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.campaigns import trials as engine
from apps.campaigns.criteria import Criteria
from apps.campaigns.models import Campaign, CampaignTrial
from apps.campaigns.names import FIELDS, Names
from apps.campaigns.picture import draw, flat
from apps.campaigns.sequence import SequenceError
from apps.campaigns.wording import reason_in_words
from apps.workspace import campaign_steps
from apps.workspace import lists as rows
from apps.workspace import lists_campaigns as lists
from apps.workspace.campaign_forms import CriteriaForm, TrialForm
from apps.workspace.paging import page_by_id
from apps.workspace.views.campaigns import campaign_or_404, may_see
from apps.workspace.views.case_acts import user_of
from apps.workspace.views.launches import REFUSED

UNFINISHED = frozenset({CampaignTrial.Status.WAITING, CampaignTrial.Status.RUNNING})
PATIENCE = timedelta(seconds=30)


@may_see
@require_http_methods(["GET", "HEAD", "POST"])
def trials(request: HttpRequest, pk: int) -> HttpResponse:
    """What was tried, newest first; POST tries. By hand: for the responses that the address asks for."""
    row = campaign_or_404(pk)
    form = TrialForm(request.POST or None, campaign=row, versions=lists.versions(row))
    asked = _asked(request, row)
    criteria = asked.criteria() if asked else None
    if asked and form.is_bound and not asked.is_valid():
        form.add_error(None, REFUSED["filters"])
    if request.method == "POST" and form.is_valid():
        days = form.cleaned_data["days"]
        try:
            run = engine.start(
                campaign=row,
                days=days,
                now=timezone.now(),
                version=form.chosen,
                criteria=criteria,
                user=user_of(request),
            )
        except SequenceError:
            form.add_error(None, _("The draft is not right yet. Mend what the editor marks, then try again."))
        else:
            return redirect("workspace:campaign_trial", run.pk)
    found = page_by_id(lists.trials(row), cursor=request.GET.get("cursor", ""))
    context = {"campaign": row, "form": form, "page": found, "is_by_hand": criteria is not None}
    return render(request, "workspace/campaign_trials.html", context, status=422 if form.errors else 200)


def _asked(request: HttpRequest, row: Campaign) -> CriteriaForm | None:
    """Whom a campaign that is started by hand would be started for; None: the responses come by themselves."""
    if row.entry != Campaign.Entry.BY_HAND:
        return None
    return CriteriaForm(request.GET, names=Names.load(), segments=rows.segments())


def _trial(pk: UUID) -> CampaignTrial:
    related = ("campaign__current_version", "version", "created_by")
    return get_object_or_404(CampaignTrial.objects.select_related(*related), pk=pk)


@may_see
@require_safe
def trial(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How far it is, what it came to, or why it failed."""
    run = _trial(pk)
    context: dict[str, Any] = {"run": run, "campaign": run.campaign}
    if run.status in UNFINISHED:
        return render(request, "workspace/campaign_trial_waiting.html", context | _progress(run, timezone.now()))
    if run.status == CampaignTrial.Status.DONE and run.result is not None:
        context |= _result(run, run.result)
    return render(request, "workspace/campaign_trial.html", context)


@may_see
@require_safe
def progress(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How far it is, for a page that waits; 204 once there is nothing to wait for."""
    run = get_object_or_404(CampaignTrial.objects.defer("document", "result"), pk=pk)
    if run.status not in UNFINISHED:
        return HttpResponse(status=204)
    return render(request, "workspace/_campaign_trial_progress.html", {"run": run, **_progress(run, timezone.now())})


@may_see
@require_POST
def again(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Try the same once more: the draft as it is now, or the same version."""
    run = _trial(pk)
    criteria = None if run.criteria is None else Criteria.of(run.criteria)
    try:
        fresh = engine.start(
            campaign=run.campaign, days=run.days, now=timezone.now(), version=run.version, criteria=criteria,
            user=user_of(request),
        )  # fmt: skip
    except SequenceError:
        messages.error(request, _("The draft is not right yet. Mend what the editor marks, then try again."))
        return redirect("workspace:campaign_trial", pk)
    return redirect("workspace:campaign_trial", fresh.pk)


def _progress(run: CampaignTrial, now: datetime) -> dict[str, Any]:
    waits = run.status == CampaignTrial.Status.WAITING
    return {
        "percent": min(100, 100 * run.done // run.total) if run.total and not waits else None,
        "nobody_comes": waits and now - run.created_at > PATIENCE,
        "is_abandoned": not waits and run.lease_until is not None and run.lease_until < now,
    }


def _result(run: CampaignTrial, result: dict[str, Any]) -> dict[str, Any]:
    names = Names.load()
    refused = result["mails"]["refused"]
    return {
        "result": result,
        "nodes": campaign_steps.tried(run.document, names, result["steps"]),
        "refused": [(reason_in_words(code), n) for code, n in sorted(refused.items(), key=lambda item: -item[1])],
        "refused_total": sum(refused.values()),
        "ends": result["ends"],
        "unknown": [str(FIELDS.get(name, name)) for name in result["unknown"]],
        "as_of_now": [names.field(name) for name in result["as_of_now"]],
        "examples": _examples(run, result, names),
    }


def _examples(run: CampaignTrial, result: dict[str, Any], names: Names) -> list[dict[str, Any]]:
    """The responses with their ways in words; those that are gone meanwhile are left out. One query."""
    cards = {card.key: card for card in flat(draw(run.document, names))}
    found = lists.responses([UUID(one["response"]) for one in result["examples"]])
    return [
        {
            "response": found[UUID(one["response"])],
            "path": [(cards.get(key), what, why, datetime.fromisoformat(at)) for key, what, why, at in one["path"]],
        }
        for one in result["examples"]
        if UUID(one["response"]) in found
    ]
