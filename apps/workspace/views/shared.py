"""What a share link shows to anybody who has it: figures, and nothing that says whose they are or what is done."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.common import limits
from apps.common.conditions import ConditionError
from apps.insights import cells, journey
from apps.insights.groups import PROPERTY
from apps.insights.models import SavedView
from apps.insights.nps import MIN_N
from apps.insights.places import find
from apps.insights.slices import Period, Slice
from apps.workspace import board, board_pictures, journey_look, lists, saved
from apps.workspace.board import Row
from apps.workspace.dashboard_filter import DashboardFilter
from apps.workspace.journey_filter import JourneyFilter

MAX_LOOKS = 120
"""So often a link shows its figures in a minute: they are counted anew each time."""
MAX_WRONG_LINKS = 30
NAMES = ("company", PROPERTY)
"""What a shared page is never broken down by: companies have names, and what a property holds nobody knows."""


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

    None of a view whose company, segment, touchpoint … is gone: they would be those of all. None of fewer than five
    people, however often they answered. Windows that roll would tell a day's answer by how two of them differ.
    """
    now = timezone.now()
    form = DashboardFilter({**view.query, "rolling": ""}, now=now)
    dimension = "touchpoint" if form.dimension.startswith(NAMES) else form.dimension
    context: dict[str, Any] = {"view": view, "filter": form, "now": now, "is_shared": True}
    if form.is_wider:
        return {**context, "is_broken": True}
    try:
        if any(_few_people(wanted, period, now=now) for wanted, period in _sides(form)):
            return {**context, "is_small": True}
        shown = board.gather(form, now=now, dimension=dimension)
    except ConditionError:
        return {**context, "is_broken": True}
    target = board.target(form)
    context |= board_pictures.pictures(shown, target=target.goal if target else None)
    parts = _told([row for row in shown.rows if row.now.n])
    return {
        **context,
        "board": shown,
        "target": target,
        "top_rows": parts[: board.TOP_ROWS],
        "left_out": len(shown.rows) - len(parts),
    }


def _told(rows: list[Row]) -> list[Row]:
    """Parts with enough answers; of those that are left out so many that they are enough together.

    One that is left out alone could be worked out: what all gave, less what the others gave.
    """
    left_out = sum(row.now.n for row in rows if row.now.too_few)
    told = [row for row in rows if not row.now.too_few]
    for row in sorted(told, key=lambda row: row.now.n):
        if not 0 < left_out < MIN_N:
            break
        told.remove(row)
        left_out += row.now.n
    return told


def _sides(form: DashboardFilter) -> Iterator[tuple[Slice, Period]]:
    """What is shown, and what it is compared with."""
    yield form.wanted, form.period
    if isinstance(form.against, Slice):
        yield form.against, form.period
    elif form.against is not None:
        yield form.wanted, form.against


def _few_people(wanted: Slice, period: Period, *, now: datetime) -> bool:
    """Whether a part of the contacts was chosen and fewer than five of them are behind it. Raises ConditionError."""
    if not (wanted.segment or wanted.company_id is not None or wanted.trait):
        return False
    found = cells.responses(wanted=wanted, places=find(wanted), now=now).filter(cells.within(period))
    known = found.exclude(contact=None).values("contact").distinct()[:MIN_N]
    return 0 < len(known) + len(found.filter(contact=None).values("pk")[:MIN_N]) < MIN_N


def _map(view: SavedView) -> dict[str, Any]:
    """The journey map of a view; none if its segment is gone or broken: it would be that of everybody."""
    now = timezone.now()
    form = JourneyFilter(view.query, today=now.date(), segments=lists.segments())
    context: dict[str, Any] = {"view": view, "filter": form, "now": now, "is_shared": True}
    if form.segment_key != view.query.get("segment", ""):
        return {**context, "is_broken": True}
    try:
        if _few_people(form.wanted, form.period, now=now):
            return {**context, "is_small": True}
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
