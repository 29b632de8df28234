"""The outbox: queue messages, withdraw them, try failed ones again. Sending is in ``sending``."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Min, Q, QuerySet
from django.db.models.functions import Greatest

from apps.common import agenda
from apps.common.ids import uuid7
from apps.common.variables import one_line
from apps.messaging import channels, frames, holds, identities, listeners
from apps.messaging.channels import Person, Way
from apps.messaging.frames import Words
from apps.messaging.identities import Identity
from apps.messaging.models import OutgoingEmail, Pause
from apps.relays import services as relays

DELIVER_QUEUE = "messaging.deliver"


@dataclass(frozen=True, slots=True)
class NewEmail:
    """A mail to put into the outbox. ``reason`` is unique: one reason, one mail.

    ``text`` and ``html`` are what mails of one kind share, with ``{{ name }}`` where one of ``values`` goes;
    ``subject`` is this mail's own. In HTML values are escaped unless their name ends with ``_html``.
    Without a contact it is to a user: its stream is then ``TO_USERS``, and it needs no legal basis.
    """

    reason: str
    contact_id: UUID | None
    to_email: str
    to_name: str
    subject: str
    text: str
    html: str
    headers: dict[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    stream: str = ""
    """What may be paused as one, e.g. ``survey:3``."""
    needs_legal_basis: bool = True
    """Only the question whether we may write has none; it is about the mailbox and always goes there."""
    phone: str = ""
    """The contact's number (E.164): the tenant may want it used instead of the address."""
    sms: str = ""
    """What a text message says, with places like ``text``; without it that is made of the rest."""
    language: str = ""
    person: str = ""
    """Whose mail it is: named in the sender, where the sender's domain lets us."""
    reply_to: str = ""
    """Where answers go instead of the sender's address for them."""


def enqueue(*, mails: Sequence[NewEmail], now: datetime) -> dict[str, UUID]:
    """Put mails into the outbox; returns reason → mail id, also for reasons that had a mail before.

    Which channel each takes is decided here, by what the contact has and the tenant wants.
    """
    identity = identities.current()
    ways = channels.ways(
        {mail.reason: Person(mail.to_email, mail.phone if mail.needs_legal_basis else "") for mail in mails}
    )
    words = {mail.reason: _words(mail, ways[mail.reason]) for mail in mails}
    ids = frames.store(words.values())
    rows = [_row(mail, ids[words[mail.reason]], identity, ways[mail.reason], now) for mail in mails]
    OutgoingEmail.objects.bulk_create(rows, ignore_conflicts=True)
    agenda.wake(queue=DELIVER_QUEUE, due_at=now, now=now)
    return dict(OutgoingEmail.objects.filter(reason__in=[m.reason for m in mails]).values_list("reason", "id"))


def _words(mail: NewEmail, way: Way) -> Words:
    if way.channel == channels.EMAIL:
        return Words(mail.text, mail.html)
    text = channels.short_text(
        sms=mail.sms, text=mail.text, has_link="link" in mail.values, language=mail.language or settings.LANGUAGE_CODE
    )
    return Words(text, "")


def _row(mail: NewEmail, frame_id: int, identity: Identity, way: Way, now: datetime) -> OutgoingEmail:
    mail_id = uuid7()
    is_text = way.channel == channels.SMS
    return OutgoingEmail(
        id=mail_id,
        reason=mail.reason,
        stream=mail.stream,
        contact_id=mail.contact_id,
        needs_legal_basis=mail.needs_legal_basis,
        channel=way.channel,
        to_email=way.address,
        to_name=one_line(mail.to_name),
        domain="" if is_text else way.address.rpartition("@")[2].lower(),
        from_header=channels.sender_of_texts() if is_text else identity.signed_by(mail.person),
        reply_to="" if is_text else mail.reply_to or identity.reply_to,
        relay=relays.SMS if is_text else identity.relay,
        subject=one_line(mail.subject)[:300],
        frame_id=frame_id,
        values={name: value.replace("\x00", "") for name, value in mail.values.items()},
        headers={name: one_line(value) for name, value in mail.headers.items()},
        message_id=f"<{mail_id}@{identity.domain}>",
        due_at=now,
        queued_at=now,
    )


def next_delivery_due(*, now: datetime) -> datetime | None:
    """When the outbox needs a look: something is due (and in nobody's hands), or a lease or a rest runs out."""
    waits = holds.current(now=now)
    sending = Min("lease_until", filter=Q(status="sending"))
    if waits.is_paused:
        ends: datetime | None = OutgoingEmail.objects.filter(status="sending").aggregate(at=sending)["at"]
        return ends
    held = Q(stream__in=waits.streams) | Q(domain__in=waits.domains) | Q(relay__in=waits.relays)
    queued = Q(status="queued")
    found = OutgoingEmail.objects.filter(status__in=["queued", "sending"]).aggregate(
        queued=Min(Greatest("due_at", "lease_until"), filter=queued & ~held),
        held=Min("due_at", filter=queued & (Q(domain__in=waits.domains) | Q(relay__in=waits.relays))),
        leased=sending,
    )
    times = [found["queued"], found["leased"]]
    if found["held"] is not None and waits.until is not None:
        times.append(max(found["held"], waits.until))
    if OutgoingEmail.objects.filter(status="paused").exclude(stream__in=waits.streams).exists():
        times.append(now)
    return min((at for at in times if at is not None), default=None)


def requeue(*, email_ids: Collection[UUID], now: datetime) -> int:
    """Try mails again that failed for good; returns how many. What is unknown is never sent again by this."""
    failed = OutgoingEmail.objects.filter(id__in=email_ids, status=OutgoingEmail.Status.FAILED, frame__isnull=False)
    count = failed.update(status=OutgoingEmail.Status.QUEUED, attempts=0, due_at=now, last_error="")
    if count:
        agenda.wake(queue=DELIVER_QUEUE, due_at=now, now=now)
    return count


def settle_unknown(*, email_ids: Collection[UUID], has_left: bool, by: str, now: datetime) -> int:
    """A human has found out what became of messages of unknown fate; returns how many were settled.

    ``has_left``: they arrived, or at least left. Else they are sent now: only somebody who looked may say so.
    """
    rows = OutgoingEmail.objects.filter(id__in=email_ids, status=OutgoingEmail.Status.UNKNOWN)
    note = f"settled by {by}"[:500]
    if has_left:
        return _count_as_sent(rows, note, now)
    count = rows.filter(frame__isnull=False).update(
        status=OutgoingEmail.Status.QUEUED, attempts=0, due_at=now, last_error=note
    )
    if count:
        agenda.wake(queue=DELIVER_QUEUE, due_at=now, now=now)
    return count


@transaction.atomic
def _count_as_sent(rows: QuerySet[OutgoingEmail], note: str, now: datetime) -> int:
    ids = list(rows.select_for_update(of=("self",)).values_list("id", flat=True))
    OutgoingEmail.objects.filter(id__in=ids).update(status=OutgoingEmail.Status.SENT, sent_at=now, last_error=note)
    if ids and listeners.wants_sent():
        listeners.tell_sent(email_ids=ids, now=now)
    return len(ids)


def revoke_queued(*, reasons: Collection[str], because: str) -> list[str]:
    """Withdraw mails that no worker has begun to send; returns their reasons."""
    waiting = [OutgoingEmail.Status.QUEUED, OutgoingEmail.Status.PAUSED]
    rows = OutgoingEmail.objects.filter(reason__in=reasons, status__in=waiting)
    found = list(rows.order_by("id").select_for_update().values_list("reason", flat=True))
    rows.filter(reason__in=found).update(status=OutgoingEmail.Status.REVOKED, last_error=because, lease_until=None)
    return found


@transaction.atomic
def pause(*, stream: str, by: str, now: datetime) -> None:
    """Hold a stream back (the empty one: everything). Pausing twice keeps the first."""
    Pause.objects.get_or_create(stream=stream, defaults={"since": now, "by": by[:150]})
    agenda.wake(queue=DELIVER_QUEUE, due_at=now, now=now)


@transaction.atomic
def resume(*, stream: str, now: datetime) -> None:
    """Let a stream go on."""
    Pause.objects.filter(stream=stream).delete()
    agenda.wake(queue=DELIVER_QUEUE, due_at=now, now=now)
