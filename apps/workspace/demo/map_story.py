"""What became of the demo's journey map: a version from before it was changed, and its reviews."""

from datetime import datetime, timedelta
from typing import Any

from apps.insights import journey_versions
from apps.insights.models import JourneyReview, JourneyVersion

_KEPT, _LOOKED = timedelta(days=120), timedelta(days=356)


def tell_of_the_map(*, now: datetime) -> None:
    """The map had a touchpoint less, and two stages the other way round, when it was kept; the year is nearly over."""
    kept = journey_versions.keep(
        name="Before the summer", note="Kept before the stages were put in order.", by=None, now=now - _KEPT
    )
    JourneyVersion.objects.filter(pk=kept.pk).update(layout=_earlier(kept.layout))
    yearly = JourneyReview.Reason.YEARLY
    JourneyReview.objects.create(
        reason=yearly, due_on=(now - _LOOKED).date(), created_at=now - _LOOKED, done_at=now - _LOOKED,
        finding="The map shows how things are. What comes after the purchase is still thin.",
    )  # fmt: skip
    JourneyReview.objects.create(
        reason=yearly, due_on=(now - _LOOKED).date() + timedelta(days=365), created_at=now - _LOOKED
    )


def _earlier(layout: dict[str, Any]) -> dict[str, Any]:
    *others, one, last = layout["stages"]
    return {"stages": [*others, {**last, "touchpoints": last["touchpoints"][:-1]}, one]}
