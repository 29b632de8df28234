"""The outbox: queue mails, send them at most once, remember whom not to write to."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Min, Q
from django.db.models.functions import Greatest

from apps.common import agenda, tokens
from apps.common.ids import uuid7
from apps.common.variables import one_line
from apps.contacts import services as contacts
from apps.messaging import transport
from apps.messaging.models import OutgoingEmail, Sender, Suppression

DELIVER_QUEUE = "messaging.deliver"
LEASE = timedelta(minutes=5)
MAX_ATTEMPTS = 56  # about two days, see transport.backoff
BATCH = 20


@dataclass(frozen=True, slots=True)
class NewEmail:
    """A mail to put into the outbox. ``reason`` is unique: one reason, one mail."""

    reason: str
    contact_id: UUID
    to_email: str
    to_name: str
    subject: str
    text: str
    html: str
    headers: dict[str, str] = field(default_factory=dict)


def default_sender() -> Sender:
    """The tenant's default sender; an unsaved one from the platform's address if there is none."""
    return Sender.objects.order_by("-is_default", "pk").first() or Sender(**transport.platform_sender())


def enqueue(*, mails: Sequence[NewEmail], now: datetime) -> dict[str, UUID]:
    """Put mails into the outbox; returns reason → mail id, also for reasons that had a mail before."""
    sender = default_sender()
    domain = transport.address("", sender.email).rpartition("@")[2]
    rows = []
    for mail in mails:
        mail_id = uuid7()
        rows.append(
            OutgoingEmail(
                id=mail_id,
                reason=mail.reason,
                contact_id=mail.contact_id,
                to_email=mail.to_email,
                to_name=one_line(mail.to_name),
                from_header=transport.address(sender.name, sender.email),
                reply_to=sender.reply_to,
                subject=one_line(mail.subject)[:300],
                text=mail.text,
                html=mail.html,
                headers={name: one_line(value) for name, value in mail.headers.items()},
                message_id=f"<{mail_id}@{domain}>",
                due_at=now,
                queued_at=now,
            )
        )
    OutgoingEmail.objects.bulk_create(rows, ignore_conflicts=True)
    agenda.wake(queue=DELIVER_QUEUE, due_at=now, now=now)
    return dict(OutgoingEmail.objects.filter(reason__in=[m.reason for m in mails]).values_list("reason", "id"))


def next_delivery_due() -> datetime | None:
    """When the outbox needs a look: a queued mail is due (and in nobody's hands), or a lease runs out."""
    found = OutgoingEmail.objects.filter(status__in=["queued", "sending"]).aggregate(
        queued=Min(Greatest("due_at", "lease_until"), filter=Q(status="queued")),
        leased=Min("lease_until", filter=Q(status="sending")),
    )
    return min((at for at in found.values() if at is not None), default=None)


def send_batch(*, now: datetime, limit: int = BATCH) -> int:
    """Send up to ``limit`` due mails; returns how many rows were handled.

    A mail is marked *sending*, and that is committed, before its first byte leaves, and its result
    is written before the next one starts. Whoever finds one still *sending* after the lease cannot
    know whether it left: it becomes *unknown*, never sent again. So a worker that dies leaves at
    most one such mail; the rest of its batch is taken by the next worker.
    """
    lost = _give_up_lost(now)
    batch = _claim(now, limit)
    if not batch:
        return lost
    blocked = suppressed(emails=[mail.to_email for mail in batch])
    allowed = contacts.with_legal_basis(contact_ids=[mail.contact_id for mail in batch if mail.contact_id])
    with transport.Session() as session:
        for mail in batch:
            objection = _objection(mail, blocked, allowed)
            if objection:
                mail.status, mail.last_error = OutgoingEmail.Status.REVOKED, objection
            elif _begin(mail):
                _note(mail, session.send(mail), now)
            else:
                continue  # Our lease ran out, and somebody else has it.
            mail.lease_until = None
            mail.save(update_fields=["status", "last_error", "sent_at", "due_at", "lease_until"])
    return lost + len(batch)


def requeue(*, email_ids: Collection[UUID], now: datetime) -> int:
    """Try mails again that failed for good; returns how many. What is unknown is never sent again."""
    failed = OutgoingEmail.objects.filter(id__in=email_ids, status=OutgoingEmail.Status.FAILED)
    count = failed.update(status=OutgoingEmail.Status.QUEUED, attempts=0, due_at=now, last_error="")
    if count:
        agenda.wake(queue=DELIVER_QUEUE, due_at=now, now=now)
    return count


def revoke_queued(*, reasons: Collection[str], because: str) -> list[str]:
    """Withdraw mails that no worker has begun to send; returns their reasons."""
    rows = OutgoingEmail.objects.filter(reason__in=reasons, status=OutgoingEmail.Status.QUEUED)
    found = list(rows.select_for_update().values_list("reason", flat=True))
    rows.filter(reason__in=found).update(status=OutgoingEmail.Status.REVOKED, last_error=because, lease_until=None)
    return found


def _give_up_lost(now: datetime) -> int:
    return OutgoingEmail.objects.filter(status=OutgoingEmail.Status.SENDING, lease_until__lt=now).update(
        status=OutgoingEmail.Status.UNKNOWN, lease_until=None, last_error="interrupted while sending"
    )


def _claim(now: datetime, limit: int) -> list[OutgoingEmail]:
    """Due mails, leased to us but still queued."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE messaging_outgoingemail SET lease_until = %s
            WHERE id IN (SELECT id FROM messaging_outgoingemail
                         WHERE status = 'queued' AND due_at <= %s AND (lease_until IS NULL OR lease_until < %s)
                         ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
            RETURNING id
            """,
            [now + LEASE, now, now, limit],
        )
        ids = [row[0] for row in cursor.fetchall()]
    return list(OutgoingEmail.objects.filter(id__in=ids).order_by("due_at"))


def _objection(mail: OutgoingEmail, blocked: Collection[str], allowed: Collection[UUID]) -> str:
    """Why the mail must not leave any more; "" if it may."""
    if mail.to_email in blocked:
        return "suppressed"
    if mail.contact_id is None:
        return "contact_gone"
    return "" if mail.contact_id in allowed else "no_legal_basis"


def _begin(mail: OutgoingEmail) -> bool:
    """Mark one leased mail *sending*; False if the lease is no longer ours."""
    mine = OutgoingEmail.objects.filter(pk=mail.pk, status=OutgoingEmail.Status.QUEUED, lease_until=mail.lease_until)
    mail.attempts += 1
    return bool(mine.update(status=OutgoingEmail.Status.SENDING, attempts=mail.attempts))


def _note(mail: OutgoingEmail, outcome: transport.Outcome, now: datetime) -> None:
    mail.last_error = outcome.error[:500]
    mail.status = OutgoingEmail.Status(outcome.status)
    if outcome.status == OutgoingEmail.Status.SENT:
        mail.sent_at = now
    elif outcome.status == OutgoingEmail.Status.BOUNCED and outcome.is_bad_address:
        suppress(emails=[mail.to_email], reason=Suppression.Reason.BOUNCED, source=outcome.error, now=now)
    elif outcome.status == OutgoingEmail.Status.QUEUED:
        if mail.attempts >= MAX_ATTEMPTS:
            mail.status = OutgoingEmail.Status.FAILED
        mail.due_at = now + transport.backoff(mail.attempts)


def address_hash(email: str) -> bytes:
    """How an address is remembered after its contact is gone."""
    return tokens.keyed_hash(email.strip().lower())


def suppressed(*, emails: Iterable[str]) -> set[str]:
    """Those of the addresses that must not be mailed."""
    hashes = {address_hash(email): email for email in emails}
    found = Suppression.objects.filter(address_hash__in=hashes).values_list("address_hash", flat=True)
    return {hashes[bytes(value)] for value in found}


def suppress(*, emails: Collection[str], reason: Suppression.Reason, source: str, now: datetime) -> None:
    """Never mail these addresses again. An address that is suppressed already keeps its first reason."""
    Suppression.objects.bulk_create(
        [
            Suppression(
                address_hash=address_hash(email), email=email, reason=reason, source=source[:120], created_at=now
            )
            for email in emails
        ],
        ignore_conflicts=True,
    )
