from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.management import CommandError, call_command
from django.test import RequestFactory
from django_tenants.utils import schema_context

from apps.integrations.models import ApiKey
from apps.tenants import migration_state
from apps.tenants.models import Tenant

pytestmark = pytest.mark.django_db


def run(*args: str, **options: Any) -> list[str]:
    out = StringIO()
    call_command(*args, stdout=out, **options)
    return out.getvalue().splitlines()


def test_create_tenant_prints_the_address_and_a_sign_in_that_works() -> None:
    address, sign_in = run("create_tenant", "windrad", "Windrad AG", "--user", "Eva@Example.com")
    assert address == "http://windrad.resonanz.test/"
    password = sign_in.removeprefix("Sign in as eva@example.com with ")
    with schema_context("windrad"):
        user = authenticate(RequestFactory().post("/"), username="eva@example.com", password=password)
        assert user is not None
        assert user.is_staff
    assert not get_user_model()._default_manager.filter(username="eva@example.com").exists()


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["pg_x", "X"], "pg_x"),
        (["nordwind", "X"], "already exists"),
        (["windrad", "X", "--host", "klarwerk.resonanz.test"], "taken"),
        (["windrad", "X", "--user", "not an address"], "valid email"),
        (["windrad", "X", "--user", "a@example.com", "--password", "123"], "too short"),
    ],
)
def test_create_tenant_says_what_is_wrong_in_a_sentence_and_makes_nothing(args: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        run("create_tenant", *args)
    assert not Tenant.objects.filter(name="X").exists()


def test_create_api_key_prints_a_key_that_is_stored_as_a_hash_only() -> None:
    (key,) = run("create_api_key", "nordwind", "Shop", "--scope", "events:write")
    assert key.startswith("rk_nordwind_")
    with schema_context("nordwind"):
        row = ApiKey.objects.get(name="Shop")
    assert row.scopes == ["events:write"]
    assert key.encode() not in bytes(row.key_hash)


def test_create_api_key_needs_a_tenant_that_exists() -> None:
    with pytest.raises(CommandError, match="nobody"):
        run("create_api_key", "nobody", "Shop")


def test_create_operator_makes_a_person_in_public_only() -> None:
    address, sign_in = run("create_operator", "ops@example.com")
    assert address == "http://resonanz.test/admin/"
    password = sign_in.removeprefix("Sign in as ops@example.com with ")
    with schema_context("public"):  # Who ran before may have left the connection elsewhere.
        assert authenticate(RequestFactory().post("/"), username="ops@example.com", password=password) is not None
    with schema_context("nordwind"):
        assert not get_user_model()._default_manager.filter(username="ops@example.com").exists()
    with pytest.raises(CommandError, match="already"):
        run("create_operator", "ops@example.com")


def test_lagging_tenants_lists_them_and_fails() -> None:
    assert run("lagging_tenants") == []
    migration_state.set_schema_comment("klarwerk", None)
    out = StringIO()
    with pytest.raises(CommandError, match="1 tenants are behind"):
        call_command("lagging_tenants", stdout=out)
    assert out.getvalue() == "klarwerk\n"
