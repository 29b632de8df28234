"""Webhook endpoints by the API: made, changed, tried, their log read, and sent again. Against a real receiver."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django_tenants.utils import schema_context

from apps.integrations import attempts, replays, webhooks
from apps.integrations.models import Delivery, Endpoint, IdempotentRequest, Scope
from apps.integrations.services import create_api_key
from tests.api.calling import call, fields_of
from tests.integrations.receiver import Receiver, answer

MADE_UP = "0197a0c4-0000-7000-8000-000000000001"


@pytest.fixture
def key(tenant: Any) -> str:
    return create_api_key(name="everything")[1]


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with Receiver() as running:
        yield running


def publish(count: int, at: datetime) -> None:
    found = [webhooks.Occurrence(f"r:{at}:{number}", {"score": number}) for number in range(count)]
    webhooks.publish_many(event_type="response.created", occurrences=found, now=at)


def test_an_endpoint_is_made_changed_and_deleted_and_its_secret_told_only_when_it_is_made(
    key: str, receiver: Receiver
) -> None:
    body = {"name": "CRM", "url": receiver.url, "event_types": ["response.created"]}
    made = call(key, "POST", "/webhooks", body, **{"idempotency-key": "one"})
    assert made.status_code == 201, made.content
    row = Endpoint.objects.get()
    assert made.json()["secret"] == row.secret
    assert not IdempotentRequest.objects.exists()
    path = f"/webhooks/{row.pk}"
    told = call(key, "GET", path).json()
    assert {name: told[name] for name in body} == body
    assert call(key, "GET", "/webhooks?q=crm&is_active=true").json()["results"] == [told]
    wrong_ones: dict[str, Any] = {
        "url": {"url": "ftp://x"}, "event_types.0": {"event_types": ["x"]}, "secret": {"secret": "x"},
        "is_slow": {"is_slow": True}, "nonsense": {"nonsense": 1},
    }  # fmt: skip
    for field, wrong in wrong_ones.items():
        assert fields_of(call(key, "PATCH", path, wrong)) == [field]
    Endpoint.objects.update(is_active=False, disabled_reason="gone", failing_since=row.created_at)
    changed = call(key, "PATCH", path, {"is_active": True, "event_types": []}).json()
    assert (changed["is_active"], changed["disabled_reason"], changed["failing_since"]) == (True, "", None)
    new = call(key, "POST", f"{path}/rotate", {"overlap_seconds": 60}, **{"idempotency-key": "two"}).json()
    assert (new["secret"] != row.secret, new["old_secret_until"] is not None) == (True, True)
    secrets = [row.secret, new["secret"]]
    for answered in (call(key, "GET", path), call(key, "GET", "/webhooks"), call(key, "PATCH", path, {"name": "x"})):
        assert not any(secret in answered.content.decode() for secret in secrets)
    assert not any(
        secret.encode() in bytes(kept.body) for kept in IdempotentRequest.objects.all() for secret in secrets
    )
    assert call(key, "DELETE", path).status_code == 204
    assert not Endpoint.objects.exists()


def test_a_test_says_what_came_of_it(key: str, receiver: Receiver) -> None:
    row = Endpoint.objects.create(url=receiver.url)
    receiver.behaviour = answer(500, b"broken")
    tried = call(key, "POST", f"/webhooks/{row.pk}/test").json()
    assert (tried["delivered"], tried["status_code"], tried["response_excerpt"]) == (False, 500, "broken")
    assert tried["delivery"] == receiver.received[0].headers["webhook-id"]
    receiver.behaviour = answer(204)
    assert call(key, "POST", f"/webhooks/{row.pk}/test").json()["delivered"] is True


def test_the_log_is_read_and_sent_again_one_or_a_span_of_time(key: str, receiver: Receiver) -> None:
    now = datetime.now(tz=UTC)
    row = Endpoint.objects.create(url=receiver.url)
    publish(2, now - timedelta(hours=1))
    receiver.behaviour = answer(410, b"gone")
    attempts.attempt_due(now=now)
    log = call(key, "GET", f"/webhooks/{row.pk}/deliveries?status=failed&event_type=response.created").json()["results"]
    assert [one["attempt_count"] for one in log] == [1, 1]
    one = f"/deliveries/{log[0]['id']}"
    detail = call(key, "GET", one).json()
    assert detail["body"]["data"] == Delivery.objects.get(pk=log[0]["id"]).payload
    assert detail["attempts"][0]["request_headers"]["webhook-id"] == log[0]["id"]
    assert detail["attempts"][0]["response_excerpt"] == "gone"
    span = {"since": (now - timedelta(days=1)).isoformat(), "until": now.isoformat(), "status": "failed"}
    assert call(key, "POST", f"{one}/replay").status_code == 409
    assert call(key, "POST", f"/webhooks/{row.pk}/replay", span).status_code == 409
    call(key, "PATCH", f"/webhooks/{row.pk}", {"is_active": True})
    assert call(key, "POST", f"{one}/replay").json()["status"] == "pending"
    assert call(key, "POST", f"{one}/replay").status_code == 409
    assert fields_of(call(key, "POST", f"/webhooks/{row.pk}/replay", {**span, "until": span["since"]})) == ["since"]
    assert fields_of(call(key, "POST", f"/webhooks/{row.pk}/replay", {"status": "pending"})) == [
        "since", "until", "status",
    ]  # fmt: skip
    begun = call(key, "POST", f"/webhooks/{row.pk}/replay", span)
    assert (begun.status_code, begun.json()["total"], begun.json()["by"]) == (202, 1, "API: everything")
    receiver.behaviour = answer(204)
    replays.go_on(now=now + timedelta(minutes=1))
    assert attempts.attempt_due(now=now + timedelta(minutes=1)) == 2
    [replay] = call(key, "GET", f"/webhooks/{row.pk}/replays").json()["results"]
    assert (replay["queued"], replay["delivered"], replay["failed"]) == (1, 1, 0)


def test_each_path_needs_its_scope_and_finds_nothing_of_another_tenant(key: str, other_tenant: Any) -> None:
    with schema_context("klarwerk"):
        theirs = Endpoint.objects.create(url="https://theirs.example/")
        publish(1, datetime.now(tz=UTC))
        delivery = Delivery.objects.get()
    reader = create_api_key(name="reader", scopes=[Scope.READ])[1]
    writes = [("PATCH", ""), ("DELETE", ""), ("POST", "/rotate"), ("POST", "/test"), ("POST", "/replay"),
              ("GET", "/deliveries")]  # fmt: skip
    paths = [(method, f"/webhooks/{theirs.pk}{rest}") for method, rest in writes]
    paths += [("GET", f"/deliveries/{delivery.pk}"), ("POST", f"/deliveries/{delivery.pk}/replay")]
    for method, path in paths:
        assert call(reader, method, path, {}).status_code == 403, path
        assert call(None, method, path, {}).status_code == 401, path
        assert call(key, method, path, {}).status_code == 404, path
    for path in ("/webhooks", f"/webhooks/{theirs.pk}", f"/webhooks/{theirs.pk}/replays"):
        assert call(reader, "GET", path).status_code == (200 if path == "/webhooks" else 404)
    assert call(reader, "POST", "/webhooks", {"url": "https://x.example/"}).status_code == 403
    with schema_context("klarwerk"):
        assert Endpoint.objects.get().secret == theirs.secret
