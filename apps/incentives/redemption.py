"""What becomes of vouchers that were given out: redeemed, out of date, withdrawn, forgotten."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Min

from apps.incentives import announcements, codes, stock
from apps.incentives.models import PLAIN_CODE, Voucher

QUEUE = "incentives.expire"
SKEW = timedelta(minutes=5)
"""So far another system's clock may be off."""
BATCH = 1000
Status = Voucher.Status


class RedemptionError(Exception):
    """A voucher is not accepted; ``code`` says why.

    "unknown": there is no such code. "not_issued": it was never given out, so whoever has it did not get it from us.
    "withdrawn": taken back. "expired": it was out of date at that time. "redeemed": it was used before, in another
    order. "time": it is said to have been redeemed in the future, or before it was given out.
    """

    def __init__(self, code: str, voucher: Voucher | None = None) -> None:
        super().__init__(code)
        self.code, self.voucher = code, voucher


@dataclass(frozen=True, slots=True)
class Redemption:
    """A voucher that is redeemed; ``is_new``: since this call."""

    voucher: Voucher
    is_new: bool


@transaction.atomic
def redeemed(
    *, code: str, now: datetime, order: str = "", amount: Decimal | None = None, at: datetime | None = None
) -> Redemption:
    """A shop says that a code was redeemed, ``at`` some time (now unless told), in an order of some value.

    Told again with the same order it is the same redemption; without one nothing tells two orders apart. A code that
    was valid at that time is accepted, even if it is out of date by now. What is refused changes nothing. Raises
    RedemptionError.
    """
    rows = Voucher.objects.annotate(plain=PLAIN_CODE).filter(plain=codes.plain(code)).select_related("pool")
    row = rows.select_for_update(of=("self",), no_key=True).first()
    if row is None:
        raise RedemptionError("unknown")
    if row.status == Status.REDEEMED and order and row.order_reference == order:
        return Redemption(row, is_new=False)
    when = at or now
    problem = _problem(row, when, now)
    if problem:
        raise RedemptionError(problem, row)
    row.status, row.redeemed_at, row.order_reference, row.order_amount = Status.REDEEMED, when, order, amount
    row.save(update_fields=["status", "redeemed_at", "order_reference", "order_amount"])
    announcements.redeemed(pool=row.pool, voucher=row, now=now)
    return Redemption(row, is_new=True)


def _problem(row: Voucher, at: datetime, now: datetime) -> str:
    """Why a voucher is not accepted; "" if it is."""
    if row.issued_at is None:
        return "not_issued"
    if row.status in {Status.WITHDRAWN, Status.REDEEMED}:
        return str(row.status)
    if at > now + SKEW or at < row.issued_at - SKEW:
        return "time"
    return "expired" if row.valid_until is not None and at > row.valid_until else ""


@transaction.atomic
def withdraw(*, ids: Collection[UUID], now: datetime) -> int:
    """Take vouchers back, or out of the stock; returns how many. Those that were redeemed stay so.

    What was given out goes on counting against the budget: the code is out.
    """
    rows = Voucher.objects.filter(pk__in=ids).exclude(status__in=[Status.REDEEMED, Status.WITHDRAWN])
    found = list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", "pool_id"))
    Voucher.objects.filter(pk__in=[pk for pk, _pool in found]).update(status=Status.WITHDRAWN)
    for pool_id in sorted({pool_id for _pk, pool_id in found}):
        stock.look_after(pool_id=pool_id, now=now)
    return len(found)


@transaction.atomic
def expire_due(*, now: datetime, limit: int = BATCH) -> int:
    """Mark vouchers that nobody redeemed in time; returns how many."""
    rows = Voucher.objects.filter(status=Status.ISSUED, valid_until__lt=now).order_by("valid_until")
    ids = list(rows.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)[:limit])
    return Voucher.objects.filter(pk__in=ids).update(status=Status.EXPIRED)


def next_due() -> datetime | None:
    """When the next voucher is out of date; None while none is."""
    found: datetime | None = Voucher.objects.filter(status=Status.ISSUED).aggregate(at=Min("valid_until"))["at"]
    return found


def forget(*, contact_id: UUID) -> int:
    """A contact is erased: its vouchers stay as figures, and name neither it, its answer nor its orders."""
    rows = Voucher.objects.filter(contact=contact_id)
    return rows.update(contact=None, response=None, reason=None, order_reference="")
