"""Starting a campaign by hand: choosing responses, looking at what would happen, and watching it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.campaigns import launches as engine
from apps.campaigns import sentences
from apps.campaigns.launches import LaunchError
from apps.campaigns.models import Campaign, Launch
from apps.campaigns.names import Names
from apps.workspace import lists
from apps.workspace.campaign_forms import CriteriaForm
from apps.workspace.views.campaigns import campaign_or_404, may_change, may_see
from apps.workspace.views.case_acts import user_of

REFUSED = {
    "not_published": gettext_lazy("The campaign was never published. Publish it in the configuration first."),
    "inactive": gettext_lazy("The campaign is switched off. Switch it on in the configuration first."),
    "running": gettext_lazy("The campaign is being started already. Wait until that is done, or cancel it."),
    "nobody": gettext_lazy("Nobody would be enrolled. Choose other responses."),
    # What is passed over would mean everybody.
    "filters": gettext_lazy("One of the filters means nothing any more. Choose again."),
}


@may_change
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose responses and see how many these are; POST starts for exactly what the address asks for."""
    row = campaign_or_404(pk)
    names = Names.load()
    form = CriteriaForm(request.GET, names=names, segments=lists.segments())
    refusal = ""
    if request.method == "POST" and not form.is_valid():
        refusal = str(REFUSED["filters"])
    elif request.method == "POST":
        now = timezone.now()
        found = engine.preview(campaign=row, criteria=form.criteria(), now=now)
        # More (or less) than was looked at: look again first.
        if request.POST.get("count") == str(found.entering):
            try:
                launch = engine.start(campaign_id=row.pk, criteria=form.criteria(), now=now, by=user_of(request))
            except LaunchError as error:
                refusal = str(REFUSED[error.code])
            else:
                return redirect("workspace:launch", launch.pk)
        else:
            refusal = _("Meanwhile there are others. Look at the figures again, then start.")
    return _page(request, row, form, names, refusal)


def _page(request: HttpRequest, row: Campaign, form: CriteriaForm, names: Names, refusal: str) -> HttpResponse:
    running = Launch.objects.filter(campaign=row, status=Launch.Status.RUNNING).first()
    obstacle = "not_published" if row.current_version is None else "" if row.is_active else "inactive"
    obstacle = obstacle or ("" if form.is_valid() else "filters")
    context = {
        "campaign": row,
        "filter": form,
        "preview": engine.preview(campaign=row, criteria=form.criteria(), now=timezone.now()),
        "running": running,
        "obstacle": REFUSED.get("running" if running else obstacle, ""),
        "refusal": refusal,
        "entry": sentences.entry(row, names),
    }
    return render(request, "workspace/launch_new.html", context, status=422 if refusal else 200)


def _launch(pk: UUID) -> Launch:
    return get_object_or_404(Launch.objects.select_related("campaign", "version", "by"), pk=pk)


@may_see
@require_safe
def launch(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How far it is, and what came of it."""
    row = _launch(pk)
    return render(request, "workspace/launch.html", {"campaign": row.campaign, **_progress(row)})


@may_see
@require_safe
def progress(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How far it is, for a page that waits; 204 once it is over."""
    row = _launch(pk)
    if row.status != Launch.Status.RUNNING:
        return HttpResponse(status=204)
    return render(request, "workspace/_launch_progress.html", _progress(row))


def _progress(row: Launch) -> dict[str, Any]:
    return {"launch": row, "percent": min(100, 100 * row.seen // row.total) if row.total else 0}


@may_change
@require_POST
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Enrol nobody more."""
    if engine.cancel(launch_id=_launch(pk).pk, now=timezone.now()):
        messages.success(request, _("Cancelled. Who was enrolled already goes on."))
    else:
        messages.info(request, _("It was over already."))
    return redirect("workspace:launch", pk)


@may_change
@require_POST
def resume(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Go on where it stopped."""
    try:
        resumed = engine.resume(launch_id=_launch(pk).pk, now=timezone.now())
    except LaunchError as error:
        messages.error(request, REFUSED[error.code])
    else:
        if not resumed:
            messages.info(request, _("It cannot go on: it is done, it runs, or the campaign is switched off."))
    return redirect("workspace:launch", pk)
