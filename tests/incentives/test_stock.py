"""Codes that are uploaded, and the alarm when a pool runs low."""

import time
import tracemalloc
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from apps.accounts.models import User
from apps.alerts.models import Notice, Subscription
from apps.incentives import codes, stock
from apps.incentives.models import Voucher, VoucherPool
from apps.integrations.models import Delivery, Endpoint
from tests.incentives.giving import NOW, answered, generating, give, make_pool

pytestmark = pytest.mark.usefixtures("tenant")


def add(pool: VoucherPool, *lines: str) -> stock.Added:
    return stock.add_codes(pool_id=pool.pk, lines=enumerate(lines, 1), now=NOW)


def test_what_becomes_of_each_line_is_counted_and_wrong_ones_are_named() -> None:
    first, second = make_pool(name="First"), make_pool(name="Second")
    assert add(first, "AAAA-1", "AAAA-2").added == 2
    told = add(second, "aaaa-1", "BBBB-1", " bbbb-1 ", "", "=SUM(1)", "Grüße-1", "abc", "x" * 65, "<b>1234", "BBBB-2")
    assert (told.added, told.repeated, told.known, told.bad) == (2, 1, 1, 5)
    assert [number for number, _text in told.bad_lines] == [5, 6, 7, 8, 9]
    assert list(Voucher.objects.filter(pool=second).order_by("pk").values_list("code", flat=True)) == [
        "BBBB-1", "BBBB-2",
    ]  # fmt: skip
    again = add(second, "BBBB-1", "BBBB-2")
    assert (again.added, again.known) == (0, 2)


def test_a_pool_that_makes_its_codes_takes_none_and_a_million_is_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(stock.StockError, match="generated"):
        add(generating(), "AAAA-1")
    pool = make_pool()
    monkeypatch.setattr(stock, "MAX_CODES", 3)
    with pytest.raises(stock.StockError, match="too_many"):
        add(pool, *(f"code-{n}" for n in range(4)))
    assert not Voucher.objects.exists()


def test_thirty_thousand_codes_take_seconds_and_hardly_any_memory() -> None:
    pool = make_pool()
    tracemalloc.start()
    began = time.monotonic()
    told = stock.add_codes(pool_id=pool.pk, lines=((n, f"CODE-{n:08}") for n in range(30_000)), now=NOW)
    seconds, peak = time.monotonic() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert told.added == 30_000
    assert seconds < 20  # Half a second where nothing else runs.
    assert peak < 2 * 1024 * 1024


@pytest.mark.parametrize(
    "pattern", ["####", "#######", "AB CD-########", "=########", "ÄÖ-########", "#" * 65, "'########"]
)
def test_a_pattern_whose_codes_could_be_guessed_or_are_none_is_refused(pattern: str) -> None:
    pool = VoucherPool(name="x", value={"en": "x"}, kind="generated", pattern=pattern)
    with pytest.raises(ValidationError) as caught:
        pool.full_clean()
    assert "pattern" in caught.value.message_dict


def test_drawn_letters_are_never_mistaken_for_others() -> None:
    drawn = {codes.draw("A-########") for _ in range(300)}
    assert len(drawn) == 300
    assert not set("".join(drawn)) & set("01OIL")
    assert all(codes.is_code(code) for code in drawn)


def alarms() -> list[str]:
    return sorted(Delivery.objects.filter(event_type="vouchers.low").values_list("reason", flat=True))


def test_the_alarm_sounds_once_for_each_time_that_a_pool_runs_low() -> None:
    Endpoint.objects.create(url="https://shop.example/")
    user = User.objects.create_superuser("chief")
    Subscription.objects.create(user=user, name="Vouchers", kinds=["vouchers_low"])
    pool, rows = make_pool(codes=6, low_stock=3), answered(12)
    give(pool, rows[:2])
    assert alarms() == []
    give(pool, rows[:3])
    give(pool, rows[:5])
    first = f"vouchers-low:{pool.pk}:1"
    assert alarms() == [first]
    [notice] = Notice.objects.all()
    assert (notice.kind, notice.values["pool"], notice.values["left"]) == ("vouchers_low", "Sorry", "3")
    add(pool, "more-1")  # Two are left: still low.
    add(pool, *(f"more-{n}" for n in range(10)))
    assert not VoucherPool.objects.get().is_low
    assert alarms() == [first]
    give(pool, rows)
    assert Voucher.objects.filter(status="free").count() == 4
    give(pool, answered())
    assert alarms() == [first, f"vouchers-low:{pool.pk}:2"]
    assert Notice.objects.count() == 2


@pytest.mark.parametrize(
    ("values", "count", "sounds"),
    [
        ({"max_issued": 5, "low_stock": 2}, 3, True),
        ({"max_issued": 5, "low_stock": 2}, 2, False),
        ({"max_per_month": 4, "max_issued": 100, "low_stock": 0}, 4, True),
        ({"max_per_month": 4, "low_stock": None}, 4, False),
        ({"low_stock": 2}, 8, False),
    ],
)
def test_budgets_that_run_out_are_told_of_as_well(values: dict[str, Any], count: int, sounds: bool) -> None:
    Endpoint.objects.create(url="https://shop.example/")
    pool = generating(**values)
    give(pool, answered(count))
    assert bool(alarms()) is sounds is VoucherPool.objects.get().is_low


def test_a_larger_budget_or_a_new_month_ends_the_alarm() -> None:
    Endpoint.objects.create(url="https://shop.example/")
    pool, rows = generating(max_per_month=2, low_stock=0), answered(9)
    give(pool, rows[:2])
    assert alarms() == [f"vouchers-low:{pool.pk}:1"]
    pool.refresh_from_db()
    pool.max_per_month = 3
    stock.save_pool(pool=pool, fields=["max_per_month"], now=NOW)
    assert not VoucherPool.objects.get().is_low
    give(pool, rows[:3])
    next_month = NOW.replace(month=4)
    give(pool, rows[:4], now=next_month)
    assert not VoucherPool.objects.get().is_low
    give(pool, rows[:6], now=next_month)
    assert alarms() == [f"vouchers-low:{pool.pk}:{n}" for n in (1, 2, 3)]


def test_a_new_pool_is_not_alarming_before_it_had_codes() -> None:
    Endpoint.objects.create(url="https://shop.example/")
    stock.save_pool(pool=VoucherPool(name="x", value={"en": "x"}), fields=["name"], now=NOW)
    assert alarms() == []
