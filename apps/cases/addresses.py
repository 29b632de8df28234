"""Where a contact's answer to a mail from a case goes: an address that only its receiver knows.

``reply+case.<mark>@…``: the mark names tenant and case and is signed, so that nobody can make one, and nothing has to
be stored to find the case again. Small letters and digits only: mail systems may change capitals.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from apps.cases.models import CaseMailbox
from apps.common.db import connection

SIGNATURE, CASE = 8, 16  # bytes
MOST = 50
"""So many addresses of a mail are looked at."""
# Signature, case, and one to three bytes of the tenant's number.
_MARK = re.compile(r"\+case\.([a-z2-7]{40,44})@")


class Mark(NamedTuple):
    """What an address says, not checked yet."""

    signature: bytes
    case_id: UUID
    tenant: int


def reply_address(*, case_id: UUID) -> str:
    """The case's own address; "" where no answers are taken. At most one query."""
    own = CaseMailbox.objects.filter(is_active=True).values_list("address", flat=True).first()
    local, at, domain = (own or settings.INBOUND_ADDRESS).lower().rpartition("@")
    return f"{local}+case.{mark_of(case_id)}@{domain}" if at else ""


def mark_of(case_id: UUID) -> str:
    """The mark of a case of the current tenant."""
    tenant = _tenant()
    number = tenant.to_bytes(max(1, (tenant.bit_length() + 7) // 8), "big")
    signature = _signature(settings.SECRET_KEY, case_id, tenant)
    return base64.b32encode(signature + case_id.bytes + number).decode().rstrip("=").lower()


def marks_in(addresses: Iterable[str]) -> list[Mark]:
    """What addresses say, in their order. Nothing of it may be believed before :func:`genuine`."""
    found = []
    for address in list(addresses)[:MOST]:
        match = _MARK.search(address.lower())
        if match is None:
            continue
        text = match[1].upper()
        try:
            data = base64.b32decode(text + "=" * (-len(text) % 8))
        except ValueError:
            continue
        if CASE + SIGNATURE < len(data) <= CASE + SIGNATURE + 3:
            case_id = UUID(bytes=data[SIGNATURE : SIGNATURE + CASE])
            found.append(Mark(data[:SIGNATURE], case_id, int.from_bytes(data[SIGNATURE + CASE :], "big")))
    return list(dict.fromkeys(found))


def genuine(marks: Iterable[Mark]) -> UUID | None:
    """The case of the first mark that this tenant made, with today's key or an earlier one; None if there is none."""
    tenant = _tenant()
    for mark in marks:
        keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS) if mark.tenant == tenant else ()
        if any(hmac.compare_digest(_signature(key, mark.case_id, tenant), mark.signature) for key in keys):
            return mark.case_id
    return None


def _tenant() -> int:
    """The current tenant's number. Raises LookupError outside of one."""
    number = getattr(connection.tenant, "id", None)
    if not number:
        raise LookupError(f"{connection.schema_name} is no tenant: it has no cases.")
    return int(number)


def _signature(secret: str, case_id: UUID, tenant: int) -> bytes:
    key = hashlib.sha256(f"{secret}|case-address|{connection.schema_name}|{tenant}".encode()).digest()
    return hmac.digest(key, case_id.bytes, "sha256")[:SIGNATURE]
