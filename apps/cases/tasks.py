"""The drains of cases: reminders, what is overdue, escalation; answers that come into mailboxes."""

from datetime import datetime
from itertools import islice

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from apps.cases import addresses, alarms, incoming, mailboxes, own_mailbox, receivers
from apps.cases.imap import Account
from apps.cases.mailboxes import Keeper
from apps.common.queues import drain_task
from apps.relays.models import IncomingWay
from apps.tenants.tasks import TenantTask

SHARED = "mailbox"
"""The key of the mailbox of all tenants."""
ROUNDS = 10

drain_task(queue=alarms.QUEUE, step=lambda now: alarms.sound_due(now=now), next_due=alarms.next_due)
drain_task(queue=mailboxes.QUEUE, step=lambda now: own_mailbox.look(now=now), next_due=own_mailbox.next_due)


@shared_task(name="cases.fetch", base=TenantTask, public=True)
def fetch() -> int:
    """Fetch answers from the mailbox of all tenants, if there is one."""
    return sum(islice(iter(lambda: look(now=timezone.now()), 0), ROUNDS))


def look(*, now: datetime) -> int:
    """Look into the mailbox of all tenants if it is time; returns how many messages were looked at."""
    if not settings.INBOUND_MAILBOX:
        return 0
    row = IncomingWay.objects.get_or_create(key=SHARED)[0]
    # The operator's own: it may be in the same network.
    account = Account(**settings.INBOUND_MAILBOX, allow_private=True)
    return mailboxes.poll(box=row, account=account, keeper=Keeper(_may_be_ours, _take), now=now)


def _may_be_ours(head: bytes) -> bool:
    return bool(addresses.marks_in(incoming.recipients_of(head)))


def _take(raw: bytes, is_cut: bool, now: datetime) -> bool:
    return receivers.deliver(message=raw, now=now, is_cut=is_cut)
