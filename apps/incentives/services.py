"""Gives vouchers out: to each response one at most, no code twice, and never more than a pool's budget allows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.common import agenda
from apps.common.db import connection
from apps.common.ids import uuid7
from apps.contacts.ledger import home_calendar
from apps.incentives import announcements, codes, stock
from apps.incentives.models import Voucher, VoucherPool
from apps.incentives.redemption import QUEUE, Redemption, RedemptionError, redeemed, withdraw
from apps.responses.models import Response
from apps.responses.selectors import with_promise

__all__ = ["Issued", "Redemption", "RedemptionError", "Wanted", "issue", "redeemed", "why_none", "withdraw"]
_TRIES = 20
"""So often new codes are drawn where some were taken: with 40 bits at least, once is nearly always enough."""
# The first free codes that nobody else has in hand: whoever is at the same pool takes the next ones, and nobody waits.
_TAKE = """
WITH free AS (
    SELECT id, row_number() OVER (ORDER BY id) AS n FROM (
        SELECT id FROM incentives_voucher WHERE pool_id = %(pool)s AND status = 'free'
        ORDER BY id LIMIT %(count)s FOR UPDATE SKIP LOCKED
    ) AS first
), wanted AS (
    SELECT * FROM unnest(%(responses)s::uuid[], %(contacts)s::uuid[], %(reasons)s::text[])
    WITH ORDINALITY AS w(response_id, contact_id, reason, n)
)
UPDATE incentives_voucher AS v
SET status = 'issued', response_id = w.response_id, contact_id = w.contact_id, reason = w.reason,
    issued_at = %(now)s, valid_until = %(until)s
FROM free JOIN wanted AS w USING (n) WHERE v.id = free.id
RETURNING v.id, v.code, v.reason
"""
_MAKE = """
INSERT INTO incentives_voucher
       (id, pool_id, code, status, response_id, contact_id, reason, issued_at, valid_until, order_reference)
SELECT w.id, %(pool)s, w.code, 'issued', w.response_id, w.contact_id, w.reason, %(now)s, %(until)s, ''
FROM unnest(%(ids)s::uuid[], %(codes)s::text[], %(responses)s::uuid[], %(contacts)s::uuid[], %(reasons)s::text[])
     AS w(id, code, response_id, contact_id, reason)
ON CONFLICT (upper(code) COLLATE "C") DO NOTHING
RETURNING id, code, reason
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A voucher for one response. ``reason`` names what for, once over all vouchers: asking twice gives the same."""

    response_id: UUID
    contact_id: UUID | None
    reason: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A voucher that somebody has; ``is_new``: since this call."""

    voucher_id: UUID
    code: str
    valid_until: datetime | None
    is_new: bool


def issue(*, pool_id: int, wanted: Sequence[Wanted], now: datetime) -> dict[str, Issued]:
    """Give each its voucher; returns reason → voucher. Reasons that are missing got none: see :func:`why_none`.

    Must run in a transaction, with one call per pool. The same reason, or the same response, gets the voucher that it
    has, also from a pool that gives out no more; one that was withdrawn is not replaced. Responses that are gone, and
    those whose contacts were promised anonymity (a code would tie the answer to an order), get none.

    The responses are locked in the order of their ids, so that who asks for the same one waits, and sees what it got.
    Free codes are passed over where somebody has them in hand. The pool itself is locked only while it has a budget:
    then what is left is counted by one at a time. Raises VoucherPool.DoesNotExist.
    """
    pool = VoucherPool.objects.get(pk=pool_id)
    if pool.has_budget:
        pool = VoucherPool.objects.select_for_update(no_key=True).get(pk=pool_id)
    allowed = _lock_responses(wanted)
    known = _known(pool, wanted)
    waiting: dict[UUID, Wanted] = {}
    seen = set(known.reasons)
    for one in wanted:
        if one.response_id in allowed and one.reason not in seen and one.response_id not in known.responses:
            seen.add(one.reason)
            waiting.setdefault(one.response_id, one)
    new = _give(pool, list(waiting.values()), now)
    return _told(wanted, known, waiting, new)


def why_none(*, pool_id: int, now: datetime) -> str:
    """Why a pool has nothing to give: "pool_inactive", "pool_expired", "pool_budget", "pool_empty"; "": it has some.

    Raises VoucherPool.DoesNotExist.
    """
    pool = VoucherPool.objects.get(pk=pool_id)
    reason = _closed(pool, now, home_calendar().zone)
    if reason:
        return reason
    if stock.budget_of(pool, now=now).left == 0:
        return "pool_budget"
    if pool.kind == VoucherPool.Kind.UPLOADED and not stock.free_in(pool, up_to=1):
        return "pool_empty"
    return ""


def _closed(pool: VoucherPool, now: datetime, zone: str) -> str:
    if not pool.is_active:
        return "pool_inactive"
    is_over = pool.ends_on is not None and now > stock.last_moment(pool.ends_on, zone)
    return "pool_expired" if is_over else ""


def _lock_responses(wanted: Sequence[Wanted]) -> set[UUID]:
    """Those that may get one, locked until the end of the transaction. One query."""
    asked = Response.objects.filter(pk__in={one.response_id for one in wanted})
    rows = with_promise(asked).filter(is_promised=False)  # type: ignore[misc]  # the annotation is not seen
    return set(rows.order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))


@dataclass(frozen=True, slots=True)
class _Known:
    """Vouchers that were given out before, by what they were asked for."""

    reasons: Mapping[str, Voucher]
    responses: Mapping[UUID, Voucher]


def _known(pool: VoucherPool, wanted: Sequence[Wanted]) -> _Known:
    """What the wanted have already. One query."""
    own = Q(pool=pool, response__in={one.response_id for one in wanted})
    rows = list(Voucher.objects.filter(Q(reason__in={one.reason for one in wanted}) | own))
    return _Known(
        {row.reason: row for row in rows if row.reason},
        {row.response_id: row for row in rows if row.response_id and row.pool_id == pool.pk},
    )


def _give(pool: VoucherPool, waiting: Sequence[Wanted], now: datetime) -> dict[str, Issued]:
    """New vouchers for the first of these, as many as there are; reason → voucher."""
    zone = home_calendar().zone
    if not waiting or _closed(pool, now, zone):
        return {}
    left = stock.budget_of(pool, now=now).left
    chosen = waiting if left is None else waiting[:left]
    until = stock.valid_until(pool, now=now, zone=zone)
    rows: list[tuple[UUID, str, str]] = []
    if chosen:
        take = _taken if pool.kind == VoucherPool.Kind.UPLOADED else _made
        rows = take(pool, chosen, {"pool": pool.pk, "now": now, "until": until})
    if rows:
        by_reason = {one.reason: one for one in chosen}
        vouchers = [_row(pool, by_reason[reason], pk, code, now, until) for pk, code, reason in rows]
        announcements.issued(pool=pool, vouchers=vouchers, now=now)
        if until is not None:
            agenda.wake(queue=QUEUE, due_at=until, now=now)
    stock.look_after(pool_id=pool.pk, now=now)
    return {reason: Issued(pk, code, until, is_new=True) for pk, code, reason in rows}


def _row(pool: VoucherPool, one: Wanted, pk: UUID, code: str, now: datetime, until: datetime | None) -> Voucher:
    return Voucher(
        id=pk, pool=pool, code=code, response_id=one.response_id, contact_id=one.contact_id, reason=one.reason,
        issued_at=now, valid_until=until,
    )  # fmt: skip


def _columns(chosen: Iterable[Wanted]) -> dict[str, Any]:
    rows = list(chosen)
    return {
        "responses": [one.response_id for one in rows],
        "contacts": [one.contact_id for one in rows],
        "reasons": [one.reason for one in rows],
    }


def _taken(pool: VoucherPool, chosen: Sequence[Wanted], given: Mapping[str, Any]) -> list[tuple[UUID, str, str]]:
    """Free codes of the stock. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {**given, **_columns(chosen), "count": len(chosen)})
        found: list[tuple[UUID, str, str]] = cursor.fetchall()
        return found


def _made(pool: VoucherPool, chosen: Sequence[Wanted], given: Mapping[str, Any]) -> list[tuple[UUID, str, str]]:
    """Codes made on demand. One query, and another one only where a code was drawn that is taken."""
    found: list[tuple[UUID, str, str]] = []
    left = list(chosen)
    for _try in range(_TRIES):
        if not left:
            break
        drawn: dict[str, Any] = {
            "ids": [uuid7() for _one in left],
            "codes": [codes.draw(pool.pattern) for _one in left],
        }
        with connection.cursor() as cursor:
            cursor.execute(_MAKE, {**given, **_columns(left), **drawn})
            found += cursor.fetchall()
        done = {reason for _pk, _code, reason in found}
        left = [one for one in left if one.reason not in done]
    return found


def _told(
    wanted: Sequence[Wanted], known: _Known, waiting: Mapping[UUID, Wanted], new: Mapping[str, Issued]
) -> dict[str, Issued]:
    told: dict[str, Issued] = {}
    for one in wanted:
        row = known.reasons.get(one.reason) or known.responses.get(one.response_id)
        if row is not None:
            if row.status != Voucher.Status.WITHDRAWN:
                told[one.reason] = Issued(row.pk, row.code, row.valid_until, is_new=False)
            continue
        first = waiting.get(one.response_id)
        found = new.get(first.reason) if first else None
        if first is not None and found is not None:
            is_new = first.reason == one.reason
            told[one.reason] = Issued(found.voucher_id, found.code, found.valid_until, is_new=is_new)
    return told
