"""``metrics``: the score and how it comes about, in whole numbers."""

from datetime import timedelta
from typing import Any

from apps.api.delighted.base import Call, Handler, endpoint
from apps.api.delighted.errors import INVALID, Invalid
from apps.api.delighted.survey_responses import touchpoint_of
from apps.insights.spans import nps_between
from apps.integrations.models import Scope

# Delighted's names; of those beside “core” there are no figures here, and none are made up.
GROUPS = ("core", "email", "kiosk", "link", "sms", "web")
REST_OF_SECOND = timedelta(microseconds=999_999)


def metrics(call: Call) -> dict[str, Any]:
    """Of the time asked for; without one, of the 30 days up to the latest response."""
    given = call.params
    until, trend = given.time("until"), given.text("trend")
    groups = given.texts("groups")
    if not set(groups) <= set(GROUPS):
        raise Invalid({"groups": [INVALID]})
    found = nps_between(
        since=given.time("since"),
        until=until + REST_OF_SECOND if until else None,
        touchpoint_id=touchpoint_of(trend) if trend else None,
    )
    if groups and "core" not in groups:
        return {}
    promoters, passives, detractors = (whole(share) for share in found.shares)
    return {
        "nps": whole(found.score or 0),
        "promoter_count": found.counts.promoters,
        "promoter_percent": promoters,
        "passive_count": found.counts.passives,
        "passive_percent": passives,
        "detractor_count": found.counts.detractors,
        "detractor_percent": detractors,
        "response_count": found.n,
    }


def whole(number: float) -> int:
    """Rounded as at school: a half goes away from zero."""
    return int(number + 0.5) if number >= 0 else -int(0.5 - number)


METRICS = endpoint(get=Handler(metrics, Scope.READ))
