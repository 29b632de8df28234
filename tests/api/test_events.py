"""POST /api/v1/events as its callers see it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_tenants.utils import schema_context

from apps.integrations.models import ApiKey, IdempotentRequest, Scope
from apps.integrations.services import create_api_key, revoke_api_key
from apps.touchpoints.models import Event, Touchpoint
from tests import factories
from tests.api.sending import HOST, URL, event, post, problem


def test_an_event_is_accepted_and_stored_as_it_came(key: str) -> None:
    body = event(
        occurred_at="2026-01-15T10:30:00+01:00",
        source="shop",
        external_id="o-1",
        contact={"external_id": "c-1", "email": "Ada@example.com", "name": "Käthe 😀", "properties": {"vip": True}},
        properties={"value": 12.5, "note": 'quotes " and \\ and \n'},
    )
    answer = post(key, body)
    assert answer.status_code == 202
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Length"] == str(len(answer.content))
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert not answer.cookies
    stored = Event.objects.select_related("touchpoint").get()
    assert answer.json() == {"id": str(stored.pk), "status": "accepted"}
    assert (stored.touchpoint.key, stored.source, stored.external_id) == ("order_received", "shop", "o-1")
    assert stored.occurred_at.isoformat() == "2026-01-15T09:30:00+00:00"
    assert stored.contact_data == body["contact"]
    assert stored.properties == body["properties"]
    assert (stored.status, stored.attempts, stored.error, stored.contact) == ("pending", 0, "", None)


def test_without_a_time_it_happened_now(key: str) -> None:
    before = timezone.now()
    post(key)
    stored = Event.objects.get()
    assert before <= stored.occurred_at == stored.received_at <= timezone.now()


def test_the_same_external_id_again_gives_the_same_answer_and_no_second_event(key: str) -> None:
    first = post(key, event(external_id="o-1"))
    again = post(key, event(external_id="o-1", properties={"changed": True}))
    assert (again.status_code, again.json()) == (202, first.json())
    assert Event.objects.get().properties == {}


def test_an_external_id_counts_per_source(key: str) -> None:
    post(key, event(external_id="o-1", source="shop"))
    post(key, event(external_id="o-1", source="erp"))
    assert Event.objects.count() == 2


def test_without_an_external_id_every_event_is_a_new_one(key: str) -> None:
    assert post(key).json() != post(key).json()
    assert Event.objects.count() == 2


def test_the_same_request_with_an_idempotency_key_is_carried_out_once(key: str) -> None:
    first, again = (post(key, **{"idempotency-key": "once"}) for _ in range(2))
    assert (first.json(), first.status_code) == (again.json(), again.status_code)
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    assert Event.objects.count() == 1


def test_an_idempotency_key_is_good_for_one_request_only(key: str) -> None:
    post(key, **{"idempotency-key": "once"})
    found = problem(post(key, event(properties={"other": 1}), **{"idempotency-key": "once"}), 422)
    assert [e["field"] for e in found["errors"]] == ["Idempotency-Key"]
    assert Event.objects.count() == 1


def test_what_was_refused_leaves_the_idempotency_key_free(key: str) -> None:
    problem(post(key, event(touchpoint="nothing"), **{"idempotency-key": "once"}), 422)
    assert post(key, **{"idempotency-key": "once"}).status_code == 202


def test_after_a_day_an_idempotency_key_names_a_new_request(key: str) -> None:
    first = post(key, **{"idempotency-key": "once"})
    IdempotentRequest.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    again = post(key, event(properties={"other": 1}), **{"idempotency-key": "once"})
    assert (again.status_code, again.json() == first.json()) == (202, False)


def test_two_keys_do_not_meet_in_an_idempotency_key(key: str) -> None:
    other = create_api_key(name="other")[1]
    post(key, **{"idempotency-key": "once"})
    assert post(other, event(properties={"other": 1}), **{"idempotency-key": "once"}).status_code == 202


def test_the_bodys_external_id_goes_before_the_idempotency_key(key: str) -> None:
    first = post(key, event(external_id="o-1"), **{"idempotency-key": "one"})
    again = post(key, event(external_id="o-1"), **{"idempotency-key": "two"})
    assert first.json() == again.json()
    # What the second was answered with is kept under its own key.
    assert post(key, event(external_id="o-1"), **{"idempotency-key": "two"}).json() == first.json()


@pytest.mark.parametrize("value", ["x" * 256, "a\x00b", "a\tb"])
def test_an_idempotency_key_that_is_no_id_is_refused(key: str, value: str) -> None:
    found = problem(post(key, **{"idempotency-key": value}), 422)
    assert [e["field"] for e in found["errors"]] == ["Idempotency-Key"]


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Basic eDp5", "Bearer x", f"Bearer rk_nordwind_{'a' * 43}",
     "Bearer rk_nordwind_\x00", "Bearer rk_public_x", "Bearer ä"],
)  # fmt: skip
def test_without_a_valid_key_nothing_is_taken(key: str, authorization: str | None) -> None:
    answer = post(None, **({} if authorization is None else {"authorization": authorization}))
    problem(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert not Event.objects.exists()


def test_a_revoked_key_and_an_expired_one_are_refused(key: str) -> None:
    now = timezone.now()
    assert post(key).status_code == 202
    revoke_api_key(key_id=ApiKey.objects.get().pk, now=now)
    problem(post(key), 401)
    expired = create_api_key(name="old", expires_at=now - timedelta(seconds=1))[1]
    problem(post(expired), 401)


def test_a_key_that_may_only_read_is_refused(key: str) -> None:
    reader = create_api_key(name="reports", scopes=[Scope.READ])[1]
    assert "events:write" in problem(post(reader), 403)["detail"]


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_an_event_is_neither_changed_nor_deleted(key: str, method: str) -> None:
    answer = getattr(Client(headers={"host": HOST, "authorization": f"Bearer {key}"}), method)(URL)
    problem(answer, 405)
    assert answer["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_a_body_that_is_too_large_is_refused(key: str) -> None:
    assert "64 KB" in problem(post(key, event(properties={"x": "y" * 70_000})), 413)["detail"]


@pytest.mark.parametrize("length", ["x", "1e3", "²", "-5"])
def test_a_length_that_is_no_number_is_a_400(key: str, length: str) -> None:
    client = Client(headers={"host": HOST, "authorization": f"Bearer {key}"}, raise_request_exception=False)
    for url in (URL, f"{URL}/bulk"):
        problem(client.post(url, b"{}", content_type="application/json", CONTENT_LENGTH=length), 400)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/xml"])
def test_another_content_type_is_refused(key: str, kind: str) -> None:
    problem(post(key, b"touchpoint=order_received", content_type=kind), 415)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_what_is_no_json_object_is_a_400(key: str, body: bytes) -> None:
    assert problem(post(key, body), 400)["errors"]


def test_wrong_fields_are_named_one_by_one(key: str) -> None:
    found = problem(post(key, event(contact={"email": "ada"}, occurred_at="2199-01-01T00:00:00Z", source="")), 422)
    assert {e["field"] for e in found["errors"]} == {"contact.email", "occurred_at", "source"}
    assert all(e["message"] for e in found["errors"])
    assert not Event.objects.exists()


def test_an_unknown_touchpoint_is_a_clear_error(key: str) -> None:
    [error] = problem(post(key, event(touchpoint="no_such")), 422)["errors"]
    assert error["field"] == "touchpoint"
    assert "no_such" in error["message"]


def test_an_inactive_touchpoint_takes_no_events(key: str) -> None:
    Touchpoint.objects.update(is_active=False)
    problem(post(key), 422)


def test_another_tenants_key_is_worth_nothing_here(key: str, other_tenant: Any) -> None:
    problem(post(key, host="klarwerk.resonanz.test"), 401)
    for name in ("nordwind", "klarwerk"):
        with schema_context(name):
            assert not Event.objects.exists()


def test_on_the_public_host_the_key_leads_to_its_tenant(key: str, other_tenant: Any) -> None:
    with schema_context("klarwerk"):
        factories.TouchpointFactory()
        other = create_api_key(name="shop")[1]
    answer = post(other, event(external_id="o-1"), host="resonanz.test")
    assert answer.status_code == 202
    with schema_context("klarwerk"):
        assert str(Event.objects.get().pk) == answer.json()["id"]
    with schema_context("nordwind"):
        assert not Event.objects.exists()


@pytest.mark.parametrize("name", ["nobody", "public", "template"])
def test_on_the_public_host_a_key_of_nobody_is_refused(key: str, name: str) -> None:
    problem(post(f"rk_{name}_{'a' * 43}", host="resonanz.test"), 401)
    problem(post(None, host="resonanz.test"), 401)


def test_an_unknown_host_is_not_found(key: str) -> None:
    assert post(key, host="evil.example").status_code == 404
