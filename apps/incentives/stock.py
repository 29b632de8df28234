"""What a pool still has to give: its free codes, its budgets, new codes, and the alarm when it runs low."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Count, Q

from apps.alerts.models import Kind
from apps.alerts.services import Occasion, tell
from apps.common.bulk import copy_rows
from apps.common.db import connection
from apps.common.ids import uuid7
from apps.contacts.ledger import home_calendar
from apps.incentives import announcements, codes
from apps.incentives.models import Voucher, VoucherPool

MAX_CODES = 1_000_000
"""So many codes can be uploaded at once."""
SHOWN_BAD = 50
"""So many wrong lines are told of by number."""
_IN_FLIGHT = 1000
"""Codes that others may be giving out at this moment: so close to the alarm, one waits for the other."""
_TABLE = "incentives_upload"
_MAKE = f"CREATE TEMPORARY TABLE {_TABLE} (place integer, id uuid, code varchar({codes.MAX_CODE})) ON COMMIT DROP"
# A code that stands twice in the file, or is known (also to another pool), is counted and left out.
_STORE = f"""
WITH once AS (SELECT DISTINCT ON (upper(code)) place, id, code FROM {_TABLE} ORDER BY upper(code), place),
new AS (
    INSERT INTO incentives_voucher (id, pool_id, code, status, order_reference)
    SELECT id, %s, code, 'free', '' FROM once ORDER BY place ON CONFLICT DO NOTHING RETURNING 1
)
SELECT (SELECT count(*) FROM {_TABLE}), (SELECT count(*) FROM once), (SELECT count(*) FROM new)
"""  # noqa: S608


class StockError(Exception):
    """Codes cannot be taken as a whole; ``code`` says why: "generated" (the pool makes its own), "too_many"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class Added:
    """What became of uploaded codes."""

    added: int = 0
    repeated: int = 0
    """Stood more than once in what was uploaded."""
    known: int = 0
    """Were here before, in this pool or another."""
    bad: int = 0
    """Can be no codes."""
    bad_lines: list[tuple[int, str]] = field(default_factory=list)
    """The first of those: number of the line, and what stood there."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a pool's limits leave; None: no limit."""

    total: int | None
    month: int | None

    @property
    def left(self) -> int | None:
        """The narrower of the two, never below nothing."""
        known = [limit for limit in (self.total, self.month) if limit is not None]
        return max(0, min(known)) if known else None


def month_begins(now: datetime) -> datetime:
    """When this month began by the tenant's clock. One query."""
    local = now.astimezone(ZoneInfo(home_calendar().zone))
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def budget_of(pool: VoucherPool, *, now: datetime) -> Budget:
    """What may still be given out. Counted from the vouchers, so that there is no figure that could go wrong.

    What was given out counts for good, whatever became of it: the code is out. Exact for whoever holds the pool's
    lock. At most two queries; none without a budget.
    """
    if not pool.has_budget:
        return Budget(None, None)
    since = month_begins(now) if pool.max_per_month is not None else None
    given = Voucher.objects.filter(pool=pool, issued_at__isnull=False)
    if pool.max_issued is None:
        given = given.filter(issued_at__gte=since)
    found = given.aggregate(
        total=Count("pk"), month=Count("pk", filter=Q(issued_at__gte=since) if since else Q(pk__isnull=True))
    )
    return Budget(
        total=None if pool.max_issued is None else pool.max_issued - found["total"],
        month=None if pool.max_per_month is None else pool.max_per_month - found["month"],
    )


def free_in(pool: VoucherPool, *, up_to: int) -> int:
    """Free codes of a pool, counted no further than ``up_to``. One query."""
    return Voucher.objects.filter(pool=pool, status=Voucher.Status.FREE).order_by()[:up_to].count()


def left_in(pool: VoucherPool, *, now: datetime, up_to: int) -> int | None:
    """How many could be given out, counted up to a bound; None: as many as one likes."""
    left = budget_of(pool, now=now).left
    if pool.kind == VoucherPool.Kind.UPLOADED:
        free = free_in(pool, up_to=up_to)
        return free if left is None else min(free, left)
    return left


def look_after(*, pool_id: int, now: datetime) -> None:
    """Tell once that a pool runs low, and be ready to tell it again when there is more in it. Part of a transaction.

    Whoever gives codes out does not see what others are giving out at the same time. So close to the alarm one waits
    for the other at the pool's row: the last one sees everything.
    """
    pool = VoucherPool.objects.get(pk=pool_id)
    if pool.low_stock is None:
        if pool.is_low:
            VoucherPool.objects.filter(pk=pool_id).update(is_low=False)
        return
    near = pool.low_stock + _IN_FLIGHT
    left = left_in(pool, now=now, up_to=near + 1)
    if (left is None or left > near) and not pool.is_low:
        return
    pool = VoucherPool.objects.select_for_update(no_key=True).get(pk=pool_id)
    left = left_in(pool, now=now, up_to=near + 1)
    is_low = pool.is_active and left is not None and pool.low_stock is not None and left <= pool.low_stock
    if is_low == pool.is_low:
        return
    pool.is_low = is_low
    pool.low_count += is_low
    pool.save(update_fields=["is_low", "low_count"])
    if is_low:
        _sound(pool, left or 0, now)


def _sound(pool: VoucherPool, left: int, now: datetime) -> None:
    """The alarm: to other systems, and to users who subscribed to it."""
    reason = f"vouchers-low:{pool.pk}:{pool.low_count}"
    announcements.low(pool=pool, left=left, reason=reason, now=now)
    values = {"pool": pool.name, "left": str(left)}
    occasion = Occasion(kind=Kind.VOUCHERS_LOW, reason=reason, user_ids=(), values=values, path=f"/vouchers/{pool.pk}/")
    tell(occasions=[occasion], now=now)


@transaction.atomic
def add_codes(*, pool_id: int, lines: Iterable[tuple[int, str]], now: datetime) -> Added:
    """Put codes into a pool's stock; ``lines`` are numbers of lines and what stands there, read once.

    They go into the database as they are read, so a million takes no more memory than a thousand. All of them or, if
    that fails, none. Raises StockError; VoucherPool.DoesNotExist.
    """
    pool = VoucherPool.objects.get(pk=pool_id)
    if pool.kind != VoucherPool.Kind.UPLOADED:
        raise StockError("generated")
    told = Added()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{_TABLE}")
        cursor.execute(_MAKE)
        copy_rows(_TABLE, ("place", "id", "code"), _good(lines, told))
        cursor.execute(_STORE, [pool.pk])
        count, once, told.added = cursor.fetchone()
    told.repeated, told.known = count - once, once - told.added
    look_after(pool_id=pool.pk, now=now)
    return told


def _good(lines: Iterable[tuple[int, str]], told: Added) -> Iterator[tuple[int, object, str]]:
    """Rows for those that can be codes; the others are noted."""
    count = 0
    for number, text in lines:
        code = text.strip()
        if not code:
            continue
        count += 1
        if count > MAX_CODES:
            raise StockError("too_many")
        if codes.is_code(code):
            yield number, uuid7(), code
            continue
        told.bad += 1
        if len(told.bad_lines) < SHOWN_BAD:
            told.bad_lines.append((number, code[:80]))


def last_moment(day: date, zone: str) -> datetime:
    """The last second of a day by the tenant's clock."""
    return datetime.combine(day, time(23, 59, 59), tzinfo=ZoneInfo(zone))


def valid_until(pool: VoucherPool, *, now: datetime, zone: str) -> datetime | None:
    """Until when a code holds that is given out now: to the end of a day, and never longer than the pool."""
    days = [pool.ends_on] if pool.ends_on else []
    if pool.valid_days is not None:
        days.append(now.astimezone(ZoneInfo(zone)).date() + timedelta(days=pool.valid_days))
    return last_moment(min(days), zone) if days else None


@transaction.atomic
def save_pool(*, pool: VoucherPool, fields: Iterable[str], now: datetime) -> None:
    """Save a pool that was checked, new or these fields of it, and look whether it runs low with what it says now.

    Only what was asked for: vouchers that are given out meanwhile note in the same row that it runs low.
    """
    if pool.pk is None:
        pool.save()
    elif names := sorted(fields):
        pool.save(update_fields=names)
    # What is empty from the beginning is waited for, not alarming: a new pool gets its codes next.
    if pool.low_count or pool.is_low or Voucher.objects.filter(pool=pool).exists():
        look_after(pool_id=pool.pk, now=now)
