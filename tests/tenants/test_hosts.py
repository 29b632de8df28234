"""The Host header alone decides the tenant, and it decides before anything else runs."""

from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from apps.tenants import registry
from apps.tenants.middleware import TenantMiddleware
from apps.tenants.models import Domain, Tenant

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_registry() -> Any:
    registry.forget()
    yield
    registry.forget()


def ask(path: str = "/", **headers: str) -> tuple[int, str]:
    """Status, and the schema and URLs that a view would have run with."""

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"{connection.schema_name} {request.urlconf}")  # type: ignore[attr-defined]

    answer = TenantMiddleware(view)(RequestFactory().get(path, headers=headers))
    return answer.status_code, answer.content.decode()


@pytest.mark.parametrize("host", ["nordwind.resonanz.test", "nordwind.resonanz.test:8000", "NORDWIND.Resonanz.Test."])
def test_a_tenants_host_leads_to_its_schema(host: str) -> None:
    assert ask(host=host) == (200, "nordwind config.urls_tenant")


def test_the_public_host_leads_to_public_urls() -> None:
    assert ask(host="resonanz.test") == (200, "public config.urls_public")


@pytest.mark.parametrize(
    "host",
    ["", "unknown.resonanz.test", "evil.example", "nordwind.resonanz.test.evil.example", "127.0.0.1", "[::1]", "public",
     "nordwind.resonanz.test/", "nordwind.resonanz.test\x00", "nordwind.resonanz.test, klarwerk.resonanz.test",
     "nordwind.resonanz.test@klarwerk.resonanz.test", "'; DROP SCHEMA nordwind; --", "x" * 5000],
)  # fmt: skip
def test_any_other_host_gets_the_same_404(host: str) -> None:
    assert ask(host=host) == (404, "Not found.")


@pytest.mark.parametrize(
    "header", ["X-Forwarded-Host", "Forwarded", "X-Original-Host", "X-Host", "X-Forwarded-Server", "X-Tenant"]
)
def test_headers_that_claim_another_host_are_ignored(header: str) -> None:
    value = "host=klarwerk.resonanz.test" if header == "Forwarded" else "klarwerk.resonanz.test"
    assert ask(host="nordwind.resonanz.test", **{header: value}) == (200, "nordwind config.urls_tenant")
    assert ask(host="evil.example", **{header: value}) == (404, "Not found.")


def test_an_inactive_tenant_is_not_there() -> None:
    assert ask(host="nordwind.resonanz.test")[0] == 200
    tenant = Tenant.objects.get(schema_name="nordwind")
    tenant.is_active = False
    tenant.save()
    assert ask(host="nordwind.resonanz.test") == (404, "Not found.")
    assert ask("/api/v1/x", host="resonanz.test", authorization=_key("nordwind")) == (200, "public config.urls_public")


def test_a_key_names_its_tenant_on_the_public_host_only() -> None:
    public = {"host": "resonanz.test", "authorization": _key("klarwerk")}
    assert ask("/api/v1/x", **public) == (200, "klarwerk config.urls_public")
    assert ask("/admin/", **public) == (200, "public config.urls_public")
    own = {"host": "nordwind.resonanz.test", "authorization": _key("klarwerk")}
    assert ask("/api/v1/x", **own) == (200, "nordwind config.urls_tenant")


@pytest.mark.parametrize("name", ["public", "template", "information_schema", "pg_catalog", "nobody", "nordwind;x"])
def test_a_key_cannot_name_anything_but_a_tenant(name: str) -> None:
    assert ask("/api/v1/x", host="resonanz.test", authorization=_key(name)) == (200, "public config.urls_public")


def test_the_registry_asks_once_and_forgets_what_changed(django_assert_num_queries: Any) -> None:
    Tenant.objects.exists()  # the connection stands in public
    with django_assert_num_queries(1):
        first = registry.by_host("nordwind.resonanz.test")
    with django_assert_num_queries(0):
        assert registry.by_host("nordwind.resonanz.test") is first
        assert registry.by_host("resonanz.test") is not None
    tenant = Tenant.objects.get(schema_name="nordwind")
    assert registry.by_host("nps.nordwind.example") is None
    Domain.objects.create(tenant=tenant, domain="nps.nordwind.example", is_primary=False)
    found = registry.by_host("nps.nordwind.example")
    assert found is not None
    assert found.schema_name == "nordwind"
    tenant.name = "Südwind"
    tenant.save()
    renamed = registry.by_host("nordwind.resonanz.test")
    assert renamed is not None
    assert renamed.name == "Südwind"


def test_the_registry_looks_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    assert registry.by_host("new.example") is None
    Domain.objects.bulk_create([Domain(tenant=Tenant.objects.get(schema_name="nordwind"), domain="new.example")])
    assert registry.by_host("new.example") is None
    later = registry.time.monotonic() + registry.TTL_SECONDS + 1
    monkeypatch.setattr(registry.time, "monotonic", lambda: later)
    assert registry.by_host("new.example") is not None


def test_made_up_hosts_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "MAX_ENTRIES", 10)
    for number in range(30):
        registry.by_host(f"h{number}.example")
    assert len(registry._cache) <= 10


def _key(schema_name: str) -> str:
    return f"Bearer rk_{schema_name}_{'a' * 43}"
