"""Enrolments: who is in a campaign, one of them step by step, and stopping or trying again."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from apps.campaigns import services
from apps.campaigns.models import Enrolment, StepRun
from apps.campaigns.names import Names
from apps.campaigns.picture import draw, flat
from apps.responses.selectors import is_anonymous
from apps.workspace import campaign_steps
from apps.workspace import lists_campaigns as lists
from apps.workspace.campaign_forms import EnrolmentFilter
from apps.workspace.paging import page_by_id
from apps.workspace.views.campaigns import campaign_or_404, may_change, may_see

AT_ONCE = 1000
"""So many failed enrolments are tried again by one click; the next click takes the next ones."""


@may_see
@require_safe
def enrolments(request: HttpRequest, pk: int) -> HttpResponse:
    """Everybody in a campaign, newest first, filtered; those that failed stand on top."""
    row = campaign_or_404(pk)
    names, document = Names.load(), row.current_version.document if row.current_version else row.draft
    steps = campaign_steps.steps_to_choose(document, names)
    form = EnrolmentFilter(request.GET, steps=steps, versions=lists.versions(row))
    found = page_by_id(lists.enrolments(row, form.values()), cursor=request.GET.get("cursor", ""))
    context = {
        "campaign": row,
        "filter": form,
        "page": found,
        "rows": lists.with_places(found.rows),
        "failed": lists.failed(row) if not form.is_used and found.is_first else [],
        "titles": {card.key: f"{card.number}. {card.label}" for card in flat(draw(document, names))},
    }
    return render(request, "workspace/enrolments.html", context)


def _enrolment(pk: UUID) -> Enrolment:
    try:
        return lists.enrolment(pk)
    except Enrolment.DoesNotExist as error:
        raise Http404 from error


@may_see
@require_safe
def enrolment(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One contact's way through a campaign: each step, what became of it, and why."""
    row = _enrolment(pk)
    cards = {card.key: card for card in flat(draw(row.version.document, Names.load()))}
    runs = lists.runs(row)
    context: dict[str, Any] = {
        "enrolment": row,
        "campaign": row.campaign,
        "is_anonymous": is_anonymous(row.response),
        "runs": [(run, cards.get(run.step_key)) for run in runs],
        "place": next((run for run in runs if run.status in (StepRun.Status.PENDING, StepRun.Status.FAILED)), None),
    }
    return render(request, "workspace/enrolment.html", context)


@may_change
@require_POST
def stop(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End it before its next step."""
    row = _enrolment(pk)
    if services.stop(enrolment_ids=[row.pk], reason="by_hand", now=timezone.now()):
        messages.success(request, _("Stopped. What was sent before stays sent."))
    else:
        messages.info(request, _("It was over already."))
    return redirect("workspace:enrolment", pk)


@may_change
@require_POST
def retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Try the step again that failed."""
    row = _enrolment(pk)
    if services.retry(enrolment_ids=[row.pk], now=timezone.now()):
        messages.success(request, _("It is being tried again. Reload the page in a moment to see what came of it."))
    else:
        messages.info(request, _("No step of it has failed."))
    return redirect("workspace:enrolment", pk)


@may_change
@require_POST
def retry_failed(request: HttpRequest, pk: int) -> HttpResponse:
    """Try all steps of a campaign again that failed."""
    row = campaign_or_404(pk)
    rows = Enrolment.objects.filter(campaign=row, state=Enrolment.State.FAILED).order_by("pk")
    count = services.retry(enrolment_ids=list(rows.values_list("pk", flat=True)[:AT_ONCE]), now=timezone.now())
    text = ngettext("%(n)d is being tried again.", "%(n)d are being tried again.", count)
    messages.success(request, text % {"n": count})
    return redirect("workspace:enrolments", pk)
