"""What a shop says of codes: accepted once, refused with the reason, and told on as documented."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from apps.api.delighted.erasing import erase
from apps.contacts.models import Contact
from apps.incentives import redemption, services, stock
from apps.incentives.figures import figures_of
from apps.incentives.models import Voucher
from apps.incentives.services import RedemptionError
from apps.integrations.models import Delivery, Endpoint
from tests.incentives.giving import NOW, answered, generating, give, make_pool

pytestmark = pytest.mark.usefixtures("tenant")
LATER = NOW + timedelta(days=3)


def refused(code: str, **told: Any) -> str:
    with pytest.raises(RedemptionError) as caught:
        services.redeemed(code=code, **{"now": LATER, **told})
    return caught.value.code


def test_a_code_is_redeemed_once_and_the_same_order_again_is_the_same() -> None:
    [one] = give(make_pool(codes=1), answered()).values()
    first = services.redeemed(code=f" {one.code.lower()} ", order="A-1", amount=Decimal("49.90"), now=LATER)
    again = services.redeemed(code=one.code, order="A-1", amount=Decimal("1.00"), now=LATER + timedelta(days=9))
    assert (first.is_new, again.is_new) == (True, False)
    assert (again.voucher.order_amount, again.voucher.redeemed_at) == (Decimal("49.90"), LATER)
    assert refused(one.code, order="A-2") == "redeemed"
    assert refused(one.code) == "redeemed"


def test_without_an_order_a_code_that_was_redeemed_is_refused_like_any_other() -> None:
    [one] = give(make_pool(codes=1), answered()).values()
    assert services.redeemed(code=one.code, now=LATER).is_new
    assert refused(one.code) == "redeemed", "two customers without order numbers are not one"
    assert refused(one.code, order="A-1") == "redeemed"


def test_each_code_that_is_not_accepted_is_refused_with_its_reason() -> None:
    pool, rows = make_pool(codes=5, valid_days=1), answered(3)
    late, back, early = give(pool, rows).values()
    assert refused("nothing-like-it") == "unknown"
    assert refused("x" * 5000) == "unknown"
    assert refused(late.code) == "expired"
    redemption.expire_due(now=LATER)
    assert refused(late.code) == "expired"
    services.withdraw(ids=[back.voucher_id], now=NOW)
    assert refused(back.code) == "withdrawn"
    assert refused(early.code, at=NOW - timedelta(hours=1)) == "time"
    assert refused(early.code, at=LATER + timedelta(hours=1)) == "time"
    assert not Voucher.objects.filter(status="redeemed").exists()


def test_a_late_word_of_a_code_that_was_valid_then_is_accepted() -> None:
    [one] = give(make_pool(codes=1, valid_days=1), answered()).values()
    redemption.expire_due(now=LATER)
    done = services.redeemed(code=one.code, at=NOW + timedelta(hours=5), now=LATER)
    assert (done.voucher.status, done.voucher.redeemed_at) == ("redeemed", NOW + timedelta(hours=5))


def test_a_code_that_was_never_given_out_is_refused_and_stays_in_stock() -> None:
    pool = make_pool(codes=2)
    assert refused("sorry-00000") == "not_issued"
    services.withdraw(ids=[Voucher.objects.get(code="Sorry-00001").pk], now=NOW)
    assert refused("sorry-00001") == "not_issued"
    assert [one.code for one in give(pool, answered(3)).values()] == ["Sorry-00000"]


def test_what_was_redeemed_cannot_be_withdrawn() -> None:
    pool = make_pool(codes=3)
    one, two = give(pool, answered(2)).values()
    services.redeemed(code=one.code, now=LATER)
    assert services.withdraw(ids=list(Voucher.objects.values_list("pk", flat=True)), now=LATER) == 2
    figures = figures_of([pool])[pool.pk]
    assert (figures.given, figures.redeemed, figures.withdrawn, figures.free) == (2, 1, 2, 0)
    assert two.code


def test_an_erased_contact_leaves_its_vouchers_as_figures_only() -> None:
    pool, [row] = generating(unit_cost=Decimal("2.50"), currency="EUR"), answered()
    [one] = give(pool, [row]).values()
    services.redeemed(code=one.code, order="A-1", amount=Decimal(10), now=LATER)
    assert row.contact_id is not None
    assert erase(contact_id=row.contact_id, now=LATER)
    assert not Contact.objects.exists()
    voucher = Voucher.objects.get()
    assert (voucher.contact_id, voucher.response_id, voucher.reason, voucher.order_reference) == (None, None, None, "")
    assert refused(one.code) == "redeemed", "forgotten orders are no order"
    figures = figures_of([pool])[pool.pk]
    assert (figures.redeemed, figures.cost, figures.rate) == (1, Decimal("2.50"), 1.0)


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    return type(value).__name__


def test_what_is_told_is_what_the_documentation_shows() -> None:
    Endpoint.objects.create(url="https://shop.example/")
    pool = make_pool(codes=1, valid_days=14, low_stock=0)
    [one] = give(pool, answered()).values()
    services.redeemed(code=one.code, order="A-1", amount=Decimal("49.90"), now=LATER)
    page = (Path(settings.BASE_DIR) / "docs" / "webhooks.md").read_text()
    found = map(json.loads, re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    documented = {example["type"]: example["data"] for example in found}
    for event_type in ("voucher.issued", "voucher.redeemed", "vouchers.low"):
        [delivery] = Delivery.objects.filter(event_type=event_type)
        assert shape(delivery.payload) == shape(documented[event_type]), event_type
    assert (
        stock.last_moment(datetime(2026, 3, 24, tzinfo=UTC).date(), "UTC").isoformat()
        == (Delivery.objects.get(event_type="voucher.issued").payload["valid_until"])
    )
