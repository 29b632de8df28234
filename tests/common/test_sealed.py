"""Secrets at rest: encrypted, bound to their purpose, readable under older keys, and never lost under a wrong one."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django_tenants.utils import schema_context

from apps.common import sealed, sealed_rows
from apps.embed.models import EmbedSecret
from apps.integrations import attempts
from apps.integrations.models import Endpoint
from apps.relays.models import Relay
from tests.admin.conftest import TENANT, client_for

ENDPOINTS = sealed_rows.Column("integrations_endpoint", "secret", "integrations.endpoint.secret")


def stored(table: str, column: str = "secret") -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table}")
        return str(cursor.fetchone()[0])


@pytest.fixture
def keys(settings: Any) -> Iterator[Any]:
    settings.CREDENTIALS_KEY, settings.CREDENTIALS_KEY_FALLBACKS = "first key", []
    return settings


def test_what_is_sealed_is_unreadable_where_it_stands_and_opens_again() -> None:
    box = sealed.seal("a", "geheim ✓")
    assert box.startswith(sealed.MARK)
    assert "geheim" not in box
    assert sealed.unseal("a", box) == "geheim ✓"
    assert sealed.seal("a", "geheim ✓") != box, "the same secret twice looks different"


def test_nothing_stays_nothing_and_text_from_before_is_read_as_it_is() -> None:
    assert sealed.seal("a", "") == ""
    assert sealed.unseal("a", "") == ""
    assert sealed.unseal("a", "whsec_old") == "whsec_old"


@pytest.mark.parametrize("change", [lambda t: t[:-4] + "AAA=", lambda t: t[:40], lambda t: "sealed:1:ä"])
def test_a_changed_box_does_not_open(change: Any) -> None:
    with pytest.raises(sealed.UnreadableError, match="another key"):
        sealed.unseal("a", change(sealed.seal("a", "geheim")))


def test_a_box_for_one_purpose_opens_for_no_other() -> None:
    with pytest.raises(sealed.UnreadableError):
        sealed.unseal("b", sealed.seal("a", "geheim"))


def test_older_keys_open_and_the_newest_seals(keys: Any) -> None:
    box = sealed.seal("a", "geheim")
    assert sealed.is_newest("a", box)
    keys.CREDENTIALS_KEY, keys.CREDENTIALS_KEY_FALLBACKS = "second key", ["first key"]
    assert sealed.unseal("a", box) == "geheim"
    assert not sealed.is_newest("a", box)
    assert sealed.is_newest("a", sealed.seal("a", "geheim"))


def test_a_key_of_its_own_opens_what_secret_key_sealed(keys: Any) -> None:
    keys.CREDENTIALS_KEY = keys.SECRET_KEY
    box = sealed.seal("a", "geheim")
    keys.CREDENTIALS_KEY = "a key of its own"
    assert sealed.unseal("a", box) == "geheim"


def test_a_secret_is_ciphertext_in_the_database_and_itself_in_python(tenant: Any) -> None:
    made = Endpoint.objects.create(url="https://a.example/")
    assert made.secret.startswith("whsec_")
    assert stored("integrations_endpoint").startswith(sealed.MARK)
    assert Endpoint.objects.get().secret == made.secret
    assert list(Endpoint.objects.values_list("secret", flat=True)) == [made.secret]


def test_settings_are_ciphertext_as_a_whole(db: None) -> None:
    Relay.objects.create(key="a", name="A", settings={"password": "pw-geheim", "port": 25})
    assert "geheim" not in stored("relays_relay", "settings")
    assert stored("relays_relay", "webhook_secret").startswith(sealed.MARK)
    assert Relay.objects.get().settings == {"password": "pw-geheim", "port": 25}


@pytest.mark.parametrize("lookup", ["contains", "startswith", "in", "gt", "regex"])
def test_a_secret_cannot_be_searched_for(tenant: Any, lookup: str) -> None:
    with pytest.raises(FieldError):
        Endpoint.objects.filter(**{f"secret__{lookup}": "w"}).exists()


def test_under_a_wrong_key_rows_still_load_and_saving_them_loses_nothing(tenant: Any, keys: Any) -> None:
    secret = Endpoint.objects.create(url="https://a.example/").secret
    relay = Relay.objects.create(key="a", name="A", settings={"password": "geheim"})
    keys.CREDENTIALS_KEY = "wrong key"
    row, other = Endpoint.objects.get(), Relay.objects.get()
    assert "another key" in str(sealed.problem(row.secret))
    assert "another key" in str(sealed.problem(other.settings))
    assert other.settings == {}
    for value in (row.secret, other.settings):
        with pytest.raises(sealed.UnreadableError):
            sealed.readable(value)
    row.is_active = False
    row.save()
    other.save()
    keys.CREDENTIALS_KEY = "first key"
    assert Endpoint.objects.get().secret == secret
    assert Relay.objects.get(pk=relay.pk).settings == {"password": "geheim"}


def test_under_a_wrong_key_the_admin_page_opens_says_so_and_shows_no_ciphertext(client: Client, keys: Any) -> None:
    row = Endpoint.objects.create(url="https://a.example/")
    keys.CREDENTIALS_KEY = "wrong key"
    page = client.get(f"/admin/integrations/endpoint/{row.pk}/change/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "encrypted under another key" in text
    assert sealed.MARK not in text


def test_under_a_wrong_key_a_webhook_is_not_sent_and_its_attempt_says_why(keys: Any) -> None:
    message = attempts.Message(
        id="1",
        url="https://a.example/",
        secrets=(sealed.Unreadable("sealed:1:x"),),
        delighted_key="",
        content={},
        now=None,
        allow_private=False,
    )  # type: ignore[arg-type]
    assert "another key" in attempts.send(message).answer.error


def test_under_a_wrong_key_an_embed_secret_keeps_its_hint(tenant: Any, keys: Any) -> None:
    hint = EmbedSecret.objects.create().hint
    keys.CREDENTIALS_KEY = "wrong key"
    row = EmbedSecret.objects.get()
    row.save()
    assert EmbedSecret.objects.get().hint == hint


def test_a_migration_seals_what_was_plain_and_can_be_taken_back(tenant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed_rows, "BATCH", 2)
    for number in range(5):
        Endpoint.objects.create(url=f"https://a{number}.example/")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE integrations_endpoint SET secret = 'whsec_' || id")
    ids = sorted(Endpoint.objects.values_list("pk", flat=True))
    assert sealed_rows.seal(connection, ENDPOINTS) == (5, 0)
    assert stored("integrations_endpoint").startswith(sealed.MARK)
    assert [row.secret for row in Endpoint.objects.order_by("pk")] == [f"whsec_{pk}" for pk in ids]
    assert sealed_rows.seal(connection, ENDPOINTS) == (0, 0), "again changes nothing"
    assert sealed_rows.unseal(connection, ENDPOINTS) == (5, 0)
    assert stored("integrations_endpoint") == f"whsec_{ids[0]}"


def test_reseal_brings_public_and_every_tenant_to_the_newest_key(tenant: Any, keys: Any, capsys: Any) -> None:
    secret = Endpoint.objects.create(url="https://a.example/").secret
    with schema_context("klarwerk"):
        EmbedSecret.objects.create()
    Relay.objects.create(key="a", name="A", settings={"password": "geheim"})
    keys.CREDENTIALS_KEY, keys.CREDENTIALS_KEY_FALLBACKS = "second key", ["first key"]
    call_command("reseal")
    assert "nordwind: 1 encrypted anew" in capsys.readouterr().out
    keys.CREDENTIALS_KEY_FALLBACKS = []
    assert Endpoint.objects.get().secret == secret
    assert Relay.objects.get().settings == {"password": "geheim"}
    with schema_context("klarwerk"):
        assert not sealed.problem(EmbedSecret.objects.get().secret)


def test_reseal_fails_and_changes_nothing_where_a_key_is_missing(tenant: Any, keys: Any) -> None:
    Endpoint.objects.create(url="https://a.example/")
    before = stored("integrations_endpoint")
    keys.CREDENTIALS_KEY = "wrong key"
    with pytest.raises(CommandError, match="1 secrets"):
        call_command("reseal", verbosity=0)
    assert stored("integrations_endpoint") == before


@pytest.fixture
def client(tenant: Any) -> Client:
    from apps.accounts.models import User

    return client_for(User.objects.create_superuser("chief", "chief@example.com"), TENANT)
