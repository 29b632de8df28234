import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from apps.tenants.models import Tenant
from apps.tenants.names import is_valid_host, is_valid_schema_name
from apps.tenants.provisioning import create_tenant

BAD_NAMES = [
    "pg_x",
    "pg_catalog",
    "public",
    "information_schema",
    "template",
    "www",
    'a"b',
    "a'b",
    'x"; DROP SCHEMA public; --',
    "a b",
    " abc",
    "abc ",
    "abc\n",
    "abc\x00",
    "Abc",
    "größe",
    "ａｂｃ",
    "abс",  # the last letter is Cyrillic
    "a-b",
    "a.b",
    "1abc",
    "_abc",
    "ab",
    "",
    "a" * 42,
    "a" * 64,
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_schema_name_that_could_do_harm_is_not_valid(name: str) -> None:
    assert not is_valid_schema_name(name)


@pytest.mark.parametrize("name", ["abc", "nordwind", "a_1", "pgx", "a" * 41])
def test_a_plain_schema_name_is_valid(name: str) -> None:
    assert is_valid_schema_name(name)


@pytest.mark.django_db
@pytest.mark.parametrize("name", BAD_NAMES)
def test_no_tenant_is_made_under_a_bad_name(name: str) -> None:
    before = _schemas()
    with pytest.raises(ValidationError):
        create_tenant(schema_name=name, name="Bad")
    assert _schemas() == before
    assert not Tenant.objects.filter(name="Bad").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["pg_x", 'a"b', "a b", "größe", "information schema"])
def test_the_database_itself_refuses_a_bad_name(name: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Tenant.objects.bulk_create([Tenant(schema_name=name, name="Bad")])


@pytest.mark.parametrize("host", ["nps.example.com", "localhost", "xn--grn-ioa.example", "1.example"])
def test_a_host_name_is_valid(host: str) -> None:
    assert is_valid_host(host)


@pytest.mark.parametrize("host", ["", "-a.example", "a-.example", "a..example", "a:80", "a/b", "A.example", "ä.example",
                                  "a" * 64 + ".example", ".".join(["abc"] * 80)])  # fmt: skip
def test_what_dns_would_refuse_is_not_a_host_name(host: str) -> None:
    assert not is_valid_host(host)


def _schemas() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace")
        return {name for (name,) in cursor.fetchall()}
