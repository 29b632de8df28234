"""What the page of one touchpoint shows besides its card."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from apps.insights import annotations, cells, figures, influences
from apps.insights.funnels import funnel
from apps.insights.journey import Figures, JourneyMap, Place
from apps.insights.journey_raw import DETRACTORS
from apps.insights.places import find
from apps.insights.slices import Grain, Period, Slice
from apps.responses.models import Response
from apps.responses.selectors import with_promise
from apps.touchpoints.models import Touchpoint
from apps.workspace import charts, funnel_words, journey_charts, lists_improve

COMMENTS = 5


def details(place: Place, *, found: JourneyMap, wanted: Slice, now: datetime) -> dict[str, Any]:
    """Trend with what happened, distribution, funnel, comments, influence, actions and target. Some 30 queries."""
    row = place.touchpoint
    here = Slice(touchpoint=row.key, segment=wanted.segment)
    year = Period(found.months[0], found.period.until)
    goal = place.target.target.goal if place.target else None
    given = figures.distribution(wanted=here, period=found.period, now=now)
    steps = funnel(wanted=here, period=found.period, now=now)
    return {
        **trend(place.figures, found.months, marks=annotations.between(year, row.key), goal=goal),
        "distribution": journey_charts.distribution(given, height=160),
        "funnel": funnel_words.rows(steps, touchpoint=row.key),
        "comments": comments(row, wanted=wanted, period=found.period, now=now),
        "influence": influences.at_touchpoint(touchpoint_id=row.pk),
        "actions": lists_improve.actions_at(row.pk, now=now),
        "target": lists_improve.target_at(row.pk, now=now),
    }


def trend(
    of: Figures, starts: Sequence[date], *, marks: Sequence[annotations.Mark] = (), goal: int | None = None
) -> dict[str, Any]:
    """The last months as charts, wide and for phones, with the target and what happened; and as rows of a table."""
    months = list(zip(starts, of.trend, strict=True))
    days = [mark.day for mark in marks]
    sizes = (("wide", 720, 264, 1), ("narrow", 340, 220, 3))
    return {
        "trend": months,
        "grain": Grain.MONTH,
        "marks": marks,
        "charts": [
            (kind, charts.trend(months, width=width, height=height, label_every=every, target=goal, marks=days))
            for kind, width, height, every in sizes
        ],
    }


def comments(touchpoint: Touchpoint, *, wanted: Slice, period: Period, now: datetime) -> list[Response]:
    """What detractors wrote lately, of the period and the slice."""
    here = Slice(touchpoint=touchpoint.key, segment=wanted.segment)
    found = cells.responses(wanted=here, places=find(here), now=now).filter(
        cells.within(period), score__lte=DETRACTORS
    )  # fmt: skip
    found = with_promise(found.exclude(comment="").select_related("contact", "touchpoint"))
    return list(found.order_by("-answered_at", "-pk")[:COMMENTS])
