"""Giving vouchers out: once per response, within validity and budgets, told to whom it concerns, at a fixed cost."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.common.models import AgendaItem
from apps.contacts.models import BusinessCalendar
from apps.incentives import codes, redemption, services, stock
from apps.incentives.models import Voucher, VoucherPool
from apps.incentives.services import Wanted
from apps.integrations.models import Delivery, Endpoint
from apps.surveys import versions
from tests import factories
from tests.incentives.giving import NOW, answered, generating, give, make_pool, voucher

pytestmark = pytest.mark.usefixtures("tenant")


def test_each_gets_a_code_of_its_own_and_asking_again_gives_the_same() -> None:
    pool, rows = make_pool(codes=5, valid_days=14), answered(3)
    first = give(pool, rows)
    assert sorted(one.code for one in first.values()) == [f"Sorry-0000{n}" for n in range(3)]
    assert all(one.is_new for one in first.values())
    row = voucher(first[f"step:{rows[0].pk}"].voucher_id)
    assert (row.status, row.response_id, row.contact_id) == ("issued", rows[0].pk, rows[0].contact_id)
    again = give(pool, rows)
    by_another_reason = give(pool, rows, "other")
    for reason, one in first.items():
        assert (again[reason].code, again[reason].is_new) == (one.code, False)
        other = by_another_reason[reason.replace("step", "other")]
        assert (other.voucher_id, other.is_new) == (one.voucher_id, False)
    assert Voucher.objects.filter(status="free").count() == 2


def test_one_response_asked_for_twice_at_once_gets_one_code_and_one_per_pool() -> None:
    pool, [row] = make_pool(codes=5), answered()
    found = services.issue(
        pool_id=pool.pk, wanted=[Wanted(row.pk, None, "a"), Wanted(row.pk, None, "b"), Wanted(row.pk, None, "a")],
        now=NOW,
    )  # fmt: skip
    assert (found["a"].is_new, found["b"].is_new) == (True, False)
    assert found["a"].code == found["b"].code
    other = give(generating(), [row], "c")
    assert other[f"c:{row.pk}"].is_new
    with pytest.raises(IntegrityError), transaction.atomic():
        Voucher.objects.filter(status="free").update(status="issued", issued_at=NOW, response=row)


def test_a_withdrawn_voucher_is_not_replaced_and_others_stay_what_they_are() -> None:
    pool, rows = make_pool(codes=5), answered(2)
    first = give(pool, rows)
    ids = [one.voucher_id for one in first.values()]
    assert services.withdraw(ids=ids[:1], now=NOW) == 1
    VoucherPool.objects.update(is_active=False)
    assert set(give(pool, rows)) == set(list(first)[1:])


def test_codes_made_on_demand_follow_the_pattern_and_step_over_those_that_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool, rows = generating(), answered(40)
    found = {one.code for one in give(pool, rows[:20]).values()}
    assert len(found) == 20
    assert all(re.fullmatch(rf"THANKS-[{codes.ALPHABET}]{{4}}-[{codes.ALPHABET}]{{4}}", code) for code in found)
    taken = iter([*sorted(found), *(f"fresh-{n}" for n in range(99))])
    monkeypatch.setattr(codes, "draw", lambda _pattern: next(taken).lower())
    again = {one.code for one in give(pool, rows[20:]).values()}
    assert again == {f"fresh-{n}" for n in range(20)}


@pytest.mark.parametrize(
    ("values", "stocked", "given_out", "why"),
    [
        ({}, 2, 2, "pool_empty"),
        ({"is_active": False}, 2, 0, "pool_inactive"),
        ({"ends_on": date(2026, 3, 9)}, 2, 0, "pool_expired"),
        ({"ends_on": date(2026, 3, 10)}, 5, 3, ""),
        ({"max_issued": 1}, 5, 1, "pool_budget"),
        ({"max_per_month": 2, "max_issued": 9}, 5, 2, "pool_budget"),
        ({"kind": "generated", "pattern": "########", "max_per_month": 2}, 0, 2, "pool_budget"),
        ({"kind": "generated", "pattern": "########"}, 0, 3, ""),
    ],
)
def test_who_gets_none_is_told_why(values: dict[str, Any], stocked: int, given_out: int, why: str) -> None:
    pool = make_pool(codes=stocked, **values)
    assert len(give(pool, answered(3))) == given_out
    assert services.why_none(pool_id=pool.pk, now=NOW) == why


def test_a_last_day_at_the_end_of_all_days_is_refused() -> None:
    pool = make_pool()
    pool.ends_on = date(2199, 12, 31)
    pool.clean()
    pool.ends_on = date(9999, 12, 31)
    with pytest.raises(ValidationError, match="Leave it empty"):
        pool.clean()


def test_budgets_go_by_the_tenants_months_and_days() -> None:
    BusinessCalendar.objects.create(pk=1, time_zone="Europe/Berlin")
    pool = make_pool(codes=9, max_per_month=1, max_issued=2, ends_on=date(2026, 4, 10), valid_days=14)
    before, after = datetime(2026, 3, 31, 21, 59, tzinfo=UTC), datetime(2026, 3, 31, 22, 1, tzinfo=UTC)
    [first] = give(pool, answered(2), now=before).values()
    assert first.valid_until == datetime(2026, 4, 10, 21, 59, 59, tzinfo=UTC)  # the pool's end, not 14 days
    [_second] = give(pool, answered(2), "later", now=after).values()
    assert give(pool, answered(1), "third", now=after + timedelta(days=31)) == {}
    assert services.why_none(pool_id=pool.pk, now=datetime(2026, 4, 10, 22, 0, tzinfo=UTC)) == "pool_expired"
    VoucherPool.objects.update(max_issued=9, ends_on=None)
    [third] = give(pool, answered(1), "fourth", now=datetime(2026, 10, 20, 12, tzinfo=UTC)).values()
    assert third.valid_until == datetime(2026, 11, 3, 22, 59, 59, tzinfo=UTC)  # fourteen days on, in winter time


def test_who_was_promised_anonymity_or_is_gone_gets_none() -> None:
    pool = make_pool(codes=5)
    survey = factories.SurveyFactory(key="hidden", is_anonymous=True)
    hidden = answered(1, survey=survey)
    hidden += answered(1, survey=survey, version=versions.publish(survey_id=survey.pk, now=NOW))
    gone = answered(1)
    for row in gone:
        row.__class__.objects.filter(pk=row.pk).delete()
    assert give(pool, [*hidden, *gone]) == {}
    assert Voucher.objects.filter(status="free").count() == 5


def test_many_cost_as_many_queries_as_one() -> None:
    Endpoint.objects.create(url="https://shop.example/")
    pool, rows = make_pool(codes=60, max_issued=55, low_stock=3), answered(50)

    def queries(of: list[Any]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(give(pool, of)) == len(of)
        return len(captured)

    few = queries(rows[:1])
    assert queries(rows[1:]) == few <= 14
    assert Delivery.objects.filter(event_type="voucher.issued").count() == 50


def test_free_codes_are_found_by_their_index_alone() -> None:
    pool = make_pool(codes=3000)
    used = Voucher.objects.order_by("pk").values("pk")[:2900]
    Voucher.objects.filter(pk__in=used).update(status="issued", issued_at=NOW)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE incentives_voucher")
        cursor.execute(
            "EXPLAIN SELECT id FROM incentives_voucher WHERE pool_id = %s AND status = 'free' "
            "ORDER BY id LIMIT 20 FOR UPDATE SKIP LOCKED",
            [pool.pk],
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan using voucher_by_status" in plan
    assert "Sort" not in plan


def test_what_is_out_of_date_is_marked_by_the_drain(django_capture_on_commit_callbacks: Any) -> None:
    pool, rows = make_pool(codes=5, valid_days=1), answered(2)
    with django_capture_on_commit_callbacks(execute=True):
        give(pool, rows)
    [item] = AgendaItem.objects.filter(queue=redemption.QUEUE)
    assert item.due_at == redemption.next_due() == datetime(2026, 3, 11, 23, 59, 59, tzinfo=UTC)
    assert redemption.expire_due(now=NOW) == 0
    assert redemption.expire_due(now=NOW + timedelta(days=2), limit=1) == 1
    assert redemption.expire_due(now=NOW + timedelta(days=2)) == 1
    assert set(Voucher.objects.exclude(status="free").values_list("status", flat=True)) == {"expired"}
    assert redemption.next_due() is None


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["issue", "again", "redeem", "withdraw", "fill", "month"]), st.integers(0, 7)),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=ACTIONS, total=st.none() | st.integers(1, 12), month=st.none() | st.integers(1, 6))
def test_whatever_happens_no_promise_is_broken(
    actions: list[tuple[str, int]], total: int | None, month: int | None
) -> None:
    with transaction.atomic():
        pool = make_pool(codes=4, max_issued=total, max_per_month=month)
        rows, now, filled = answered(8), NOW, 0
        given_before: dict[str, str] = {}
        for what, number in actions:
            if what in {"issue", "again"}:
                found = give(pool, rows[: number + 1], now=now)
                for reason, one in found.items():
                    assert given_before.setdefault(reason, one.code) == one.code
            elif what == "fill":
                filled += 1
                stock.add_codes(pool_id=pool.pk, lines=[(1, f"more-{filled}-{n}") for n in range(number)], now=now)
            elif what == "month":
                now += timedelta(days=31)
            else:
                _touch(what, number, now)
        _check(pool, rows, total, month)
        transaction.set_rollback(True)


def _touch(what: str, number: int, now: datetime) -> None:
    rows = list(Voucher.objects.order_by("pk"))
    row = rows[number % len(rows)]
    if what == "withdraw":
        services.withdraw(ids=[row.pk], now=now)
        return
    try:
        services.redeemed(code=row.code, order=f"o-{number}", now=now)
    except services.RedemptionError:
        assert row.status in {"free", "withdrawn", "redeemed"}


def _check(pool: VoucherPool, rows: list[Any], total: int | None, month: int | None) -> None:
    given_out = Voucher.objects.filter(issued_at__isnull=False)
    assert total is None or given_out.count() <= total
    months = [at.strftime("%Y-%m") for at in given_out.values_list("issued_at", flat=True)]
    assert month is None or all(months.count(one) <= month for one in set(months))
    for row in rows:
        assert Voucher.objects.filter(response=row).count() <= 1
    assert given_out.values("code").distinct().count() == given_out.count()
