"""What a share link shows to anybody who has it: figures, and nothing that says whose they are or what is done."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.common import limits
from apps.common.conditions import ConditionError
from apps.insights import journey
from apps.insights.groups import PROPERTY
from apps.insights.models import SavedView
from apps.workspace import board, board_pictures, journey_look, lists, saved
from apps.workspace.dashboard_filter import DashboardFilter
from apps.workspace.journey_filter import JourneyFilter

MAX_LOOKS = 120
"""So often a link shows its figures in a minute: they are counted anew each time."""
MAX_WRONG_LINKS = 30
NAMES = ("company", f"{PROPERTY}contact.", f"{PROPERTY}company.")
"""What a shared page is never broken down by: the parts are names of people and companies, or as good as that."""


@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """A saved view without a sign-in; the same 404 for whatever link does not work, whatever the reason."""
    now = timezone.now()
    link = saved.shared(token, now=now)
    if link is None:
        if limits.count(request, "wrong-link") > MAX_WRONG_LINKS:
            return _too_many()
        return _private(render(request, "workspace/shared_gone.html", status=404))
    if limits.count_for("shared", str(link.pk)) > MAX_LOOKS:
        return _too_many()
    if link.view.page == SavedView.Page.JOURNEY:
        return _private(render(request, "workspace/shared_journey.html", _map(link.view)))
    return _private(render(request, "workspace/shared.html", _figures(link.view)))


def _figures(view: SavedView) -> dict[str, Any]:
    """The figures of a view; parts with too few answers are counted, never named.

    None of a view whose company, segment, touchpoint … is gone: they would be those of all.
    """
    now = timezone.now()
    form = DashboardFilter(view.query, now=now)
    dimension = "touchpoint" if form.dimension.startswith(NAMES) else form.dimension
    context: dict[str, Any] = {"view": view, "filter": form, "now": now, "is_shared": True}
    if form.is_wider:
        return {**context, "is_broken": True}
    try:
        shown = board.gather(form, now=now, dimension=dimension)
    except ConditionError:
        return {**context, "is_broken": True}
    target = board.target(form)
    context |= board_pictures.pictures(shown, target=target.goal if target else None)
    parts = [row for row in shown.rows if not row.now.too_few]
    return {
        **context,
        "board": shown,
        "target": target,
        "top_rows": parts[: board.TOP_ROWS],
        "left_out": len(shown.rows) - len(parts),
    }


def _map(view: SavedView) -> dict[str, Any]:
    """The journey map of a view; none if its segment is gone or broken: it would be that of everybody."""
    now = timezone.now()
    form = JourneyFilter(view.query, today=now.date(), segments=lists.segments())
    context: dict[str, Any] = {"view": view, "filter": form, "now": now, "is_shared": True}
    if form.segment_key != view.query.get("segment", ""):
        return {**context, "is_broken": True}
    try:
        found = journey.read(wanted=form.wanted, period=form.period, now=now)
    except ConditionError:
        return {**context, "is_broken": True}
    return {**context, "map": found, "look": journey_look.look(found) if found.columns else None}


def _private(answer: HttpResponse) -> HttpResponse:
    """Never stored, never indexed, and its address is passed on to no other host."""
    answer["Cache-Control"] = "private, no-store"
    # With "no-referrer" a browser would not say where the form that changes the language comes from: it was refused.
    answer["Referrer-Policy"] = "same-origin"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _too_many() -> HttpResponse:
    text = _("That was too often. Please try again in a minute.")
    return HttpResponse(text, status=429, content_type="text/plain; charset=utf-8", headers={"Retry-After": "60"})
