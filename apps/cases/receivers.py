"""Mails that come in for the platform as a whole, by a mail service or the mailbox of all tenants.

Which tenant's they are follows from the mark in the address they went to, which that tenant signed, and from nothing
else that they say.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from email.message import Message
from typing import Any

from anymail.signals import AnymailInboundEvent, inbound
from django.db.models import F
from django.dispatch import receiver
from django_tenants.utils import schema_context, tenant_context

from apps.cases import addresses, incoming, receiving
from apps.relays import reports
from apps.relays.models import ENVIRONMENT, IncomingWay
from apps.tenants import registry
from apps.tenants.models import Tenant

logger = logging.getLogger(__name__)

MOST_TENANTS = 5


@receiver(inbound, dispatch_uid="case-mails")
def hear(event: AnymailInboundEvent, esp_name: str, **_: Any) -> None:
    """Keep a mail that a mail service brings; what is nobody's is counted and dropped."""
    posted, message = reports.current.get(), event.message
    if posted is None or message is None:
        return
    envelope = [str(message.envelope_recipient)] if message.envelope_recipient else []
    is_taken = deliver(message=message, now=posted.now, envelope=envelope)
    count(key=posted.relay or ENVIRONMENT, is_taken=is_taken, now=posted.now)
    if not is_taken:
        logger.warning("%s brought a mail that belongs to no case", esp_name)


def deliver(*, message: bytes | Message, now: datetime, envelope: Sequence[str] = (), is_cut: bool = False) -> bool:
    """Keep a mail with the case of the tenant whose mark is in an address of it; False if it is nobody's."""
    mail = incoming.read(message, envelope=envelope, is_cut=is_cut)
    numbers = dict.fromkeys(mark.tenant for mark in addresses.marks_in(mail.recipients))
    for number in list(numbers)[:MOST_TENANTS]:
        tenant = _tenant(number)
        if tenant is None:
            continue
        with tenant_context(tenant):
            case_id = receiving.case_of(recipients=mail.recipients)
            if case_id is not None and receiving.keep(mail=mail, case_id=case_id, now=now) is not None:
                return True
    return False


def count(*, key: str, is_taken: bool, now: datetime) -> None:
    """Note that a mail came by this way, and whether it was somebody's."""
    rows = IncomingWay.objects.filter(key=key)
    with schema_context(registry.PUBLIC):
        IncomingWay.objects.bulk_create([IncomingWay(key=key)], ignore_conflicts=True)
        rows.update(checked_at=now, **({"taken": F("taken") + 1} if is_taken else {"nobodys": F("nobodys") + 1}))


def _tenant(number: int) -> registry.TenantRef | None:
    """The active tenant with this number."""
    with schema_context(registry.PUBLIC):
        name = Tenant.objects.filter(pk=number).values_list("schema_name", flat=True).first()
    return registry.by_schema(name) if name else None
