"""What contacts wish to get from us, and how often: read for deciding, changed on the page that every mail leads to."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from apps.contacts.eligibility import FOLLOW_UPS, SURVEYS
from apps.contacts.models import Preference


class Wishes(NamedTuple):
    """What a contact does not wish to get, how far apart the rest, and since when that is known."""

    refuses: frozenset[str]
    own_gap: timedelta
    changed_at: datetime


def wishes_of(*, contact_ids: Collection[UUID]) -> dict[UUID, Wishes]:
    """The wishes of those contacts that told us any. One query."""
    rows = Preference.objects.filter(contact_id__in=list(contact_ids))
    found = rows.values_list("contact_id", "wants_surveys", "wants_follow_ups", "min_days_between", "changed_at")
    return {
        contact_id: Wishes(
            frozenset(kind for kind, wanted in ((SURVEYS, surveys), (FOLLOW_UPS, follow_ups)) if not wanted),
            timedelta(days=days or 0),
            changed_at,
        )
        for contact_id, surveys, follow_ups, days, changed_at in found
    }


def refusing(*, contact_ids: Collection[UUID], kind: str) -> set[UUID]:
    """Those of the contacts that do not wish to get this kind of mail. One query."""
    return {pk for pk, wishes in wishes_of(contact_ids=contact_ids).items() if kind in wishes.refuses}


def change(
    *, contact_id: UUID, wants_surveys: bool, wants_follow_ups: bool, min_days_between: int | None, now: datetime
) -> None:
    """Note what the contact wishes; it holds from the next decision on. Days as in ``Preference.Gap``."""
    values = {
        "wants_surveys": wants_surveys,
        "wants_follow_ups": wants_follow_ups,
        "min_days_between": min_days_between,
        "changed_at": now,
    }
    Preference.objects.update_or_create(contact_id=contact_id, defaults=values)
