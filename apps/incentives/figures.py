"""What came of voucher pools, in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum

from apps.incentives import stock
from apps.incentives.models import Voucher, VoucherPool

Status = Voucher.Status


@dataclass(frozen=True, slots=True)
class Figures:
    """A pool's numbers."""

    free: int = 0
    given: int = 0
    """Ever given out, whatever became of it."""
    redeemed: int = 0
    expired: int = 0
    withdrawn: int = 0
    orders: Decimal = Decimal(0)
    """What the orders came to in which vouchers were redeemed."""
    cost: Decimal | None = None
    """What the redeemed ones cost; None: not known."""

    @property
    def rate(self) -> float | None:
        """The redeemed share of those given out, 0 to 1; None while there are none."""
        return self.redeemed / self.given if self.given else None


def figures_of(pools: Sequence[VoucherPool]) -> dict[int, Figures]:
    """Pool's id → its numbers, for all of these. One query."""
    rows = (
        Voucher.objects.filter(pool__in=pools)
        .order_by()
        .values("pool")
        .annotate(
            free=Count("pk", filter=Q(status=Status.FREE)),
            given=Count("issued_at"),
            redeemed=Count("pk", filter=Q(status=Status.REDEEMED)),
            expired=Count("pk", filter=Q(status=Status.EXPIRED)),
            withdrawn=Count("pk", filter=Q(status=Status.WITHDRAWN)),
            orders=Sum("order_amount"),
        )
    )
    cost = {pool.pk: pool.unit_cost for pool in pools}
    found: dict[int, dict[str, Any]] = {row["pool"]: {**row} for row in rows}
    return {pool.pk: _figures(found.get(pool.pk, {}), cost[pool.pk]) for pool in pools}


def _figures(row: dict[str, Any], unit_cost: Decimal | None) -> Figures:
    numbers = {name: value for name, value in row.items() if name != "pool"}
    cost = None if unit_cost is None else unit_cost * row.get("redeemed", 0)
    return Figures(**{**numbers, "orders": row.get("orders") or Decimal(0)}, cost=cost)


def budget_left(pool: VoucherPool, *, now: datetime) -> stock.Budget:
    """What the pool's limits leave. At most two queries."""
    return stock.budget_of(pool, now=now)


def given_out(found: QuerySet[Voucher]) -> QuerySet[Voucher]:
    """Those that somebody has or had, the newest first."""
    return found.filter(issued_at__isnull=False).order_by(F("issued_at").desc(), "-pk")
