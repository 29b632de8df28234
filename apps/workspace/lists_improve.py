"""The rows behind the pages about targets, annotations and improvement actions."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from apps.insights import actions, measuring, targets
from apps.insights.models import Action, Annotation, Target
from apps.insights.targets import State
from apps.insights.windows import Measured
from apps.workspace.improve_forms import MINE, OVERALL, OVERDUE

AT_TOUCHPOINT = 5
CHAIN = 20


def action_rows(values: dict[str, Any], *, user_id: int, today: date) -> QuerySet[Action]:
    """Actions that fit an ActionFilter."""
    found = Action.objects.select_related("touchpoint", "owner", "control_touchpoint")
    if values["q"]:
        words = values["q"]
        found = found.filter(Q(title__icontains=words) | Q(hypothesis__icontains=words) | Q(learned__icontains=words))
    if values["status"] == OVERDUE:
        found = actions.overdue(found, today=today)
    elif values["status"] == "open":
        found = found.filter(status__in=actions.OPEN)
    elif values["status"]:
        found = found.filter(status=values["status"])
    if values["owner"]:
        found = found.filter(owner=user_id if values["owner"] == MINE else int(values["owner"]))
    return found.filter(touchpoint__key=values["touchpoint"]) if values["touchpoint"] else found


def annotation_rows(values: dict[str, Any], *, today: date) -> QuerySet[Annotation]:
    """Annotations that fit an AnnotationFilter."""
    found = Annotation.objects.select_related("touchpoint", "control_touchpoint", "created_by")
    if values["q"]:
        found = found.filter(text__icontains=values["q"])
    if values["days"]:
        found = found.filter(day__gt=today - timedelta(days=int(values["days"])))
    return _at(found, values["touchpoint"])


def target_rows(values: dict[str, Any], *, today: date) -> QuerySet[Target]:
    """Targets that fit a TargetFilter."""
    found = Target.objects.select_related("touchpoint", "next")
    if values["q"]:
        words = values["q"]
        named = Q(touchpoint__key__icontains=words) | Q(touchpoint__name__en__icontains=words)
        found = found.filter(named | Q(touchpoint__name__de__icontains=words))
    if values["status"] == OVERDUE:
        found = found.filter(status=Target.Status.OPEN, due_on__lt=today)
    elif values["status"]:
        found = found.filter(status=values["status"])
    return _at(found, values["touchpoint"])


def _at(found: QuerySet[Any], key: str) -> QuerySet[Any]:
    if key == OVERALL:
        return found.filter(touchpoint=None)
    return found.filter(touchpoint__key=key) if key else found


def actions_at(
    touchpoint_id: int, *, now: datetime, limit: int = AT_TOUCHPOINT
) -> list[tuple[Action, Measured | None]]:
    """The latest actions of a touchpoint, each with what came of it: for ``workspace/_actions.html``.

    Nine queries at most.
    """
    found = Action.objects.filter(touchpoint=touchpoint_id).exclude(status=Action.Status.DROPPED)
    rows = list(found.select_related("owner", "control_touchpoint").order_by("-created_at", "-pk")[:limit])
    came = measuring.of_actions(rows, now=now)
    return [(row, came.get(row.pk)) for row in rows]


def target_at(touchpoint_id: int | None, *, now: datetime) -> State | None:
    """The target of a touchpoint, or over everything (None): for ``workspace/_target.html``. Four queries at most."""
    return targets.at(touchpoint_id=touchpoint_id, now=now)


def chain(row: Target) -> list[Target]:
    """All targets of the place that ended or are open, oldest first; at most ``CHAIN``, the latest. One query."""
    found = Target.objects.filter(touchpoint=row.touchpoint_id).order_by("-created_at", "-pk")[:CHAIN]
    return list(reversed(found))
