"""Many at once, with connections of their own: no code twice, none over for one response, no budget overspent."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django_tenants.utils import tenant_context

from apps.incentives import services, stock
from apps.incentives.models import Voucher, VoucherPool
from apps.incentives.services import Issued
from apps.integrations.models import Delivery, Endpoint
from apps.responses.models import Response
from apps.tenants.models import Tenant
from apps.tenants.provisioning import create_tenant
from tests.incentives.giving import NOW, answered, generating, make_pool, wanted

WORKERS = 60
"""As many connections at once; the server of the tests has a hundred, for all processes of a run."""
RESPONSES, CODES = 80, 60


@pytest.fixture
def race(autocommit: None) -> Iterator[Tenant]:
    """A tenant of its own with committed rows, dropped afterwards."""
    tenant = create_tenant(schema_name="voucherrace", name="Race")
    try:
        with tenant_context(tenant):
            answered(RESPONSES)
            Endpoint.objects.create(url="https://shop.example/")
        yield tenant
    finally:
        connection.set_schema_to_public()
        tenant.delete(force_drop=True)


def work(number: int, tenant: Tenant, pool_id: int, start: threading.Barrier) -> list[Issued]:
    """Ask for six responses, which four or five others ask for at the same time."""
    try:
        with tenant_context(tenant):
            rows = list(Response.objects.order_by("pk"))
            mine = [rows[(number * 5 + place) % RESPONSES] for place in (3, 0, 5, 1, 4, 2)]
            start.wait(60)
            with transaction.atomic():
                return list(services.issue(pool_id=pool_id, wanted=wanted(mine), now=NOW).values())
    finally:
        connection.close()


def all_at_once(tenant: Tenant, pool: VoucherPool) -> list[Issued]:
    start = threading.Barrier(WORKERS)
    with ThreadPoolExecutor(WORKERS) as threads:
        done = threads.map(partial(work, tenant=tenant, pool_id=pool.pk, start=start), range(WORKERS))
        return [one for found in done for one in found]


@pytest.mark.parametrize(
    ("kind", "limits", "expected"),
    [
        ("uploaded", {}, CODES),
        ("uploaded", {"max_issued": 41, "max_per_month": 50}, 41),
        ("generated", {"max_per_month": 37}, 37),
        ("generated", {}, RESPONSES),
    ],
)
def test_many_at_once_get_no_code_twice_and_no_more_than_there_are(
    race: Tenant, kind: str, limits: dict[str, Any], expected: int
) -> None:
    with tenant_context(race):
        made = {**limits, "low_stock": 5}
        pool = make_pool(codes=CODES, **made) if kind == "uploaded" else generating(**made)
        told = all_at_once(race, pool)
        given = Voucher.objects.filter(issued_at__isnull=False)
        assert given.count() == expected
        assert len(set(given.values_list("code", flat=True))) == expected
        assert len(set(given.values_list("response", flat=True))) == expected
        # Each was new to one who asked, and all who asked for a response were told the same.
        assert Counter(one.is_new for one in told)[True] == expected
        assert {one.voucher_id: one.code for one in told} == dict(given.values_list("pk", "code"))
        assert Delivery.objects.filter(event_type="voucher.issued").count() == expected
        runs_out = kind == "uploaded" or bool(limits)
        assert Delivery.objects.filter(event_type="vouchers.low").count() == runs_out


def test_a_code_redeemed_by_many_at_once_is_redeemed_once(race: Tenant) -> None:
    with tenant_context(race):
        pool = generating()
        [one] = work(0, race, pool.pk, threading.Barrier(1))[:1]
        start = threading.Barrier(20)

        def redeem(number: int) -> str:
            try:
                with tenant_context(race):
                    start.wait(60)
                    done = services.redeemed(code=one.code, order=f"order-{number % 2}", now=NOW)
                    return "new" if done.is_new else "same"
            except services.RedemptionError as error:
                return error.code
            finally:
                connection.close()

        with ThreadPoolExecutor(20) as threads:
            said = Counter(threads.map(redeem, range(20)))
        assert said == {"new": 1, "same": 9, "redeemed": 10}
        assert Delivery.objects.filter(event_type="voucher.redeemed").count() == 1


def in_thread(tenant: Tenant, pool: VoucherPool, rows: list[Response], may_commit: threading.Event) -> threading.Thread:
    """Gives vouchers out, and commits only when it may."""
    has_given = threading.Event()

    def run() -> None:
        try:
            with tenant_context(tenant), transaction.atomic():
                services.issue(pool_id=pool.pk, wanted=wanted(rows), now=NOW)
                has_given.set()
                may_commit.wait(30)
        finally:
            has_given.set()
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    has_given.wait(0.5)
    return thread


def test_who_comes_second_takes_the_next_codes_and_does_not_wait(race: Tenant) -> None:
    with tenant_context(race):
        pool, rows = make_pool(codes=10), list(Response.objects.order_by("pk"))
        may_commit = threading.Event()
        first = in_thread(race, pool, rows[:3], may_commit)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            mine = services.issue(pool_id=pool.pk, wanted=wanted(rows[3:5]), now=NOW)
        assert not may_commit.is_set()
        may_commit.set()
        first.join(30)
        assert sorted(one.code for one in mine.values()) == ["Sorry-00003", "Sorry-00004"]
        assert Voucher.objects.filter(status="issued").count() == 5


def test_the_alarm_sounds_also_where_two_run_it_low_together_and_neither_alone(race: Tenant) -> None:
    with tenant_context(race):
        pool, rows = make_pool(codes=10, low_stock=5), list(Response.objects.order_by("pk"))
        may_commit = threading.Event()
        threads = [in_thread(race, pool, rows[:3], may_commit), in_thread(race, pool, rows[3:6], may_commit)]
        may_commit.set()
        for thread in threads:
            thread.join(30)
        [low] = Delivery.objects.filter(event_type="vouchers.low")
        assert low.payload["left"] == 4


def test_uploads_and_giving_out_at_the_same_time_lose_nothing(race: Tenant) -> None:
    with tenant_context(race):
        pool = make_pool(codes=10)

        def fill(number: int) -> int:
            try:
                with tenant_context(race):
                    # All overlap with their neighbours: each code is taken by one of them.
                    lines = ((place, f"more-{place:05}") for place in range(number * 10, number * 10 + 20))
                    return stock.add_codes(pool_id=pool.pk, lines=lines, now=NOW).added
            finally:
                connection.close()

        with ThreadPoolExecutor(12) as threads:
            added = threads.map(fill, range(8))
            done = threads.map(partial(work, tenant=race, pool_id=pool.pk, start=threading.Barrier(1)), range(16))
            assert sum(added) == 90
            given = {one.voucher_id for found in done for one in found}
        assert Voucher.objects.filter(status="issued").count() == len(given)
        assert Voucher.objects.count() == 100
