"""Vouchers over the API: pools are made and changed, shops redeem codes, and who may not is refused."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.incentives.models import Voucher, VoucherPool
from apps.integrations.models import ApiKey, Delivery, Endpoint, Scope
from apps.integrations.services import create_api_key
from tests.api.calling import call, fields_of
from tests.incentives.giving import answered, give, make_pool

REDEEM = "/vouchers/redeem"


@pytest.fixture
def full(tenant: Any) -> str:
    return create_api_key(name="all")[1]


@pytest.fixture
def shop(tenant: Any) -> str:
    """A key that may redeem, and nothing else."""
    return create_api_key(name="shop", scopes=[Scope.VOUCHERS_WRITE])[1]


def given(**values: Any) -> Voucher:
    """A voucher that somebody has since yesterday."""
    now = timezone.now() - timedelta(days=1)
    [one] = give(make_pool(codes=1, **values), answered(), now=now).values()
    return Voucher.objects.get(pk=one.voucher_id)


def test_a_pool_is_made_changed_and_told_with_its_figures(full: str) -> None:
    made = call(full, "POST", "/voucher-pools", {
        "name": "Thanks", "value": {"en": "5 €"}, "kind": "generated", "pattern": "THX-########", "unit_cost": "5.00",
        "currency": "EUR", "max_issued": 10,
    })  # fmt: skip
    assert made.status_code == 201, made.content
    path = f"/voucher-pools/{made.json()['id']}"
    assert call(full, "PATCH", path, {"max_issued": 20, "terms": {"de": "Ab 50 €"}}).json()["max_issued"] == 20
    give(VoucherPool.objects.get(), answered(2), now=timezone.now())
    figures = call(full, "GET", path).json()["figures"]
    assert (figures["given"], figures["redeemed"], figures["cost"]) == (2, 0, "0.00")
    assert fields_of(call(full, "PATCH", path, {"kind": "uploaded"})) == ["kind"]
    assert fields_of(call(full, "PATCH", path, {"pattern": "###"})) == ["pattern"]
    assert fields_of(call(full, "PATCH", path, {"currency": ""})) == ["currency"]
    assert fields_of(call(full, "POST", "/voucher-pools", {"name": "Thanks", "value": {"en": "x"}})) == ["name"]
    assert call(full, "DELETE", path).status_code == 405
    [found] = call(full, "GET", "/voucher-pools?q=than&is_low=true").json()["results"]
    assert found["name"] == "Thanks"  # Eighteen are left, and the threshold is twenty.


def test_vouchers_are_found_by_code_pool_status_and_contact(full: str) -> None:
    row = given()
    make_pool(codes=2, name="Other")
    for query in (f"code={row.code.lower()}", f"pool={row.pool_id}", "status=issued", f"contact={row.contact_id}"):
        found = call(full, "GET", f"/vouchers?{query}").json()["results"]
        assert [one["code"] for one in found] == [row.code], query
    assert len(call(full, "GET", "/vouchers?status=free").json()["results"]) == 2
    assert call(full, "GET", f"/vouchers/{row.pk}").json()["response_id"] == str(row.response_id)


def test_a_shop_redeems_with_a_key_for_nothing_else_and_learns_nothing_of_the_contact(shop: str) -> None:
    Endpoint.objects.create(url="https://crm.example/", event_types=["voucher.redeemed"])
    row = given()
    body = {"code": row.code.lower(), "order": "A-1", "amount": "49.90"}
    first = call(shop, "POST", REDEEM, body)
    assert first.status_code == 200, first.content
    told = first.json()
    assert (told["code"], told["value"], told["amount"]) == (row.code, {"en": "10 % off"}, "49.90")
    assert not {"contact_id", "response_id"} & set(told)
    assert call(shop, "POST", REDEEM, body).json() == told
    assert call(shop, "POST", REDEEM, {**body, "order": "A-2"}).status_code == 409
    assert Delivery.objects.filter(event_type="voucher.redeemed").count() == 1
    for path in ("/vouchers", f"/vouchers/{row.pk}", "/voucher-pools"):
        assert call(shop, "GET", path).status_code == 403


def test_an_idempotency_key_gives_the_first_answer_again(shop: str) -> None:
    row = given()
    headers = {"Idempotency-Key": "order-A-1"}
    first = call(shop, "POST", REDEEM, {"code": row.code}, **headers)
    again = call(shop, "POST", REDEEM, {"code": row.code}, **headers)
    assert (first.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    make_pool(codes=1, name="Free")
    for _twice in range(2):
        refused = call(shop, "POST", REDEEM, {"code": "free-00000"}, **{"Idempotency-Key": "order-A-2"})
        assert (refused.status_code, "never given out" in refused.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"code": "nobody-has-it"}, 404),
        ({}, 422),
        ({"code": "x" * 65}, 422),
        ({"code": "Sorry-00000", "amount": "-1"}, 422),
        ({"code": "Sorry-00000", "amount": "NaN"}, 422),
        ({"code": "Sorry-00000", "amount": "12345678901.00"}, 422),
        ({"code": "Sorry-00000", "order": "x" * 101}, 422),
        ({"code": "Sorry-00000", "order": "a\x00b"}, 422),
        ({"code": "Sorry-00000", "redeemed_at": "2999-01-01T00:00:00Z"}, 422),
        ({"code": "Sorry-00000", "redeemed_at": "2001-01-01T00:00:00Z"}, 422),
        ({"code": "Sorry-00000", "surprise": 1}, 422),
    ],
)
def test_what_makes_no_sense_is_refused_and_redeems_nothing(shop: str, told: dict[str, Any], status: int) -> None:
    given()
    assert call(shop, "POST", REDEEM, told).status_code == status
    assert Voucher.objects.get().status == "issued"


def test_a_write_key_cannot_redeem(tenant: Any) -> None:
    with pytest.raises(ValidationError):
        create_api_key(name="w", kind=ApiKey.Kind.INTAKE, scopes=[Scope.VOUCHERS_WRITE])
    key = create_api_key(name="w", kind=ApiKey.Kind.INTAKE)[1]
    row = given()
    assert call(key, "POST", REDEEM, {"code": row.code}).status_code == 403
    assert call(key, "GET", "/vouchers").status_code == 403
    assert Voucher.objects.get().status == "issued"
