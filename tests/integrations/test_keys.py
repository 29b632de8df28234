import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django_tenants.utils import tenant_context

from apps.common.tokens import hash_token
from apps.integrations import services
from apps.integrations.models import ApiKey, Scope
from apps.integrations.services import authenticate, create_api_key, forget_keys, revoke_api_key, rotate_api_key

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    services._cache.clear()
    yield
    services._cache.clear()


def test_a_key_names_its_tenant_and_only_its_hash_is_stored(tenant: Any) -> None:
    row, key = create_api_key(name="Shop")
    assert re.fullmatch(r"rk_nordwind_[A-Za-z0-9]{43}", key)
    row.refresh_from_db()
    assert bytes(row.key_hash) == hash_token(key)
    assert row.hint == key[-4:]
    assert set(row.scopes) == set(Scope.values)
    assert key not in str(ApiKey.objects.values())


def test_two_keys_differ(tenant: Any) -> None:
    assert create_api_key(name="A")[1] != create_api_key(name="B")[1]


@pytest.mark.parametrize(("name", "scopes"), [("", None), ("A", ["everything"]), ("A", [])])
def test_a_key_without_name_or_with_bad_scopes_is_refused(tenant: Any, name: str, scopes: Any) -> None:
    with pytest.raises(ValidationError):
        create_api_key(name=name, scopes=scopes)
    assert not ApiKey.objects.exists()


def test_a_good_key_opens_its_tenant_with_its_scopes(tenant: Any) -> None:
    row, key = create_api_key(name="Shop", scopes=[Scope.EVENTS_WRITE])
    ref = authenticate(key=key, now=NOW)
    assert ref is not None
    assert (ref.id, ref.name) == (row.pk, "Shop")
    assert ref.allows(Scope.EVENTS_WRITE)
    assert not ref.allows(Scope.READ)


@pytest.mark.parametrize(
    "key", ["", "x", "rk_nordwind_", "rk_nordwind_" + "a" * 43, "rk__" + "a" * 43, "\x00", "rk_klarwerk_x"]
)
def test_a_made_up_key_opens_nothing(tenant: Any, key: str) -> None:
    assert authenticate(key=key, now=NOW) is None
    assert not services._cache


def test_a_key_opens_no_other_tenant(tenant: Any, other_tenant: Any) -> None:
    _row, key = create_api_key(name="Shop")
    assert authenticate(key=key, now=NOW) is not None
    renamed = key.replace("nordwind", "klarwerk")
    with tenant_context(other_tenant):
        assert authenticate(key=key, now=NOW) is None
        assert authenticate(key=renamed, now=NOW) is None
    assert authenticate(key=renamed, now=NOW) is None


def test_a_revoked_key_stops_at_once_though_it_was_remembered(tenant: Any) -> None:
    row, key = create_api_key(name="Shop")
    assert authenticate(key=key, now=NOW) is not None
    assert revoke_api_key(key_id=row.pk, now=NOW) is True
    assert authenticate(key=key, now=NOW) is None
    row.refresh_from_db()
    assert row.revoked_at == NOW
    assert revoke_api_key(key_id=row.pk, now=NOW + timedelta(days=1)) is False


def test_a_key_expires_on_time_though_it_was_remembered(tenant: Any) -> None:
    _row, key = create_api_key(name="Shop", expires_at=NOW + timedelta(seconds=1))
    assert authenticate(key=key, now=NOW) is not None
    assert authenticate(key=key, now=NOW + timedelta(seconds=1)) is None


def test_a_key_used_again_costs_no_query_until_it_is_forgotten(
    tenant: Any, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _row, key = create_api_key(name="Shop")
    authenticate(key=key, now=NOW)
    with django_assert_num_queries(0):
        authenticate(key=key, now=NOW)
    forget_keys()
    with django_assert_num_queries(1):
        authenticate(key=key, now=NOW)
    later = services.time.monotonic() + services.CACHE_SECONDS + 1
    monkeypatch.setattr(services.time, "monotonic", lambda: later)
    with django_assert_num_queries(1):
        authenticate(key=key, now=NOW)


def test_a_key_looked_up_while_it_is_revoked_is_not_remembered(tenant: Any) -> None:
    row, key = create_api_key(name="Shop")

    def revoke_meanwhile(execute: Any, *args: Any) -> Any:
        result = execute(*args)
        if "revoked_at" in args[0] and args[0].startswith("SELECT"):
            ApiKey.objects.filter(pk=row.pk).update(revoked_at=NOW)
            forget_keys()
        return result

    with connection.execute_wrapper(revoke_meanwhile):
        authenticate(key=key, now=NOW)
    assert authenticate(key=key, now=NOW) is None


def test_the_memory_is_bounded(tenant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "CACHE_ENTRIES", 3)
    for number in range(10):
        authenticate(key=create_api_key(name=f"K{number}")[1], now=NOW)
    assert len(services._cache) <= 3


def test_a_write_key_says_so_and_may_only_bring_in(tenant: Any) -> None:
    row, key = create_api_key(name="Segment", kind=ApiKey.Kind.INTAKE)
    assert re.fullmatch(r"wk_nordwind_[A-Za-z0-9]{43}", key)
    assert set(row.scopes) == {Scope.EVENTS_WRITE, Scope.CONTACTS_WRITE}
    ref = authenticate(key=key, now=NOW)
    assert ref is not None
    assert not ref.allows(Scope.READ)
    with pytest.raises(ValidationError, match="write key"):
        create_api_key(name="Segment", kind=ApiKey.Kind.INTAKE, scopes=[Scope.READ])


def test_a_replaced_key_and_its_successor_work_side_by_side_for_a_while(tenant: Any) -> None:
    row, old = create_api_key(name="Shop", scopes=[Scope.READ], requests_per_minute=7)
    assert authenticate(key=old, now=NOW) is not None
    successor, new = rotate_api_key(key_id=row.pk, now=NOW, overlap=timedelta(days=1))
    assert (successor.name, successor.scopes, successor.requests_per_minute) == ("Shop", [Scope.READ], 7)
    for at, works in ((NOW + timedelta(hours=23), True), (NOW + timedelta(hours=25), False)):
        assert (authenticate(key=old, now=at) is not None) is works
        assert authenticate(key=new, now=at) is not None
    with pytest.raises(ValidationError, match="successor"):
        rotate_api_key(key_id=row.pk, now=NOW)


def test_replacing_a_key_never_makes_it_live_longer(tenant: Any) -> None:
    end = NOW + timedelta(hours=1)
    row, old = create_api_key(name="Shop", expires_at=end)
    rotate_api_key(key_id=row.pk, now=NOW, overlap=timedelta(days=7))
    assert authenticate(key=old, now=end) is None


def test_a_dead_key_has_no_successor(tenant: Any) -> None:
    revoked, expired = create_api_key(name="A")[0], create_api_key(name="B", expires_at=NOW)[0]
    revoke_api_key(key_id=revoked.pk, now=NOW)
    for row in (revoked, expired):
        with pytest.raises(ApiKey.DoesNotExist):
            rotate_api_key(key_id=row.pk, now=NOW)
    assert ApiKey.objects.count() == 2


def test_a_key_tells_when_it_was_last_used_to_the_minute(tenant: Any) -> None:
    row, key = create_api_key(name="Shop")

    def used(at: datetime) -> datetime | None:
        forget_keys()
        authenticate(key=key, now=at)
        row.refresh_from_db()
        return row.last_used_at

    later = [NOW, NOW + timedelta(seconds=59), NOW + timedelta(seconds=60)]
    assert [used(at) for at in later] == [NOW, NOW, later[2]]
