"""The rows behind the pages about vouchers, and the same rows as a file."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.common.spreadsheets import Cell
from apps.incentives import codes
from apps.incentives.models import PLAIN_CODE, Voucher, VoucherPool
from apps.transfers.export_rows import Table, local, table
from apps.workspace.paging import Page, page, page_by_id

_HEADER = ("code", "status", "contact_id", "contact_external_id", "contact_email", "contact_name", "response_id",
           "issued_at", "valid_until", "redeemed_at", "order", "order_amount")  # fmt: skip
_FIELDS = ("code", "status", "contact_id", "contact__external_id", "contact__email", "contact__name", "response_id",
           "order_reference", "order_amount", "issued_at", "valid_until", "redeemed_at")  # fmt: skip
_WITH_TIME = frozenset({Voucher.Status.ISSUED, Voucher.Status.REDEEMED, Voucher.Status.EXPIRED})


def pools(values: dict[str, Any]) -> QuerySet[VoucherPool]:
    """Pools that fit a PoolFilter."""
    found = VoucherPool.objects.all()
    if values["q"]:
        found = found.filter(name__icontains=values["q"])
    if values["kind"]:
        found = found.filter(kind=values["kind"])
    if values["state"] == "low":
        found = found.filter(is_active=True, is_low=True)
    elif values["state"]:
        found = found.filter(is_active=values["state"] == "on")
    return found


def vouchers(pool: VoucherPool, values: dict[str, Any]) -> QuerySet[Voucher]:
    """A pool's vouchers that fit a VoucherFilter. What is searched for is found in whatever state it is."""
    found = Voucher.objects.filter(pool=pool).select_related("contact")
    words = values["q"].strip()
    if words:
        found = found.annotate(plain=PLAIN_CODE).filter(Q(plain__startswith=codes.plain(words)) | _of_contact(words))
    if values["status"]:
        return found.filter(status=values["status"])
    return found if words else found.filter(issued_at__isnull=False)


def _of_contact(words: str) -> Q:
    found = Q()
    for name in ("name", "email", "external_id"):
        found |= Q(**{f"contact__{name}__icontains": words})
    return found


def voucher_page(pool: VoucherPool, values: dict[str, Any], cursor: str) -> Page:
    """One page of them: given out last first; what may never have been given out, as it came in. Two queries."""
    found = vouchers(pool, values)
    has_times = values["status"] in _WITH_TIME or not (values["status"] or values["q"].strip())
    return page(found, field="issued_at", cursor=cursor) if has_times else page_by_id(found, cursor=cursor)


def voucher_table(found: QuerySet[Voucher], *, zone: tzinfo) -> Table:
    """Vouchers for a spreadsheet, in the order given. A query for every part of them."""
    return table(found, header=_HEADER, read=lambda ids: _read(ids, zone))


def _read(ids: Sequence[UUID], zone: tzinfo) -> Mapping[UUID, Sequence[Cell]]:
    rows = Voucher.objects.filter(pk__in=ids).values_list("pk", *_FIELDS)
    return {
        pk: [code, status, _text(contact), external_id, email, name, _text(response),
             *(local(moment, zone) for moment in times), order, _text(amount)]
        for pk, code, status, contact, external_id, email, name, response, order, amount, *times in rows
    }  # fmt: skip


def _text(value: Any) -> Cell:
    return None if value is None else str(value)
