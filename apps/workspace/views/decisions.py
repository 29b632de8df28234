"""Decisions: who was asked, who was not, and why."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.workspace import lists
from apps.workspace.filters import DecisionFilter
from apps.workspace.paging import page
from apps.workspace.wording import what_next


@require_safe
@login_required
def decisions(request: HttpRequest) -> HttpResponse:
    """Newest first, filtered."""
    form = DecisionFilter(
        request.GET, touchpoints=lists.touchpoints(), rules=lists.rules(), cadences=lists.cadences()
    )  # fmt: skip
    found = page(lists.decisions(form.values()), field="decided_at", cursor=request.GET.get("cursor", ""))
    context = {
        "filter": form,
        "page": found,
        "decided": [(decision, what_next(decision)) for decision in found.rows],
        "undecided": lists.undecided_events(),
    }
    return render(request, "workspace/decisions.html", context)
