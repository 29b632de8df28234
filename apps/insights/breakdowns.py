"""The score of any span of time, cut by what responses have in common: counted from the responses themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import TruncDate

from apps.common.conditions import ConditionError
from apps.insights.nps import Counts, Nps, nps
from apps.responses.models import Response
from apps.responses.selectors import visible
from apps.triggers.models import Segment
from apps.triggers.segments import subquery

MAX_GROUPS = 500
MAX_SEGMENTS = 50
_KEYS = {
    "survey": F("survey__key"),
    "touchpoint": F("touchpoint__key"),
    "company": F("contact__company_id"),
    "day": TruncDate("answered_at", tzinfo=UTC),
}
DIMENSIONS = (*_KEYS, "segment")


@dataclass(frozen=True, slots=True)
class Span:
    """Which responses count: of humans, from ``since`` up to but not including ``until``."""

    since: datetime | None = None
    until: datetime | None = None
    survey: str = ""
    touchpoint: str = ""
    company_id: int | None = None
    segment: Segment | None = None
    is_incentivised: bool | None = None
    """Whether something was promised for answering; None: either."""


def responses_of(*, span: Span, now: datetime) -> QuerySet[Response]:
    """Those responses, without answers of anonymous surveys that are too few to be shown. Raises ConditionError."""
    found = visible(Response.objects.filter(is_suspected=False, score__isnull=False))
    wanted = {
        "answered_at__gte": span.since,
        "answered_at__lt": span.until,
        "survey__key": span.survey or None,
        "touchpoint__key": span.touchpoint or None,
        "contact__company_id": span.company_id,
        "is_incentivised": span.is_incentivised,
    }
    found = found.filter(**{name: value for name, value in wanted.items() if value is not None})
    if span.segment is not None:
        found = found.filter(contact_id__in=subquery(condition=span.segment.condition, now=now))
    return found.order_by()


def score_of(*, found: QuerySet[Response]) -> Nps:
    """Their score. One query."""
    return nps(Counts.from_scores(dict(found.values_list("score").annotate(number=Count("pk")))))


def scores_by(*, found: QuerySet[Response], dimension: str, now: datetime) -> list[tuple[Any, Nps]]:
    """Their score per survey (key), touchpoint (key or None), company (id or None), day, or segment (key).

    One query, one more for segments. Days in order, the others by the number of answers; at most MAX_GROUPS.
    """
    if dimension == "segment":
        return _by_segment(found, now)
    rows = found.annotate(cut=_KEYS[dimension]).values_list("cut", "score").annotate(number=Count("pk"))
    return _sorted(rows, by_key=dimension == "day")


def _by_segment(found: QuerySet[Response], now: datetime) -> list[tuple[Any, Nps]]:
    """A contact may belong to several: each is counted beside the others in the same query."""
    counts: dict[str, Any] = {}
    keys: dict[str, str] = {}
    for number, segment in enumerate(Segment.objects.order_by("key")[:MAX_SEGMENTS]):
        try:
            members = subquery(condition=segment.condition, now=now)
        except ConditionError:
            continue  # A broken one has no members.
        counts[f"in_{number}"] = Count("pk", filter=Q(contact_id__in=members))
        keys[f"in_{number}"] = segment.key
    if not counts:
        return []
    rows: Any = found.values("score").annotate(**counts)
    cells = [(keys[name], row["score"], row[name]) for row in rows for name in keys if row[name]]
    return _sorted(cells, by_key=False)


def _sorted(cells: Iterable[tuple[Any, int | None, int]], *, by_key: bool) -> list[tuple[Any, Nps]]:
    scores: dict[Any, dict[int, int]] = {}
    for key, score, number in cells:
        if score is not None:
            scores.setdefault(key, {})[score] = number
    told = [(key, nps(Counts.from_scores(by_score))) for key, by_score in scores.items()]
    told.sort(key=lambda group: group[0] if by_key else (-group[1].n, str(group[0])))
    return told[-MAX_GROUPS:] if by_key else told[:MAX_GROUPS]
