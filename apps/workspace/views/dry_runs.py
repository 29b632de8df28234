"""Dry runs: the list, one of them while it runs and when it is done, and running it again."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.contacts.models import ContactBudget
from apps.triggers import dry_runs as engine
from apps.triggers.models import DryRun
from apps.workspace import bars, lists, results
from apps.workspace.explaining import budget_in_words
from apps.workspace.filters import DryRunFilter, DryRunForm
from apps.workspace.paging import page

UNFINISHED = frozenset({DryRun.Status.WAITING, DryRun.Status.RUNNING})
PATIENCE = timedelta(seconds=30)


@require_safe
@login_required
def dry_runs(request: HttpRequest) -> HttpResponse:
    """Newest first, filtered."""
    form = DryRunFilter(request.GET)
    found = page(lists.dry_runs(form.values()), field="created_at", cursor=request.GET.get("cursor", ""))
    return render(request, "workspace/dry_runs.html", {"filter": form, "page": found})


@require_safe
@login_required
@never_cache
def dry_run(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How far it is, what it came to, or why it failed."""
    run = get_object_or_404(DryRun.objects.select_related("created_by"), pk=pk)
    context: dict[str, Any] = {"run": run, "form": DryRunForm(initial={"days": run.days})}
    if run.status in UNFINISHED:
        return render(request, "workspace/dry_run_waiting.html", context | _progress(run, timezone.now()))
    if run.status == DryRun.Status.DONE:
        context |= _result(run)
    return render(request, "workspace/dry_run.html", context)


@require_safe
@login_required
@never_cache
def progress(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How far it is, for a page that waits; 204 once there is nothing to wait for."""
    run = get_object_or_404(DryRun.objects.defer("draft", "budget", "result"), pk=pk)
    if run.status not in UNFINISHED:
        return HttpResponse(status=204)
    return render(request, "workspace/_progress.html", {"run": run, **_progress(run, timezone.now())})


@login_required
@require_POST
def again(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Tries the same once more, over other days."""
    run = get_object_or_404(DryRun.objects.defer("result"), pk=pk)
    form = DryRunForm(request.POST)
    if not form.is_valid():
        return redirect("workspace:dry_run", pk)
    user = request.user if isinstance(request.user, AbstractUser) else None
    fresh = engine.start(
        title=run.title, days=form.cleaned_data["days"], now=timezone.now(), draft=run.draft,
        replaces=run.rule_id_replaced, budget=run.budget, user=user,
    )  # fmt: skip
    return redirect("workspace:dry_run", fresh.pk)


def _progress(run: DryRun, now: datetime) -> dict[str, Any]:
    waits = run.status == DryRun.Status.WAITING
    return {
        "percent": min(100, 100 * run.events_done // run.events_total) if run.events_total and not waits else None,
        "nobody_comes": waits and now - run.created_at > PATIENCE,
        "is_abandoned": not waits and run.lease_until is not None and run.lease_until < now,
    }


def _result(run: DryRun) -> dict[str, Any]:
    found = results.read(run)
    return {
        "result": found,
        "budget": budget_in_words(ContactBudget(**run.budget)) if run.budget is not None else None,
        "charts": [
            ("wide", bars.bar_chart(found.columns, width=880, height=240, labels=8)),
            ("narrow", bars.bar_chart(found.columns, width=340, height=208, labels=4)),
        ],
    }
