"""A tenant that is switched off, and a database that is away."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from apps.common import agenda
from apps.common.models import AgendaItem
from apps.tenants import registry, tasks
from apps.tenants.models import Domain, Tenant
from config import env


@pytest.fixture
def switched_off(tenant: Tenant) -> Tenant:
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)
    registry.forget()
    return tenant


def test_no_links_are_written_for_a_tenant_that_is_switched_off(switched_off: Tenant) -> None:
    with pytest.raises(LookupError):
        registry.current_base_url()


def test_no_links_are_written_for_a_tenant_without_a_host(tenant: Tenant) -> None:
    Domain.objects.filter(tenant_id=tenant.pk).delete()
    registry.forget()
    with pytest.raises(LookupError):
        registry.current_base_url()


def test_its_agenda_rests(switched_off: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    AgendaItem.objects.create(schema_name="nordwind", queue="some.queue", due_at=timezone.now())
    sent: list[Any] = []
    monkeypatch.setattr(agenda, "announce", lambda **wakeup: sent.append(wakeup))
    tasks.tick.run()
    assert not sent


@pytest.mark.django_db
def test_a_database_that_is_away_is_a_503_to_come_back_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(registry, "_query", away)
    answer = Client(headers={"host": "nordwind.resonanz.test"}).get("/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


@pytest.mark.django_db
def test_a_nul_in_the_query_string_is_refused() -> None:
    answer = Client(headers={"host": "nordwind.resonanz.test"}).get("/login/?next=%00")
    assert answer.status_code == 400


@pytest.mark.parametrize("url", ["anymail+sendgird://", "anymail+../x://", "ftp://x"])
def test_an_unknown_way_to_send_mail_stops_the_start(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", url)
    with pytest.raises(ImproperlyConfigured):
        env.email()


def test_a_known_esp_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "anymail+postmark://")
    monkeypatch.setenv("ANYMAIL_WEBHOOK_SECRET", "resonanz:0123456789abcdef")
    assert env.email()["EMAIL_BACKEND"] == "anymail.backends.postmark.EmailBackend"
