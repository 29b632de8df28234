"""Responses: the list, and one in detail."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.responses.models import Response
from apps.workspace import lists
from apps.workspace.filters import ResponseFilter
from apps.workspace.paging import page


@require_safe
@login_required
def responses(request: HttpRequest) -> HttpResponse:
    """Newest first, filtered."""
    form = ResponseFilter(request.GET, touchpoints=lists.touchpoints(), segments=lists.segments())
    found = lists.responses(form.values(), now=timezone.now())
    context = {"filter": form, "page": page(found, field="answered_at", cursor=request.GET.get("cursor", ""))}
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
        "answers": lists.answers(found),
        "revisions": found.revisions.all(),
        "runs": lists.step_runs(found),
    }
    return render(request, "workspace/response.html", context)
