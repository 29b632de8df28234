"""What most users want, in one step: subscriptions to begin with, which can be changed like any other."""

from django.db import transaction
from django.utils.translation import gettext as _

from apps.alerts.models import ScoreSegment, Subscription, When
from apps.triggers.models import Segment


def every_detractor(*, user_id: int) -> Subscription:
    """Tell the user of every detractor at once. Asking twice makes one subscription."""
    return _one(user_id, _("Every detractor"), When.INSTANT, None)


@transaction.atomic
def important_first(*, user_id: int, segment: Segment) -> list[Subscription]:
    """Tell the user of the segment's detractors at once, and of all the others in the daily summary."""
    first = _one(user_id, _("Detractors: %(segment)s") % {"segment": segment.name}, When.INSTANT, segment)
    return [first, _one(user_id, _("All detractors, once a day"), When.DAILY, None)]


def _one(user_id: int, name: str, when: str, segment: Segment | None) -> Subscription:
    same = Subscription.objects.filter(
        user=user_id, score_segments=[ScoreSegment.DETRACTOR], when=when, segment=segment, survey=None, channel=None,
        keywords=[], touchpoints=None, is_active=True,
    ).first()  # fmt: skip
    return same or Subscription.objects.create(
        user_id=user_id, name=name[:120], score_segments=[ScoreSegment.DETRACTOR], when=when, segment=segment
    )
