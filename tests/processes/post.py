"""Mails put straight into the outbox, and whether each left at most once. In the current tenant."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from apps.common import agenda
from apps.contacts.models import Contact, LegalBasis
from apps.messaging.models import OutgoingEmail
from apps.messaging.sending import LEASE
from apps.messaging.services import DELIVER_QUEUE, NewEmail, enqueue
from tests.processes import census
from tests.processes.mailserver import MailServer

TEXT = "Hello {{ name }},\n.a line that begins with a dot\n..and one with two\nü\n"
HTML = "<p>Hello {{ name }}, ü</p>\n.<br>\n"
WAITING = ("queued", "sending", "paused")


def send_out(addresses: Sequence[str], *, stream: str = "", **changes: Any) -> None:
    """Contacts who may be written to, and a mail to each, announced as the dispatch does."""
    contacts = Contact.objects.bulk_create(
        Contact(external_id=f"{stream}:{address}", email=address, name=address) for address in addresses
    )
    granted = timezone.now() - timedelta(days=1)
    LegalBasis.objects.bulk_create(
        LegalBasis(contact=row, kind="consent", source="test", granted_at=granted) for row in contacts
    )
    enqueue(
        mails=[
            NewEmail(
                **{
                    "reason": f"test:{stream}:{row.email}", "contact_id": row.id, "to_email": row.email or "",
                    "to_name": row.name, "subject": f"To {row.email}", "text": TEXT, "html": HTML,
                    "values": {"name": row.name}, "stream": stream, **changes,
                }
            )
            for row in contacts
        ],
        now=timezone.now(),
    )  # fmt: skip


def people(count: int, *, prefix: str = "p", domain: str = "fleet.example") -> list[str]:
    """Addresses without peculiarities."""
    return [f"{prefix}{n}@{domain}" for n in range(count)]


def statuses() -> dict[str, str]:
    """Address → what became of its mail."""
    return dict(OutgoingEmail.objects.values_list("to_email", "status"))


def counted() -> Counter[str]:
    """How many mails are how far."""
    return Counter(OutgoingEmail.objects.values_list("status", flat=True))


def waits() -> bool:
    """Whether some mail has not met its fate yet."""
    return OutgoingEmail.objects.filter(status__in=WAITING).exists()


def let_time_pass(span: timedelta = LEASE) -> None:
    """As if so much time had gone by for all mails that wait or are in somebody's hands; wakes the fleet."""
    rows = OutgoingEmail.objects.filter(status__in=WAITING)
    rows.update(due_at=F("due_at") - span, lease_until=F("lease_until") - span)
    wake()


def wake() -> None:
    """Send for the fleet now, not when the agenda's lease of a dead worker is over."""
    now = timezone.now()
    agenda.AgendaItem.objects.filter(queue=DELIVER_QUEUE).update(due_at=None)
    agenda.wake(queue=DELIVER_QUEUE, due_at=now, now=now)


def checks(server: MailServer, *, mails: int, unknown: int) -> list[census.Check]:
    """Each mail left at most once, at most ``unknown`` have a fate that nobody knows, and all others arrived."""
    known = {"sent": set(), "unknown": set()}  # type: dict[str, set[str]]
    for message_id, status in OutgoingEmail.objects.values_list("message_id", "status"):
        known.setdefault(status, set()).add(message_id)
    came = [mail["message_id"] for mail in server.mails]
    sure = [message_id for message_id in came if message_id not in known["unknown"]]
    others = {status: len(ids) for status, ids in known.items() if status not in ("sent", "unknown")}
    count = len(known["unknown"])
    return [
        census.equal("mails in the outbox", mails, sum(len(ids) for ids in known.values())),
        census.once_each("mails that came in", known["sent"], sure),
        census.equal("mails that came twice", [], server.doubled),
        census.Check("mails of unknown fate", f"at most {unknown}", str(count), count <= unknown),
        census.equal("mails neither sent nor unknown", {}, others),
        census.equal("violations of the protocol", [], server.violations[:3]),
    ]
