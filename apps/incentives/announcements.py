"""Tells other systems (webhooks) of vouchers: given out, redeemed, running out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from apps.incentives.models import Voucher, VoucherPool
from apps.integrations import webhooks
from apps.integrations.models import EventType
from apps.integrations.webhooks import Occurrence


def issued(*, pool: VoucherPool, vouchers: Sequence[Voucher], now: datetime) -> None:
    """These were given out. One query."""
    found = [Occurrence(f"voucher-issued:{row.pk}", issued_payload(pool, row)) for row in vouchers]
    webhooks.publish_many(event_type=EventType.VOUCHER_ISSUED, occurrences=found, now=now)


def redeemed(*, pool: VoucherPool, voucher: Voucher, now: datetime) -> None:
    """This was redeemed. One query."""
    payload = redeemed_payload(pool, voucher)
    reason = f"voucher-redeemed:{voucher.pk}"
    webhooks.publish(event_type=EventType.VOUCHER_REDEEMED, reason=reason, payload=payload, now=now)


def low(*, pool: VoucherPool, left: int, reason: str, now: datetime) -> None:
    """A pool runs out. One query."""
    payload = {"id": pool.pk, "name": pool.name, "kind": pool.kind, "left": left, "threshold": pool.low_stock}
    webhooks.publish(event_type=EventType.VOUCHERS_LOW, reason=reason, payload=payload, now=now)


def issued_payload(pool: VoucherPool, row: Voucher) -> dict[str, Any]:
    """What ``voucher.issued`` says: enough for a shop to make the code valid."""
    return {
        "id": str(row.pk),
        "pool_id": pool.pk,
        "pool": pool.name,
        "code": row.code,
        "response_id": str(row.response_id) if row.response_id else None,
        "contact_id": str(row.contact_id) if row.contact_id else None,
        "issued_at": row.issued_at.isoformat() if row.issued_at else None,
        "valid_until": row.valid_until.isoformat() if row.valid_until else None,
    }


def redeemed_payload(pool: VoucherPool, row: Voucher) -> dict[str, Any]:
    """What ``voucher.redeemed`` says."""
    return {
        **issued_payload(pool, row),
        "redeemed_at": row.redeemed_at.isoformat() if row.redeemed_at else None,
        "order": row.order_reference,
        "amount": str(row.order_amount) if row.order_amount is not None else None,
    }
