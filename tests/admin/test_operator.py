"""The operator's admin, the platform's front page and its sign of life."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django_celery_beat.models import PeriodicTask
from django_tenants.utils import schema_context

from apps.accounts.models import User
from apps.tenants import registry
from apps.tenants.models import Domain, Tenant
from tests.admin.conftest import PUBLIC, TENANT


def tenant_row() -> Tenant:
    with schema_context("public"):
        return Tenant.objects.get(schema_name="nordwind")


def test_a_tenant_is_made_with_schema_and_host_and_answers_at_once(operator: Client) -> None:
    assert Client().get("/admin/login/", headers={"host": "sued-wind.resonanz.test"}).status_code == 404
    answer = operator.post("/admin/tenants/tenant/add/", {"name": "Südwind", "schema_name": "sued_wind"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/admin/tenants/tenant/"
    assert Client().get("/admin/login/", headers={"host": "sued-wind.resonanz.test"}).status_code == 200
    with schema_context("sued_wind"):
        assert User.objects.count() == 0


@pytest.mark.parametrize(
    "data",
    [
        {"schema_name": "public"},
        {"schema_name": "pg_x"},
        {"schema_name": 'x"; DROP SCHEMA public'},
        {"schema_name": "nordwind"},
        {"schema_name": "a" * 60},
        {"schema_name": "fine", "host": "nordwind.resonanz.test"},
        {"schema_name": "fine", "host": "resonanz.test"},
        {"schema_name": "fine", "host": "a b"},
        {"schema_name": "fine", "host": "nps.example.com:8000"},
    ],
    ids=str,
)
def test_a_tenant_with_a_bad_or_taken_name_is_refused_at_the_form(operator: Client, data: dict[str, str]) -> None:
    answer = operator.post("/admin/tenants/tenant/add/", {"name": "X", **data})
    assert answer.status_code == 200
    assert answer.context["errors"]
    with schema_context("public"):
        assert set(Tenant.objects.exclude(schema_name="public").values_list("schema_name", flat=True)) == {
            "nordwind", "klarwerk",
        }  # fmt: skip


def change(operator: Client, **data: Any) -> Any:
    row = tenant_row()
    with schema_context("public"):
        domain = row.domains.get()
    formset = {
        "domains-TOTAL_FORMS": 1, "domains-INITIAL_FORMS": 1, "domains-0-id": domain.pk, "domains-0-tenant": row.pk,
        "domains-0-domain": domain.domain, "domains-0-is_primary": "on",
    }  # fmt: skip
    return operator.post(f"/admin/tenants/tenant/{row.pk}/change/", {"name": "Nordwind", **formset, **data})


def test_the_schemas_name_cannot_be_changed(operator: Client) -> None:
    assert change(operator, schema_name="other_name", is_active="on", name="New name").status_code == 302
    assert (tenant_row().schema_name, tenant_row().name) == ("nordwind", "New name")


def test_a_tenant_is_switched_off_and_on_at_once_and_never_deleted(operator: Client) -> None:
    def answers() -> int:
        return Client().get("/admin/login/", headers={"host": TENANT}).status_code

    assert answers() == 200
    change(operator)
    assert answers() == 404
    change(operator, is_active="on")
    assert answers() == 200
    assert operator.post(f"/admin/tenants/tenant/{tenant_row().pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_host_works_as_soon_as_it_is_added_and_no_longer_when_it_is_gone(operator: Client) -> None:
    def answers() -> int:
        return Client().get("/admin/login/", headers={"host": "nps.example.com"}).status_code

    assert answers() == 404
    operator.post("/admin/tenants/domain/add/", {"domain": "NPS.example.com", "tenant": tenant_row().pk})
    assert answers() == 200
    with schema_context("public"):
        domain = Domain.objects.get(domain="nps.example.com")
    operator.post(f"/admin/tenants/domain/{domain.pk}/delete/", {"post": "yes"})
    assert answers() == 404


def test_the_memory_is_dropped_again_when_the_transaction_is_through(
    db: None, django_capture_on_commit_callbacks: Any
) -> None:
    with schema_context("public"), django_capture_on_commit_callbacks(execute=True):
        tenant_row().save()
        registry.by_host(TENANT)  # another request, which still reads the old row
    assert not registry._cache


def test_a_periodic_task_is_made_and_run_on_a_schedule(operator: Client) -> None:
    operator.post("/admin/django_celery_beat/intervalschedule/add/", {"every": 5, "period": "seconds"})
    data = {"name": "t", "regtask": "tenants.tick", "interval": 1, "args": "[]", "kwargs": "{}", "headers": "{}"}
    with schema_context("public"):
        from django_celery_beat.models import IntervalSchedule

        data["interval"] = IntervalSchedule.objects.get().pk
    assert operator.post("/admin/django_celery_beat/periodictask/add/", data).status_code == 302
    with schema_context("public"):
        assert PeriodicTask.objects.get().task == "tenants.tick"


def test_tenants_pages_are_not_on_the_operators_site(operator: Client) -> None:
    assert operator.get("/admin/surveys/survey/").status_code == 404
    assert operator.get("/admin/integrations/apikey/").status_code == 404


def test_the_front_page_says_where_to_sign_in(db: None) -> None:
    page = Client().get("/", headers={"host": PUBLIC}).content.decode()
    assert "your-organisation.resonanz.test" in page
    assert 'href="/admin/"' in page
    assert "Mailbox" not in page


def test_healthz_says_ok_while_the_database_answers(db: None) -> None:
    answer = Client().get("/healthz", headers={"host": PUBLIC})
    assert (answer.status_code, answer.content) == (200, b"ok")
    assert "no-store" in answer.headers["Cache-Control"]


def test_healthz_says_so_when_the_database_does_not_answer(db: None) -> None:
    def broken(*_: Any) -> None:
        raise OperationalError

    with connection.execute_wrapper(broken):
        answer = Client().get("/healthz", headers={"host": PUBLIC})
    assert answer.status_code == 503
