"""A contact's answer to a mail from a case: found by the address it went to, kept, and told to the case's owner.

Nothing is ever sent in answer, so that two machines cannot write to each other for ever.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from email.message import Message
from uuid import UUID

from django.db import transaction

from apps.alerts.models import Kind
from apps.alerts.services import tell
from apps.cases import addresses, incoming, services, telling
from apps.cases.incoming import Incoming
from apps.cases.models import Case, CaseMail
from apps.cases.services import Changes
from apps.common.ids import uuid7
from apps.contacts.ledger import home_calendar
from apps.messaging.suppressions import plain_address

MAX_KEPT = 100_000
"""Characters of a text that are kept."""


def case_of(*, recipients: Sequence[str], threads: Sequence[str] = ()) -> UUID | None:
    """The case of this tenant that a mail answers; None if it is none's. At most one query.

    By the mark in an address, else by the mails that it says it answers: only where it is certain otherwise that the
    mail is for this tenant.
    """
    found = addresses.genuine(addresses.marks_in(recipients))
    if found is not None or not threads:
        return found
    rows = dict(CaseMail.objects.filter(message_id__in=threads).values_list("message_id", "case_id"))
    return next((rows[one] for one in threads if one in rows), None)


def take(
    *,
    message: bytes | Message,
    now: datetime,
    envelope: Sequence[str] = (),
    may_thread: bool = False,
    is_cut: bool = False,
) -> CaseMail | None:
    """Keep a mail that came in with the case it answers; None if it belongs to no case of this tenant.

    ``envelope`` are recipients known from elsewhere. ``may_thread``: it came into the tenant's own mailbox, so that it
    may be known by what it answers. ``is_cut``: the message ends before the mail does. A mail that was taken before,
    whichever way, is returned as it was.
    """
    mail = incoming.read(message, envelope=envelope, is_cut=is_cut)
    case_id = case_of(recipients=mail.recipients, threads=mail.threads if may_thread else ())
    return None if case_id is None else keep(mail=mail, case_id=case_id, now=now)


@transaction.atomic
def keep(*, mail: Incoming, case_id: UUID, now: datetime) -> CaseMail | None:
    """Keep it with this case, or the one that went into; None if the case is gone.

    What a person wrote opens a closed case again and is told to its owner.
    """
    case = _locked(case_id)
    if case is None:
        return None
    text, full_text = mail.text[:MAX_KEPT], mail.full_text[:MAX_KEPT]
    row, is_new = CaseMail.objects.get_or_create(
        message_id=mail.message_id,
        defaults={
            "id": uuid7(), "case": case, "direction": CaseMail.Direction.IN, "kind": mail.kind, "at": now,
            "from_address": mail.sender, "subject": mail.subject, "text": text,
            "full_text": "" if full_text == text else full_text,
            "is_doubtful": mail.is_forged or not _is_from(case, mail.sender), "left_out": list(mail.left_out),
        },
    )  # fmt: skip
    if is_new and row.kind == CaseMail.Kind.PERSONAL:
        _go_on(case, row, now)
    return row


def _locked(case_id: UUID) -> Case | None:
    """The case where it goes on. Mails to one case come one after another."""
    rows = Case.objects.select_for_update(of=("self",)).select_related(
        "contact__company", "response__touchpoint", "merged_into"
    )
    case = rows.filter(pk=case_id).first()
    if case is not None and case.merged_into_id is not None:
        case = rows.filter(pk=case.merged_into_id).first()
    return case


def _is_from(case: Case, sender: str) -> bool:
    address = case.contact.email if case.contact else ""
    return bool(address) and bool(sender) and plain_address(address or "") == plain_address(sender)


def _go_on(case: Case, mail: CaseMail, now: datetime) -> None:
    if case.closed_at is not None:
        services.change(case_id=case.pk, revision=None, changes=Changes(status=Case.Status.CONTACTED), by=None, now=now)
    owners = {case.owner_id} if case.owner_id is not None else set()
    zone = home_calendar().zone
    found = telling.occasion(case, Kind.CASE_REPLY, f"mail:{mail.pk}", owners, zone=zone)
    tell(occasions=[replace(found, values={**found.values, "said": mail.text})], now=now)
