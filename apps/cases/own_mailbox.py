"""The tenant's own mailbox for answers: when it is looked into, and what belongs to whom."""

from datetime import datetime

from django.conf import settings
from django.db.models.functions import Greatest

from apps.cases import incoming, mailboxes, receiving
from apps.cases.imap import Account
from apps.cases.mailboxes import Keeper
from apps.cases.models import CaseMailbox
from apps.common import agenda, sealed


def account_of(row: CaseMailbox) -> Account:
    """How to read it. Raises :class:`apps.common.sealed.UnreadableError`."""
    return Account(
        host=row.host, port=row.port, security=row.security, user=row.user, password=sealed.readable(row.password),
        folder=row.folder, allow_private=settings.WEBHOOK_ALLOW_PRIVATE,
    )  # fmt: skip


def look(*, now: datetime) -> int:
    """Look into the mailbox if it is time; returns how many messages were looked at."""
    row = CaseMailbox.objects.filter(is_active=True).first()
    if row is None:
        return 0
    try:
        account = account_of(row)
    except sealed.UnreadableError as error:
        CaseMailbox.objects.filter(pk=row.pk).update(
            last_error=str(error)[:500], next_check_at=now + mailboxes.LONGEST_PAUSE
        )
        return 0
    return mailboxes.poll(box=row, account=account, keeper=Keeper(_may_be_ours, _take), now=now)


def next_due() -> datetime | None:
    """When it is to be looked into next; None if there is none."""
    rows = CaseMailbox.objects.filter(is_active=True, next_check_at__isnull=False)
    # In PostgreSQL the greatest of a time and nothing is the time.
    at: datetime | None = rows.values_list(Greatest("next_check_at", "lease_until"), flat=True).first()
    return at


def saved(*, now: datetime) -> None:
    """It was set up or changed: look into it now."""
    CaseMailbox.objects.filter(is_active=True).update(next_check_at=now, faults=0, last_error="")
    agenda.wake(queue=mailboxes.QUEUE, due_at=now, now=now)


def _may_be_ours(head: bytes) -> bool:
    found = receiving.case_of(recipients=incoming.recipients_of(head), threads=incoming.threads_of(head))
    return found is not None


def _take(raw: bytes, is_cut: bool, now: datetime) -> bool:
    return receiving.take(message=raw, now=now, may_thread=True, is_cut=is_cut) is not None
