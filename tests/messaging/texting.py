"""A tenant that writes text messages, and what stands in the outbox."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.contacts.models import Contact, LegalBasis
from apps.messaging.models import MailPolicy, OutgoingEmail
from apps.messaging.sending import send_batch
from apps.messaging.services import NewEmail, enqueue

SID, TOKEN, SENDER = "AC" + "1" * 32, "token-of-the-account", "+4930123456"
NUMBER = "+491701234567"
TWILIO = {"provider": "twilio", "account": SID, "token": TOKEN, "sender": SENDER}


def queue(*numbers: str) -> None:
    """A text message to a contact each, who may be written to."""
    MailPolicy.objects.get_or_create(pk=1, defaults={"sms_use": "without_email"})
    mails = []
    for number in numbers:
        contact = Contact.objects.create(external_id=number, phone=number)
        LegalBasis.objects.create(contact=contact, kind="consent", source="test", granted_at=timezone.now())
        values = {"link": "https://x.example/s/1", "unsubscribe_url": "https://x.example/u/1"}
        mails.append(
            NewEmail(
                reason=f"test:{number}:{OutgoingEmail.objects.count()}", contact_id=contact.id, to_email="",
                to_name="Ada", subject="Wie war es?", text="Hallo", html="<p>Hallo</p>", values=values, phone=number,
                language="de",
            )
        )  # fmt: skip
    enqueue(mails=mails, now=timezone.now())


def send() -> int:
    """Whatever is due."""
    return send_batch(now=timezone.now() + timedelta(seconds=1))


def fates() -> dict[str, tuple[str, str]]:
    """Number → status and last error."""
    rows = OutgoingEmail.objects.values_list("to_email", "status", "last_error")
    return {number: (status, error) for number, status, error in rows}


def signed(url: str, **posted: str) -> dict[str, Any]:
    """The signature that Twilio puts on a request."""
    from twilio.request_validator import RequestValidator

    return {"x-twilio-signature": RequestValidator(TOKEN).compute_signature(url, posted)}
