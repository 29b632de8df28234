"""The score of a span of time that is exact to the second: counted from the responses, not from the rollups."""

from datetime import datetime, timedelta

from django.db.models import Count, Max, QuerySet

from apps.insights.nps import Counts, Nps, nps
from apps.responses.models import Response
from apps.responses.selectors import visible

DEFAULT = timedelta(days=30)


def nps_between(*, since: datetime | None, until: datetime | None, touchpoint_id: int | None = None) -> Nps:
    """What humans gave from ``since`` to ``until``, both included; without both, the 30 days up to the latest answer.

    Answers of anonymous surveys that are too few to be shown are left out: of two spans that differ by a second one
    could guess them. At most three queries.
    """
    found = visible(Response.objects.filter(is_suspected=False, score__isnull=False))
    if touchpoint_id is not None:
        found = found.filter(touchpoint=touchpoint_id)
    if since is None and until is None:
        until = found.aggregate(at=Max("answered_at"))["at"]
        since = until - DEFAULT if until else None
    return nps(Counts.from_scores(_scores(found, since, until)))


def _scores(found: QuerySet[Response], since: datetime | None, until: datetime | None) -> dict[int, int]:
    if since is not None:
        found = found.filter(answered_at__gte=since)
    if until is not None:
        found = found.filter(answered_at__lte=until)
    counted = found.order_by().values_list("score").annotate(number=Count("pk"))
    return {score: number for score, number in counted if score is not None}
