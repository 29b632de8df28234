"""Whether the page of an invitation was ever seen."""

from datetime import UTC, datetime
from uuid import UUID

from apps.surveys.models import Invitation


def note_opened(*, invitation_id: UUID, now: datetime) -> bool:
    """Note the day on which the page was seen for the first time; True if this was it. Written at most once."""
    unseen = Invitation.objects.filter(pk=invitation_id, opened_on__isnull=True)
    return bool(unseen.update(opened_on=now.astimezone(UTC).date()))
