"""What people answer to our text messages: that they want no more."""

import hashlib
import hmac
import re
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.contacts import services as contacts
from apps.contacts.models import Contact
from apps.messaging import listeners, suppressions
from apps.messaging.models import OutgoingEmail, Suppression
from apps.relays import services as relays

SOURCE = "STOP"
_STOP_WORDS = frozenset(
    {"STOP", "STOPP", "STOPALL", "ENDE", "END", "QUIT", "CANCEL", "UNSUBSCRIBE", "ABMELDEN", "ABBESTELLEN"}
)


def is_stop(text: str) -> bool:
    """Whether the whole message is one of the words that end it."""
    return re.sub(r"[\W_]+", "", text[:40]).upper() in _STOP_WORDS


def remember(*, number: str, schema_name: str, message_id: UUID, now: datetime) -> None:
    """Note that this is the last message to the number: an answer is one to it."""
    relays.remember_last(
        relay=relays.SMS, esp_id=_handle(number), schema_name=schema_name, email_id=message_id, now=now
    )


def owner_of(*, number: str) -> tuple[str, UUID] | None:
    """The schema and the id of the last message to this number; None if we never wrote there."""
    return relays.owner_of(relay=relays.SMS, esp_id=_handle(number))


def _handle(number: str) -> str:
    """The public schema knows no numbers: a hash under a key, the same for all tenants."""
    key = hashlib.sha256(f"{settings.ADDRESS_KEY}|sms".encode()).digest()
    return f"to:{hmac.digest(key, suppressions.plain_address(number).encode(), 'sha256').hex()}"


@transaction.atomic
def stop(*, number: str, message_id: UUID, now: datetime) -> None:
    """The number's owner wants no more: it is blocked, and the contacts who have it object."""
    number = suppressions.plain_address(number)
    suppressions.suppress(emails=[number], reason=Suppression.Reason.UNSUBSCRIBED, source=SOURCE, now=now)
    owners = set(Contact.objects.filter(phone=number).values_list("id", flat=True))
    # Whoever the message was to may have another number by now.
    asked = OutgoingEmail.objects.filter(pk=message_id, to_email=number, contact__isnull=False)
    leaving = owners | set(asked.values_list("contact_id", flat=True))
    for contact_id in leaving:
        contacts.object_to_mail(contact_id=contact_id, now=now)
    listeners.tell_left(contact_ids=leaving, addresses=[number], source=SOURCE, now=now)
