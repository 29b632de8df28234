"""Webhooks against a real receiver: what is sent, what its answers lead to, what a crash leaves behind."""

import base64
import functools
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from standardwebhooks import Webhook, WebhookVerificationError

from apps.common import agenda
from apps.integrations import attempts, outbound_http, webhooks
from apps.integrations.models import Attempt, Delivery, Endpoint
from tests.integrations.receiver import Receiver, answer, silence

NOW = datetime.now(tz=UTC)
# The library refuses what is older than five minutes, and the module may have been read long before its tests run.
as_of_now = time_machine.travel(NOW, tick=True)
STATUS = Delivery.Status


def publish(reason: str = "response:1:1", event_type: str = "response.created", **payload: Any) -> int:
    return webhooks.publish(event_type=event_type, reason=reason, payload=payload or {"score": 9}, now=NOW)


def attempt(now: datetime = NOW) -> Delivery:
    assert attempts.attempt_due(now=now) == 1
    return Delivery.objects.get()


# --- writing ------------------------------------------------------------------------------------


def test_every_active_endpoint_that_wants_the_type_gets_one_delivery(tenant: Any) -> None:
    wanted = [
        Endpoint.objects.create(url="https://a.example/"),
        Endpoint.objects.create(url="https://b.example/", event_types=["response.created", "response.updated"]),
    ]
    Endpoint.objects.create(url="https://c.example/", event_types=["response.updated"])
    Endpoint.objects.create(url="https://d.example/", is_active=False)
    assert publish() == 2
    rows = Delivery.objects.order_by("endpoint_id")
    assert [row.endpoint_id for row in rows] == [row.pk for row in wanted]
    assert {(row.status, row.due_at, row.event_type) for row in rows} == {(STATUS.PENDING, NOW, "response.created")}


def test_the_same_occurrence_is_published_once(tenant: Any) -> None:
    Endpoint.objects.create(url="https://a.example/")
    assert [publish(), publish(), publish(reason="response:1:2")] == [1, 0, 1]


def test_publishing_to_nobody_costs_one_query_and_wakes_nobody(
    tenant: Any, django_capture_on_commit_callbacks: Any
) -> None:
    assert not Endpoint.objects.exists()  # The tenant's search path is set by now, as in any request.
    with CaptureQueriesContext(connection) as queries, django_capture_on_commit_callbacks() as callbacks:
        assert publish() == 0
    assert len(queries) == 1
    assert callbacks == []


def test_publishing_wakes_the_queue_after_the_commit(
    tenant: Any, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    announced: list[str] = []
    monkeypatch.setattr(agenda, "announce", lambda *, schema_name, queue: announced.append(f"{schema_name} {queue}"))
    Endpoint.objects.create(url="https://a.example/")
    with django_capture_on_commit_callbacks(execute=True):
        publish()
        assert announced == []
    assert announced == ["nordwind integrations.deliver"]


def test_ids_are_time_ordered_uuids_made_by_the_database(tenant: Any) -> None:
    Endpoint.objects.bulk_create(Endpoint(url=f"https://{n}.example/") for n in range(50))
    assert publish() == 50
    ids = list(Delivery.objects.values_list("pk", flat=True))
    assert {(value.version, value.variant) for value in ids} == {(7, "specified in RFC 4122")}
    assert {abs((value.int >> 80) - NOW.timestamp() * 1000) < 2 for value in ids} == {True}


def test_the_other_tenants_endpoints_hear_nothing(tenant: Any, other_tenant: Any) -> None:
    from django_tenants.utils import tenant_context

    with tenant_context(other_tenant):
        Endpoint.objects.create(url="https://a.example/")
    assert publish() == 0
    with tenant_context(other_tenant):
        assert not Delivery.objects.exists()


# --- sending ------------------------------------------------------------------------------------


@as_of_now
def test_a_delivery_verifies_with_the_standard_library_and_is_done_after_200(
    endpoint: Endpoint, receiver: Receiver
) -> None:
    receiver.behaviour = answer(200, b"thanks")
    publish(score=9, comment="Süß")
    delivery = attempt()
    request = receiver.received[0]
    assert Webhook(endpoint.secret).verify(request.body, request.headers) == {
        "type": "response.created",
        "timestamp": NOW.isoformat().replace("+00:00", "Z"),
        "data": {"score": 9, "comment": "Süß"},
    }
    assert request.headers["webhook-id"] == str(delivery.pk)
    assert request.headers["content-type"] == "application/json"
    assert (delivery.status, delivery.lease_until, delivery.attempt_count) == (STATUS.DELIVERED, None, 1)
    row = Attempt.objects.get()
    assert (row.status_code, row.error, row.response_excerpt, row.at) == (200, "", "thanks", NOW)
    assert webhooks.next_due() is None
    assert attempts.attempt_due(now=NOW + timedelta(days=2)) == 0


def test_the_signature_is_hmac_sha256_over_id_timestamp_and_body(endpoint: Endpoint, receiver: Receiver) -> None:
    publish()
    attempt()
    got = receiver.received[0]
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    key = base64.b64decode(endpoint.secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert got.headers["webhook-signature"] == f"v1,{expected}"


def test_another_secret_or_a_changed_body_does_not_verify(endpoint: Endpoint, receiver: Receiver) -> None:
    publish()
    attempt()
    request = receiver.received[0]
    with pytest.raises(WebhookVerificationError):
        Webhook(Endpoint().secret).verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint.secret).verify(request.body.replace(b"9", b"3"), request.headers)


@as_of_now
def test_a_repetition_has_the_same_id_and_body_and_a_fresh_timestamp(endpoint: Endpoint, receiver: Receiver) -> None:
    receiver.behaviour = answer(500)
    publish()
    attempt(NOW)
    attempt(NOW + timedelta(seconds=10))
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 10
    Webhook(endpoint.secret).verify(second.body, second.headers)


def test_500_is_tried_eight_times_with_growing_pauses_and_then_failed(endpoint: Endpoint, receiver: Receiver) -> None:
    receiver.behaviour = answer(500, b"sorry")
    publish()
    now, pauses = NOW, []
    for _ in range(7):
        delivery = attempt(now)
        assert delivery.status == STATUS.PENDING
        assert attempts.attempt_due(now=delivery.due_at - timedelta(milliseconds=1)) == 0
        pauses.append((delivery.due_at - now).total_seconds())
        now = delivery.due_at
    delivery = attempt(now)
    assert (delivery.status, delivery.attempt_count, len(receiver.received)) == (STATUS.FAILED, 8, 8)
    assert all(base <= pause <= base * 1.2 + 1 for base, pause in zip(attempts.BACKOFF, pauses, strict=True))
    assert (attempts.BACKOFF[0], attempts.BACKOFF[-1]) == (5, 36_000)
    assert list(Attempt.objects.values_list("status_code", "response_excerpt")) == [(500, "sorry")] * 8
    assert attempts.attempt_due(now=now + timedelta(days=3)) == 0


def test_a_timeout_is_tried_again(endpoint: Endpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound_http, "post", functools.partial(outbound_http.post, seconds=0.3))
    receiver.behaviour = silence(20)
    publish()
    delivery = attempt()
    assert delivery.status == STATUS.PENDING
    assert delivery.due_at >= NOW + timedelta(seconds=5.3)
    assert list(Attempt.objects.values_list("status_code", "error")) == [(None, "No answer in time.")]


@pytest.mark.parametrize("status", [429, 503])
def test_as_long_is_waited_as_the_receiver_asks_in_seconds_or_by_a_date(
    endpoint: Endpoint, receiver: Receiver, status: int
) -> None:
    in_an_hour = format_datetime(datetime.now(tz=UTC) + timedelta(hours=1), usegmt=True)
    for asked, waited in {"7": 7, "0": 1, "3600": 3600, "999999999": 86_400, in_an_hour: 3600}.items():
        receiver.behaviour = answer(status, Retry_After=asked)
        publish(reason=asked)
        assert attempts.attempt_due(now=NOW) == 1
        delivery = Delivery.objects.get(reason=asked)
        assert abs((delivery.due_at - NOW).total_seconds() - waited) <= 2, asked
        assert delivery.status == STATUS.PENDING


def test_a_redirect_is_a_failure_and_not_followed(endpoint: Endpoint, receiver: Receiver) -> None:
    receiver.behaviour = answer(302, Location="/elsewhere")
    publish()
    assert attempt().status == STATUS.PENDING
    assert [request.path for request in receiver.received] == ["/hook"]
    assert Attempt.objects.get().error == "Redirects are not followed."


def test_410_fails_the_delivery_and_switches_the_endpoint_off(endpoint: Endpoint, receiver: Receiver) -> None:
    receiver.behaviour = answer(410)
    publish()
    assert attempt().status == STATUS.FAILED
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.disabled_reason) == (False, "gone")
    assert publish(reason="response:2:1") == 0


def test_deliveries_of_an_endpoint_that_is_switched_off_wait_until_it_is_on_again(
    endpoint: Endpoint, receiver: Receiver
) -> None:
    publish()
    Endpoint.objects.update(is_active=False)
    assert webhooks.next_due() is None
    assert attempts.attempt_due(now=NOW) == 0
    Endpoint.objects.update(is_active=True)
    assert webhooks.next_due() == NOW
    assert attempt().status == STATUS.DELIVERED


def test_an_address_inside_is_refused_unless_the_operator_allows_it(
    endpoint: Endpoint, receiver: Receiver, settings: Any
) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = False
    publish()
    assert attempt().status == STATUS.PENDING
    assert receiver.received == []
    assert Attempt.objects.get().error == "The address is not on the public internet."


def test_dates_and_ids_in_a_payload_are_written_as_text(endpoint: Endpoint, receiver: Receiver) -> None:
    publish(at=NOW, id=Delivery().pk)
    attempt()
    assert isinstance(json.loads(receiver.received[0].body)["data"]["id"], str)
