"""Responses: the list, one in detail, and the judgement whether a human gave it."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.responses import services
from apps.responses.models import Response
from apps.responses.selectors import MIN_CELL, is_anonymous, is_hiding, visible
from apps.workspace import lists
from apps.workspace.asked import asked
from apps.workspace.filters import ResponseFilter
from apps.workspace.paging import page, total

_VERDICTS = {"human": True, "machine": False}


@require_safe
@login_required
def responses(request: HttpRequest) -> HttpResponse:
    """Newest first, filtered; of humans unless the filter asks for suspected ones."""
    form = ResponseFilter(request.GET, touchpoints=lists.touchpoints(), segments=lists.segments())
    values = form.values()
    found = lists.responses(values, now=timezone.now())
    shown = lists.by_suspicion(found, values["suspected"])
    rows = page(shown, field="answered_at", cursor=request.GET.get("cursor", ""))
    context = {
        "filter": form,
        "page": rows,
        "suspected": total(lists.by_suspicion(found, "yes")),
        "wanted": values["suspected"],
        "hides": MIN_CELL if not rows.rows and is_hiding() else 0,
    }
    return render(request, "workspace/responses.html", context)


@require_safe
@login_required
def response(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Everything about one response."""
    try:
        found = lists.response(pk)
    except Response.DoesNotExist as error:
        raise Http404 from error
    context = {
        "response": found,
        "asked": asked(found, lists.answers(found), found.revisions.all()),
        "is_anonymous": is_anonymous(found),
        "runs": lists.step_runs(found),
    }
    return render(request, "workspace/response.html", context)


@require_POST
@login_required
def judge(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Somebody says whether a human gave the response."""
    is_genuine = _VERDICTS.get(request.POST.get("by", ""))
    if is_genuine is None:
        return HttpResponseBadRequest()
    get_object_or_404(visible(Response.objects.all()), pk=pk)
    services.judge(response_id=pk, is_genuine=is_genuine, by=request.user.get_username(), now=timezone.now())
    text = _("The response counts from now on.") if is_genuine else _("The response does not count any more.")
    messages.success(request, text)
    return redirect("workspace:response", pk)
