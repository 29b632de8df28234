"""Whom integrations built for Delighted want asked regularly (their “Autopilot”), and when each one's turn is."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.common.recurrence import due_at, slices
from apps.common.schedule import start_of_day
from apps.contacts import ledger
from apps.contacts import services as contacts
from apps.contacts.models import Contact
from apps.surveys import services as surveys
from apps.triggers.cadences import offset_of
from apps.triggers.models import AutopilotMember, Cadence, Decision
from apps.triggers.segments import bucket_of


@transaction.atomic
def add(*, contact: Contact, platform: str, properties: dict[str, Any], now: datetime) -> AutopilotMember:
    """Put a contact on a list; one that is on it gets the new properties in place of the old."""
    contacts.lock(contact_ids=[contact.id])
    member, _is_new = AutopilotMember.objects.update_or_create(
        contact=contact,
        platform=platform,
        defaults={"properties": properties, "updated_at": now},
        create_defaults={"properties": properties, "created_at": now, "updated_at": now},
    )
    return member


@transaction.atomic
def remove(*, contact_id: UUID, platform: str) -> bool:
    """Take a contact off a list, with what is planned for it there and not sent yet; False if it was not on it."""
    contacts.lock(contact_ids=[contact_id])
    gone, _by_model = AutopilotMember.objects.filter(contact_id=contact_id, platform=platform).delete()
    planned = Decision.objects.filter(
        contact_id=contact_id, cadence__members_of=platform, invitation__status="scheduled"
    )
    ids = list(planned.values_list("invitation_id", flat=True))
    surveys.revoke_scheduled(invitation_ids=ids, reason="not_a_member")
    return bool(gone)


def planned_for(*, contact_ids: Collection[UUID], cadence: Cadence | None) -> dict[UUID, datetime]:
    """When contacts will be asked by a cadence, for those whose turn is planned already. One query."""
    if cadence is None:
        return {}
    rows = Decision.objects.filter(cadence=cadence, contact_id__in=contact_ids, invitation__status="scheduled")
    found = rows.values_list("contact_id", "invitation__send_at")
    return {contact_id: at for contact_id, at in found if contact_id is not None}


def next_turns(*, contact_ids: Iterable[UUID], cadence: Cadence | None, now: datetime) -> dict[UUID, datetime]:
    """When each contact's next turn of a cadence is, whether or not it is planned yet. At most one query."""
    if cadence is None or cadence.kind != Cadence.Kind.PER_CONTACT:
        return {}
    begins = max(now, start_of_day(cadence.starts_on, ledger.home_calendar()))
    offset, days = offset_of(cadence.pk), cadence.period_days
    turns = slices(period_days=days, offset=offset, after=begins, until=begins + timedelta(days=days))
    found = {}
    for contact_id in contact_ids:
        bucket = bucket_of(contact_id)
        occurrence = min((turn.occurrence for turn in turns if turn.low <= bucket < turn.high), default=None)
        if occurrence is not None:
            found[contact_id] = due_at(bucket, occurrence, days, offset)
    return found
