"""Whom we must not write to: remembered as keyed hashes of addresses, also after the contact is gone."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F

from apps.common import tokens
from apps.common.bulk import fetch_rows
from apps.contacts import phones
from apps.contacts.models import Contact, LegalBasis
from apps.messaging.models import Suppression

_REASONS = "SELECT address_hash, reason FROM messaging_suppression WHERE address_hash = ANY(%s) AND lifted_at IS NULL"
BINDING = frozenset({Suppression.Reason.UNSUBSCRIBED, Suppression.Reason.COMPLAINED})
"""What a person said themselves: only they can take it back."""


def address_hash(address: str) -> bytes:
    """How an address (of a mailbox or a telephone) is remembered after its contact is gone."""
    return tokens.keyed_hash(plain_address(address))


def plain_address(address: str, region: str = "") -> str:
    """The address as it is compared: a mailbox in lower case, a telephone number in international form.

    ``region`` is the country of a number that does not say it.
    """
    return address.strip().lower() if "@" in address else phones.e164(address, region) or address.strip().lower()


def suppressed(*, emails: Iterable[str]) -> set[str]:
    """Those of the addresses that must not be written to. One query."""
    return set(reasons_of(emails=emails))


def reasons_of(*, emails: Iterable[str]) -> dict[str, str]:
    """Address → why it must not be written to, for those that must not. One query."""
    by_hash: dict[bytes, list[str]] = {}
    for email in emails:
        by_hash.setdefault(address_hash(email), []).append(email)
    if not by_hash:
        return {}
    found = fetch_rows(_REASONS, [list(by_hash)])
    return {email: reason for value, reason in found for email in by_hash[bytes(value)]}


def suppress(*, emails: Collection[str], reason: str, source: str, now: datetime) -> None:
    """Never write to these addresses again. An address that is suppressed already keeps its first reason.

    But what a person said themselves replaces a bounce or an entry by hand: those can be lifted as mistakes.
    """
    rows = [
        Suppression(address_hash=address_hash(email), email=email, reason=reason, source=source[:120], created_at=now)
        for email in emails
    ]
    Suppression.objects.bulk_create(rows, ignore_conflicts=True)
    _bind(rows, now)


@dataclass(frozen=True, slots=True)
class Entry:
    """One address to block, as a list brings it."""

    address: str
    reason: str
    source: str


def add(*, entries: Sequence[Entry], now: datetime) -> int:
    """Block the addresses of a list; returns how many were not blocked before. The others: as in :func:`suppress`."""
    by_hash = {address_hash(entry.address): entry for entry in reversed(entries)}
    found = Suppression.objects.filter(address_hash__in=list(by_hash), lifted_at=None)
    known = {bytes(value): reason for value, reason in found.values_list("address_hash", "reason")}
    rows = {
        value: Suppression(
            address_hash=value, email=entry.address, reason=entry.reason, source=entry.source[:120], created_at=now
        )
        for value, entry in by_hash.items()
    }
    fresh = [row for value, row in rows.items() if value not in known]
    Suppression.objects.bulk_create(fresh, ignore_conflicts=True)
    _bind([row for value, row in rows.items() if known.get(value, "") not in {"", *BINDING}], now)
    return len(fresh)


def _bind(rows: Sequence[Suppression], now: datetime) -> None:
    """Let a person's own word take the place of another reason. No query unless there is such a word."""
    words = {bytes(row.address_hash): row for row in rows if row.reason in BINDING}
    if not words:
        return
    weaker = Suppression.objects.filter(address_hash__in=list(words), lifted_at=None).exclude(reason__in=BINDING)
    with transaction.atomic():
        changed = list(weaker.order_by("pk").select_for_update())
        for row in changed:
            word = words[bytes(row.address_hash)]
            row.reason, row.source, row.created_at = word.reason, word.source, now
        Suppression.objects.bulk_update(changed, ["reason", "source", "created_at"])


@dataclass(slots=True)
class Lifted:
    """What came of lifting suppressions."""

    done: list[Suppression] = field(default_factory=list)
    refused: list[Suppression] = field(default_factory=list)
    """Whose owner unsubscribed or complained, and has not agreed anew since."""


@transaction.atomic
def lift(*, ids: Collection[int], because: str, by: str, now: datetime) -> Lifted:
    """Let these addresses be written to again; the rows stay as history. ``because`` must say something.

    What bounced, was entered by hand or imported may have been a mistake. Who unsubscribed or complained must have
    agreed anew since, by the link in a confirmation mail: nobody else can take that back. Raises ValueError
    without a reason.
    """
    because = " ".join(because.split())
    if not because:
        raise ValueError("say why it is lifted")
    rows = Suppression.objects.filter(pk__in=ids, lifted_at=None).order_by("pk").select_for_update()
    result = Lifted()
    agreed = _agreed_anew([row for row in rows if row.reason in BINDING])
    for row in rows:
        if row.reason in BINDING and row.pk not in agreed:
            result.refused.append(row)
            continue
        row.lifted_at, row.lifted_because, row.lifted_by = now, because[:200], by[:150]
        result.done.append(row)
    Suppression.objects.bulk_update(result.done, ["lifted_at", "lifted_because", "lifted_by"])
    return result


def _agreed_anew(rows: Sequence[Suppression]) -> set[int]:
    """Those whose address confirmed a consent after it was blocked."""
    emails = [row.email for row in rows if row.email]
    contacts = Contact.objects.filter(email__in=emails, legal_bases__kind=LegalBasis.Kind.CONSENT)
    contacts = contacts.filter(legal_bases__revoked_at=None, legal_bases__confirmed_at__isnull=False)
    found: dict[str, datetime] = {}
    for email, at in contacts.values_list("email", F("legal_bases__confirmed_at")):
        if email:
            found[email] = max(at, found.get(email, at))
    return {row.pk for row in rows if row.email in found and found[row.email] > row.created_at}


def lift_for_new_consent(*, email: str, now: datetime) -> None:
    """The owner of the address, who had unsubscribed, has just confirmed that they want our mails again.

    Their own later word goes before their earlier one. It says nothing about a mailbox that does not exist or a
    complaint to the mail provider: these stay, or we would harm the delivery of everybody's mails.
    """
    rows = Suppression.objects.filter(address_hash=address_hash(email), lifted_at=None)
    rows.filter(reason=Suppression.Reason.UNSUBSCRIBED).update(
        lifted_at=now, lifted_because="new consent, confirmed by mail", lifted_by=""
    )
