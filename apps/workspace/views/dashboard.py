"""The first page: how we are doing, and why."""

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from apps.common.conditions import ConditionError
from apps.common.spreadsheets import csv_parts
from apps.insights.models import SavedView
from apps.insights.targets import State
from apps.transfers.exports import csv_download
from apps.workspace import board, board_pictures, board_table, saved
from apps.workspace.dashboard_filter import DashboardFilter
from apps.workspace.first_steps import first_steps
from apps.workspace.lists_improve import target_at
from apps.workspace.views.case_acts import user_of

COMMENTS = 8
EXPORT = "responses.view_response"
"""The page is for everybody who signs in; its figures as a file are for whoever may take responses out."""


@require_safe
@login_required
def dashboard(request: HttpRequest) -> HttpResponse:
    """The score now and over time, how it is made up, by touchpoint or anything else, with the latest comments."""
    form = DashboardFilter(request.GET, now=timezone.now())
    return page(request, form, view=saved.left(form))


@require_GET
@login_required
@permission_required(EXPORT, raise_exception=True)
def export(request: HttpRequest) -> HttpResponseBase:
    """What the page shows as a file, one figure a row."""
    return file_of(DashboardFilter(request.GET, now=timezone.now()))


def page(request: HttpRequest, form: DashboardFilter, *, view: SavedView | None = None) -> HttpResponse:
    """The dashboard as the form has it; ``view`` is the saved one that is shown, or was until something changed."""
    now = timezone.now()
    context: dict[str, Any] = {"filter": form, "view": view, "export_right": EXPORT}
    try:
        shown = board.gather(form, now=now)
        context["comments"] = board.comments(form, now=now, limit=COMMENTS)
    except ConditionError:
        return render(request, "workspace/dashboard.html", {**context, "is_broken": True})
    if not shown.nps.n and not form.is_used and board.is_new():
        return render(request, "workspace/first_steps.html", {"steps": first_steps()})
    form.has_incentives = shown.has_incentives
    notes, state = board.annotations(form), _target(form, now)
    target = state.target if state and state.is_open else None
    context |= {
        "board": shown,
        "annotations": notes,
        "target": target,
        "target_state": state,
        "has_target": board.has_target(form.wanted),
        "touchpoint": form.touchpoint_chosen,
        "suspected": board.suspected(form.period),
        "is_changed": view is not None and form.stored != view.query,
        "may_change": view is not None and saved.may_change(user_of(request), view),
        **board_pictures.pictures(
            shown,
            marks=[note.day for note in notes],
            target=target.goal if target else None,
            top=None if form.asked["rows"] == "all" else board.TOP_ROWS,
        ),
    }
    return render(request, "workspace/dashboard.html", context)


def _target(form: DashboardFilter, now: datetime) -> State | None:
    """How the target of what is looked at stands, if it can have one."""
    if not board.has_target(form.wanted):
        return None
    return target_at(form.touchpoint_chosen.pk if form.touchpoint_chosen else None, now=now)


def file_of(form: DashboardFilter) -> HttpResponseBase:
    """The figures as a file; only its header where a segment cannot be evaluated, or what was asked for is gone."""
    try:
        rows = [] if form.is_wider else list(board_table.rows(board.gather(form, now=timezone.now())))
    except ConditionError:
        rows = []
    # All at once: parts of a file are sent when the reader's language is forgotten.
    parts = csv_parts(board_table.header(), rows)
    return csv_download(parts, filename=f"nps-{form.period.since.isoformat()}-{form.period.until.isoformat()}.csv")
