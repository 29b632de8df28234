"""Annotations: noting what happened on a day, and finding it again for the charts."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from apps.accounts.models import User
from apps.insights.measuring import ACTION, ANNOTATION
from apps.insights.models import Action, Annotation
from apps.insights.slices import Period
from apps.touchpoints.models import Touchpoint

MAX_MARKS = 200


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to be marked in a chart: an annotation, or an action that took effect."""

    kind: str
    """"annotation" or "action"."""
    pk: Any
    day: date
    text: str
    touchpoint: Touchpoint | None
    """None: everywhere."""


def between(period: Period, touchpoint_key: str = "") -> list[Mark]:
    """What happened within a period, oldest first: at the touchpoint or everywhere; without a key, all of it.

    Two queries. Of more than ``MAX_MARKS`` of a kind, the latest.
    """
    days = (period.since, period.until)
    noted = Annotation.objects.filter(day__range=days).select_related("touchpoint")
    taken = Action.objects.filter(status=Action.Status.DONE, done_on__range=days).select_related("touchpoint")
    if touchpoint_key:
        noted = noted.filter(Q(touchpoint__key=touchpoint_key) | Q(touchpoint=None))
        taken = taken.filter(touchpoint__key=touchpoint_key)
    marks = [
        *(Mark(ANNOTATION, row.pk, row.day, row.text, row.touchpoint) for row in noted.order_by("-day")[:MAX_MARKS]),
        *(
            Mark(ACTION, row.pk, row.done_on, row.title, row.touchpoint)
            for row in taken.order_by("-done_on")[:MAX_MARKS]
            if row.done_on is not None
        ),
    ]
    return sorted(marks, key=lambda mark: (mark.day, mark.kind, str(mark.pk)))


def note(*, row: Annotation, by: User | None, now: datetime) -> tuple[Annotation, bool]:
    """Keep an annotation, and whether it is new: of one external id there is one, and the first stays as it is.

    Raises ValidationError.
    """
    row.created_by, row.created_at = by, now
    row.full_clean(validate_unique=False, validate_constraints=False)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        there = Annotation.objects.filter(external_id=row.external_id).first() if row.external_id else None
        if there is None:
            raise
        return there, False
    return row, True
