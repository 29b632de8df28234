"""Tells other systems (webhooks) what became of invitations, and who wants no more messages."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.contacts.models import Contact
from apps.integrations import webhooks
from apps.integrations.models import EventType
from apps.integrations.webhooks import Occurrence
from apps.messaging import listeners, suppressions
from apps.messaging.models import OutgoingEmail, Suppression
from apps.surveys.models import Invitation


class Announcer:
    """See :class:`apps.messaging.listeners.Listener`."""

    def wants_sent(self) -> bool:
        return webhooks.is_wanted(event_type=EventType.INVITATION_SENT)

    def sent(self, *, email_ids: Collection[UUID], now: datetime) -> None:
        rows = Invitation.objects.filter(email__in=email_ids).select_related("email")
        found = [Occurrence(f"{EventType.INVITATION_SENT}:{row.pk}", sent_payload(row, row.email)) for row in rows]
        webhooks.publish_many(event_type=EventType.INVITATION_SENT, occurrences=found, now=now)

    def bounced(self, *, email_id: UUID, detail: str, now: datetime) -> None:
        if not webhooks.is_wanted(event_type=EventType.INVITATION_BOUNCED):
            return
        rows = Invitation.objects.filter(email=email_id).select_related("email")
        found = [
            Occurrence(f"{EventType.INVITATION_BOUNCED}:{row.pk}", bounced_payload(row, row.email, detail, now))
            for row in rows
        ]
        webhooks.publish_many(event_type=EventType.INVITATION_BOUNCED, occurrences=found, now=now)

    def has_left(
        self, *, contact_ids: Collection[UUID], addresses: Collection[str], source: str, now: datetime
    ) -> None:
        if not webhooks.is_wanted(event_type=EventType.CONTACT_UNSUBSCRIBED):
            return
        # The first word that blocks an address names what happened: who clicks twice is told of once, and who comes
        # back and leaves again, twice.
        hashes = [suppressions.address_hash(address) for address in addresses]
        words = Suppression.objects.filter(address_hash__in=hashes, lifted_at=None, reason__in=suppressions.BINDING)
        word = words.order_by("pk").first()
        if word is None:
            return
        found = [
            Occurrence(f"{EventType.CONTACT_UNSUBSCRIBED}:{contact.pk}:{word.pk}", left_payload(contact, word, source))
            for contact in Contact.objects.filter(pk__in=contact_ids).only("id", "external_id")
        ]
        webhooks.publish_many(event_type=EventType.CONTACT_UNSUBSCRIBED, occurrences=found, now=now)


def _invitation(row: Invitation, email: OutgoingEmail) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "survey_id": row.survey_id,
        "touchpoint_id": row.touchpoint_id,
        "event_id": str(row.event_id) if row.event_id else None,
        "contact_id": str(row.contact_id) if row.contact_id else None,
        "channel": email.channel,
    }


def sent_payload(row: Invitation, email: OutgoingEmail | None) -> dict[str, Any]:
    """What ``invitation.sent`` says."""
    assert email is not None  # noqa: S101 - rows were found by their message
    return {**_invitation(row, email), "sent_at": email.sent_at.isoformat() if email.sent_at else None}


def bounced_payload(row: Invitation, email: OutgoingEmail | None, detail: str, now: datetime) -> dict[str, Any]:
    """What ``invitation.bounced`` says; ``detail`` is the other side's text."""
    assert email is not None  # noqa: S101 - rows were found by their message
    return {**_invitation(row, email), "detail": detail, "bounced_at": now.isoformat()}


def left_payload(contact: Contact, word: Suppression, source: str) -> dict[str, Any]:
    """What ``contact.unsubscribed`` says: no address, since whoever is told knows the contact."""
    return {
        "id": str(contact.pk),
        "external_id": contact.external_id,
        "because": word.reason,
        "source": source,
        "unsubscribed_at": word.created_at.isoformat(),
    }


listeners.register(Announcer())
