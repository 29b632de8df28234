"""Every page of both admin sites opens, costs the same however long its list, and stays under the security policy."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from apps.accounts.models import User
from apps.common.admin import FlowAdmin, SingletonAdmin
from apps.common.admin_site import operator_admin, tenant_admin
from apps.messaging.models import OutgoingEmail
from tests.admin.conftest import PUBLIC, TENANT, client_for, run_flow

LISTS = [model for model, page in tenant_admin._registry.items() if not isinstance(page, SingletonAdmin)]
FLOW = [model for model, page in tenant_admin._registry.items() if isinstance(page, FlowAdmin)]


def url(model: type[Model], rest: str = "") -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/{rest}"


def queries(client: Client, path: str) -> list[str]:
    """What a page asks the database, apart from finding the tenant (which is remembered for a while)."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    found = [query["sql"] for query in captured]
    return [sql for sql in found if not sql.startswith("SET ") and '"tenants_' not in sql]


def name(model: type[Model]) -> str:
    return model._meta.label


def test_a_list_costs_no_query_per_row(client: Client) -> None:
    Group.objects.create(name="A")
    run_flow(1)
    few = {model: queries(client, url(model)) for model in LISTS}
    for number in range(2, 7):
        run_flow(number)
        Group.objects.create(name=str(number))
    many = {model: queries(client, url(model)) for model in LISTS}
    assert {name(model): many[model] for model in LISTS if len(many[model]) > len(few[model])} == {}


def test_a_list_can_be_searched_and_its_rows_opened(client: Client) -> None:
    Group.objects.create(name="A")
    run_flow(1)
    for model in LISTS:
        row = model._default_manager.first()
        assert row is not None, name(model)
        asked = {
            "a quote": client.get(url(model), {"q": "x' OR 1=1 --"}).status_code,
            "a null": client.get(url(model), {"q": "\x00"}).status_code,
            "add": client.get(url(model, "add/")).status_code,
            "open": client.get(url(model, f"{row.pk}/change/")).status_code,
        }
        may_add = model not in FLOW and model.__name__ != "Case"
        assert asked == {"a quote": 200, "a null": 400, "add": 200 if may_add else 403, "open": 200}, name(model)


@pytest.mark.parametrize("year", ["99999999999", "0", "-1", "9" * 400])
def test_an_absurd_year_leads_back_to_the_whole_list(client: Client, year: str) -> None:
    answer = client.get(url(OutgoingEmail), {"queued_at__year": year})
    assert answer.status_code == 302
    assert client.get(answer["Location"]).status_code == 200


def test_rows_of_the_flow_cannot_be_changed_or_deleted(client: Client) -> None:
    run_flow(1)
    for model in FLOW:
        row = model._default_manager.get()
        before = model._default_manager.values().get()
        assert client.post(url(model, f"{row.pk}/change/"), {}).status_code == 403, name(model)
        assert client.post(url(model, f"{row.pk}/delete/"), {"post": "yes"}).status_code == 403, name(model)
        client.post(url(model), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
        assert model._default_manager.values().get() == before, name(model)


@pytest.mark.parametrize("model", list(operator_admin._registry), ids=name)
def test_the_operators_pages_open(operator: Client, model: type[Model]) -> None:
    assert operator.get(url(model)).status_code == 200
    may_add = not issubclass(type(operator_admin._registry[model]), FlowAdmin)
    assert operator.get(url(model, "add/")).status_code == (200 if may_add else 403)


def test_the_front_of_the_admin_groups_what_there_is(client: Client) -> None:
    page = client.get("/admin/").content.decode()
    for group in ("Journey", "Asking", "Answering", "Follow-up", "Mail", "Developers", "People"):
        assert group in page
    assert 'href="/"' in page
    for other in ("Tenants", "Periodic tasks"):
        assert other not in page


def test_the_side_bar_lists_only_what_may_be_seen(tenant: Any) -> None:
    user = User.objects.create_user("analyst", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_response"))
    page = client_for(user, TENANT).get("/admin/").content.decode()
    assert "Responses" in page
    assert "API keys" not in page
    assert "Developers" not in page


# --- the security policy ---


def policy(answer: Any) -> dict[str, list[str]]:
    parts = [part.split() for part in answer.headers["Content-Security-Policy"].split(";")]
    return {part[0]: part[1:] for part in parts}


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/admin/triggers/triggerrule/", "/admin/jsi18n/"])
def test_the_admin_may_evaluate_but_not_run_inline_scripts(client: Client, path: str) -> None:
    found = policy(client.get(path, follow=True))
    assert set(found["script-src"]) <= {"'self'", "'unsafe-eval'"}
    assert found["style-src-elem"] == ["'self'"]
    assert found["style-src-attr"] == ["'unsafe-inline'"]
    assert found["object-src"] == found["base-uri"] == found["frame-ancestors"] == ["'none'"]


@pytest.mark.parametrize(("host", "path"), [(PUBLIC, "/"), (PUBLIC, "/healthz"), (TENANT, "/login/")])
def test_pages_outside_the_admin_stay_strict(db: None, host: str, path: str) -> None:
    found = policy(Client().get(path, headers={"host": host}))
    sources = {source for directive in found.values() for source in directive}
    assert not {"'unsafe-eval'", "'unsafe-inline'"} & sources
    assert found["default-src"] == ["'self'"]


def test_the_admins_pages_hold_no_inline_script_or_style(client: Client) -> None:
    run_flow(1)
    for path in ("/admin/", "/admin/triggers/triggerrule/", "/admin/surveys/survey/add/", "/admin/responses/response/"):
        page = client.get(path).content.decode()
        assert "<style" not in page
        assert "<script>" not in page


# --- who may come in ---


def test_a_tenants_session_opens_nothing_on_the_public_host(client: Client) -> None:
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/", headers={"host": PUBLIC}).status_code == 302


def test_an_operators_session_opens_nothing_on_a_tenants_host(operator: Client, tenant: Any) -> None:
    with schema_context("public"):
        assert operator.get("/admin/").status_code == 200
    assert operator.get("/admin/", headers={"host": TENANT}).status_code == 302


def test_a_tenants_session_opens_nothing_at_another_tenant(client: Client, other_tenant: Any) -> None:
    assert client.get("/admin/", headers={"host": "klarwerk.resonanz.test"}).status_code == 302


@pytest.mark.parametrize(("home", "host"), [(TENANT, PUBLIC), (PUBLIC, TENANT)])
def test_a_password_works_only_where_it_was_given(db: None, home: str, host: str) -> None:
    with schema_context("nordwind" if home == TENANT else "public"):
        User.objects.create_superuser("chief", "chief@example.com", "correct horse")
    answer = Client().post("/admin/login/", {"username": "chief", "password": "correct horse"}, headers={"host": host})
    assert answer.status_code == 200
    answer = Client().post("/admin/login/", {"username": "chief", "password": "correct horse"}, headers={"host": home})
    assert (answer.status_code, answer.headers.get("Location")) == (302, "/admin/")


def test_only_staff_comes_in(tenant: Any) -> None:
    assert client_for(User.objects.create_user("reader"), TENANT).get("/admin/").status_code == 302
