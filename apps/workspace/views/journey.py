"""The journey map, and behind it a page for each stage and each touchpoint."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.common.conditions import ConditionError
from apps.insights import journey
from apps.insights.journey import JourneyMap
from apps.touchpoints.models import Stage, Touchpoint
from apps.workspace import journey_look, journey_place, lists, saved
from apps.workspace.journey_filter import JourneyFilter
from apps.workspace.journey_look import Card, Shown


@require_safe
@login_required
def journey_map(request: HttpRequest) -> HttpResponse:
    """The whole map of a period: stages, touchpoints, the curve along them, what hurts, and what is done about it."""
    found, context = _read(request)
    context["look"] = journey_look.look(found) if found.columns else None
    context["view"] = saved.opened(request.GET.get("view", ""))
    return render(request, "workspace/journey.html", context)


@require_safe
@login_required
def stage(request: HttpRequest, key: str) -> HttpResponse:
    """A stage, or a sub-step: its parts as a chain, with what may be said of each step between them."""
    row = get_object_or_404(Stage.objects.select_related("parent"), key=key)
    found, context = _read(request)
    column = next((one for one in found.columns if one.stage.pk in (row.pk, row.parent_id)), None)
    if column is None:
        raise Http404
    shown = journey_look.shown(column)
    lane = next((one for one in shown.lanes if one.step.stage.pk == row.pk), None)
    query = context["narrowed"]
    cards = lane.cards if lane else shown.every
    card = lane.card if lane else shown.card
    context |= journey_place.trend(card.figures, found.months)
    context |= {
        "stage": row,
        "card": card,
        "cards": cards,
        "steps": [] if lane else journey_look.chain(_steps(shown, query)),
        "touchpoints": journey_look.chain([_touchpoint(card, query) for card in cards]),
        "reasons": card.reasons,
    }
    return render(request, "workspace/journey_stage.html", context)


@require_safe
@login_required
def touchpoint(request: HttpRequest, key: str) -> HttpResponse:
    """A touchpoint: score, trend, how it is made up, reasons, voices, its weight, what is done, who asks here."""
    row = get_object_or_404(Touchpoint.objects.select_related("stage__parent"), key=key)
    found, context = _read(request)
    place = found.place(row.pk)
    if place is None:
        raise Http404
    context |= {"touchpoint": row, "place": place, "card": journey_look.place_card(place)}
    context |= journey_place.details(place, found=found, wanted=context["filter"].wanted, now=context["now"])
    return render(request, "workspace/journey_touchpoint.html", context)


def _read(request: HttpRequest) -> tuple[JourneyMap, dict[str, Any]]:
    """The map that the address asks for, and what all its pages show.

    A segment that is broken or gone counts as not given, and is told: the map is everybody's then.
    """
    now = timezone.now()
    form = JourneyFilter(request.GET, today=now.date(), segments=lists.segments())
    is_wider, broken = request.GET.get("segment", "") != form.segment_key, ""
    try:
        found = journey.read(wanted=form.wanted, period=form.period, now=now)
    except ConditionError:
        broken = form.segment_name
        form = JourneyFilter({"days": form.days_back}, today=now.date(), segments=())
        found = journey.read(wanted=form.wanted, period=form.period, now=now)
    context = {"filter": form, "narrowed": form.narrowed, "map": found, "now": now}
    return found, {**context, "broken": broken, "is_wider": is_wider}


def _steps(shown: Shown, query: str) -> list[tuple[str, str, Card]]:
    """The sub-steps of a stage with their addresses."""
    return [(str(lane.step.stage), _address("stage", lane.step.stage.key, query), lane.card) for lane in shown.lanes]


def _touchpoint(card: Card, query: str) -> tuple[str, str, Card]:
    assert card.place is not None  # noqa: S101 - cards of touchpoints have their place
    row = card.place.touchpoint
    return str(row), _address("touchpoint", row.key, query), card


def _address(page: str, key: str, query: str) -> str:
    return reverse(f"workspace:journey_{page}", args=[key]) + query
