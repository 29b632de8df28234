"""Asking for consent by mail (double opt-in): one question per reason, answered by the link in its mail.

A request is a row that waits (``due_at``). The drain of the layer that knows how mails look takes it, unless the
address must not be asked; what became of it stands in the row.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Min, Q, QuerySet

from apps.common import agenda, tokens
from apps.common.db import connection
from apps.contacts import services as contacts
from apps.contacts.identity import ContactData, resolve_contacts
from apps.contacts.models import Contact, OptIn
from apps.messaging import listeners, suppressions
from apps.messaging import services as messaging
from apps.messaging.models import Suppression

ASK_QUEUE = "surveys.ask_consent"
LIFETIME = timedelta(days=7)
"""So long the link in the mail may be used."""
MOST, WITHIN = 3, timedelta(days=30)
"""So many unanswered questions an address gets within that time, whoever types it in wherever."""
_LOCK = "SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key"


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody may be asked whether they agree. ``reason`` is unique: one reason, one mail."""

    reason: str
    email: str
    source: str
    wording: str
    """The text to agree to, in the person's language; it becomes part of the proof."""
    contact_id: UUID | None = None
    text_version: str = ""
    language: str = ""
    is_own_wish: bool = False
    """From the person's own page, after they had unsubscribed: only then such an address is asked."""


def mail_reason(row: OptIn) -> str:
    """The reason that the outbox knows the request's mail by."""
    return f"opt_in:{row.id}"


def request(*, asks: Sequence[Ask], now: datetime, due_at: datetime | None = None) -> None:
    """Have these people asked, at ``due_at`` or now. A reason that was there before is not asked again.

    One that still waits gets the new time.
    """
    at = due_at or now
    rows = [
        OptIn(
            contact_id=ask.contact_id, email=ask.email.strip().lower(), source=ask.source[:120],
            text_version=ask.text_version[:60], wording=ask.wording, language=ask.language[:20], reason=ask.reason,
            is_own_wish=ask.is_own_wish, requested_at=now, due_at=at,
        )
        for ask in asks
    ]  # fmt: skip
    if not rows:
        return
    OptIn.objects.bulk_create(rows, ignore_conflicts=True)
    OptIn.objects.filter(reason__in=[row.reason for row in rows], due_at__isnull=False).update(due_at=at)
    agenda.wake(queue=ASK_QUEUE, due_at=at, now=now)


def withdraw(*, prefix: str, but: str = "") -> None:
    """Forget requests whose reason begins with ``prefix`` and that have no mail yet, except the reason ``but``."""
    OptIn.objects.filter(reason__startswith=prefix, due_at__isnull=False).exclude(reason=but).delete()


def next_due() -> datetime | None:
    """When the next request is to get its mail; None if none waits."""
    return OptIn.objects.filter(due_at__isnull=False).aggregate(at=Min("due_at"))["at"]


class Question(NamedTuple):
    """A request that is to be mailed now, with the secret of its link."""

    row: OptIn
    token: str


def take(*, now: datetime, limit: int = 200, only: UUID | None = None) -> tuple[list[Question], int]:
    """Requests that get their mail now, and how many were looked at. Must run in the mails' own transaction.

    The others are noted as refused with the reason: nobody is asked at a blocked address, nobody who has
    confirmed already, and no address too often.
    """
    waiting = OptIn.objects.filter(due_at__lte=now, **({"pk": only} if only else {}))
    rows = list(waiting.order_by("due_at").select_for_update(skip_locked=True, of=("self",))[:limit])
    if not rows:
        return [], 0
    emails = {row.email for row in rows}
    _lock_addresses(emails)
    blocked = suppressions.reasons_of(emails=emails)
    confirmed = contacts.confirmed_addresses(emails=emails)
    asked = _asked(emails, now)
    going = []
    for row in rows:
        row.due_at = None
        row.refused_because = _objection(row, blocked.get(row.email, ""), confirmed, asked[row.email])
        if not row.refused_because:
            asked[row.email] += 1
            going.append(Question(row, tokens.new_token()))
    for row, token in going:
        row.token_hash, row.mailed_at, row.expires_at = tokens.hash_token(token), now, now + LIFETIME
    _find_contacts([row for row, _token in going], now)
    fields = ["contact", "due_at", "refused_because", "token_hash", "mailed_at", "expires_at"]
    OptIn.objects.bulk_update(rows, fields, batch_size=500)
    return going, len(rows)


def _lock_addresses(emails: Collection[str]) -> None:
    """Two workers must not both find room for one more mail to the same address."""
    keys = sorted(int.from_bytes(tokens.keyed_hash(f"opt-in|{email}")[:8], "big", signed=True) for email in emails)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [keys])


def _asked(emails: Collection[str], now: datetime) -> defaultdict[str, int]:
    """How many questions each address got lately without answering."""
    rows = OptIn.objects.filter(email__in=emails, mailed_at__gt=now - WITHIN, confirmed_at=None)
    return defaultdict(int, rows.values_list("email").annotate(Count("pk")))


def _objection(row: OptIn, blocked: str, confirmed: Collection[str], asked: int) -> str:
    """Why the person is not asked; "" if they are."""
    if blocked and not (row.is_own_wish and blocked == Suppression.Reason.UNSUBSCRIBED):
        return "suppressed"
    if row.email in confirmed:
        return "already_confirmed"
    return "asked_too_often" if asked >= MOST else ""


def _find_contacts(rows: Sequence[OptIn], now: datetime) -> None:
    """Requests that know only an address get the contact who has it; a new one if nobody has."""
    bare = [row for row in rows if row.contact_id is None]
    if not bare:
        return
    # Anybody may have typed the address in: that says nothing about the language of a contact we know.
    known = set(Contact.objects.filter(email__in=[row.email for row in bare]).values_list("email", flat=True))
    people: list[ContactData] = [
        {"email": row.email, "locale": "" if row.email in known else row.language} for row in bare
    ]
    for row, contact in zip(bare, resolve_contacts(people=people, now=now), strict=True):
        row.contact = contact


def put_aside(*, request_id: UUID, now: datetime) -> None:
    """This one breaks the others: it is not asked, and says so."""
    OptIn.objects.filter(pk=request_id, due_at__isnull=False).update(due_at=None, refused_because="error")


def find(*, token: str) -> OptIn | None:
    """The request that a link belongs to."""
    return OptIn.objects.filter(token_hash=tokens.hash_token(token)).first()


@transaction.atomic
def confirm(*, request_id: UUID, now: datetime) -> None:
    """The link was used: the consent is proven from now on. Twice is fine; an expired link does nothing.

    Whoever had unsubscribed and confirms a new question is taken back: see ``lift_for_new_consent``.
    """
    row = OptIn.objects.select_for_update(of=("self",)).get(pk=request_id)
    if row.confirmed_at is not None or row.expires_at is None or row.expires_at < now:
        return
    row.confirmed_at = now
    row.save(update_fields=["confirmed_at"])
    contacts.record_confirmed(opt_in=row, now=now)
    suppressions.lift_for_new_consent(email=row.email, now=now)


def addresses_of(contact: Contact) -> set[str]:
    """Where we write to somebody: mailbox and telephone.

    Not the mailboxes that were only asked so far: whose they are shows when they confirm.
    """
    return {contact.email or "", contact.phone} - {""}


@transaction.atomic
def leave(*, contact: Contact, source: str, now: datetime) -> None:
    """The person wants no more messages: all their addresses are blocked, every legal basis ends, nobody asks them.

    A telephone number is blocked, too: text messages lead to the same page. A later consent by mail is about the
    mailbox; the number stays blocked.
    """
    addresses = addresses_of(contact)
    suppressions.suppress(emails=sorted(addresses), reason=Suppression.Reason.UNSUBSCRIBED, source=source, now=now)
    contacts.object_to_mail(contact_id=contact.id, now=now)
    listeners.tell_left(contact_ids=[contact.id], addresses=addresses, source=source, now=now)
    # Questions to these addresses that somebody else asked for, too.
    _take_back(OptIn.objects.filter(Q(contact=contact) | Q(email__in=addresses)))


@transaction.atomic
def leave_mailbox(*, question: OptIn, source: str, now: datetime) -> None:
    """Whoever reads the mailbox that was asked wants nothing there; who named it may be somebody else.

    The contact that has the address leaves altogether; the one that only typed it in is left alone.
    """
    for holder in Contact.objects.filter(email=question.email):
        leave(contact=holder, source=source, now=now)
    suppressions.suppress(emails=[question.email], reason=Suppression.Reason.UNSUBSCRIBED, source=source, now=now)
    _take_back(OptIn.objects.filter(email=question.email))


def _take_back(rows: QuerySet[OptIn]) -> None:
    """Questions that wait are forgotten, their mails that wait are withdrawn."""
    reasons = [mail_reason(row) for row in rows]
    rows.filter(due_at__isnull=False).delete()
    messaging.revoke_queued(reasons=reasons, because="suppressed")
