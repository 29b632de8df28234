"""Webhooks when something breaks in between: nothing is lost, nothing else is touched."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.common import agenda, queues
from apps.integrations import attempts, outbound_http, tasks, webhooks
from apps.integrations.models import Attempt, Delivery, Endpoint
from tests.integrations.receiver import Receiver, answer, silence

NOW = datetime.now(tz=UTC)
STATUS = Delivery.Status


def publish(reason: str = "response:1:1", event_type: str = "response.created", **payload: Any) -> int:
    return webhooks.publish(event_type=event_type, reason=reason, payload=payload or {"score": 9}, now=NOW)


def attempt(now: datetime = NOW) -> Delivery:
    assert attempts.attempt_due(now=now) == 1
    return Delivery.objects.get()


def test_a_crash_after_sending_leads_to_the_same_id_again_when_the_lease_is_over(
    endpoint: Endpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(**_: Any) -> None:
        raise SystemExit

    publish()
    with monkeypatch.context() as patch:
        patch.setattr(attempts, "_settle", crash)
        with pytest.raises(SystemExit):
            attempts.attempt_due(now=NOW)
    assert webhooks.next_due() == NOW + attempts.LEASE
    assert attempts.attempt_due(now=NOW + attempts.LEASE - timedelta(seconds=1)) == 0
    assert attempt(NOW + attempts.LEASE).status == STATUS.DELIVERED
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    assert len(receiver.received) == 2


def test_a_delivery_that_kills_its_worker_every_time_comes_to_an_end(
    endpoint: Endpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(**_: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(attempts, "_settle", crash)
    publish()
    now = NOW
    for _ in range(attempts.MAX_ATTEMPTS):
        with pytest.raises(SystemExit):
            attempts.attempt_due(now=now)
        now += attempts.LEASE
    assert attempts.attempt_due(now=now) == 0
    assert Delivery.objects.get().status == STATUS.FAILED
    assert len(receiver.received) == attempts.MAX_ATTEMPTS


def test_a_late_failure_does_not_undo_what_another_worker_took_over(
    endpoint: Endpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = NOW + attempts.LEASE * 2

    def taken_over(**kwargs: Any) -> outbound_http.Answer:
        return outbound_http.Answer(500, 5)

    publish()
    settle = attempts._settle

    def slow_settle(**kwargs: Any) -> None:
        Delivery.objects.update(lease_until=later)
        settle(**kwargs)

    monkeypatch.setattr(outbound_http, "post", taken_over)
    monkeypatch.setattr(attempts, "_settle", slow_settle)
    delivery = attempt()
    assert (delivery.lease_until, delivery.due_at, delivery.status) == (later, NOW, STATUS.PENDING)
    assert Attempt.objects.count() == 1


def test_an_endpoint_deleted_while_sending_takes_its_rows_along_and_nothing_breaks(
    receiver: Receiver, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Endpoint.objects.create(url=receiver.url)
    settle = attempts._settle

    def delete_first(**kwargs: Any) -> None:
        endpoint.delete()
        settle(**kwargs)

    monkeypatch.setattr(attempts, "_settle", delete_first)
    publish()
    assert attempts.attempt_due(now=NOW) == 2
    assert Delivery.objects.get().endpoint_id == other.pk
    assert Attempt.objects.count() == 1


def test_a_poisonous_delivery_does_not_touch_its_neighbours(receiver: Receiver, endpoint: Endpoint) -> None:
    Endpoint.objects.create(url=receiver.url, secret="whsec_")
    Endpoint.objects.create(url="http://[::1")
    publish()
    assert attempts.attempt_due(now=NOW) == 3
    by_endpoint = dict(Delivery.objects.order_by("endpoint_id").values_list("endpoint_id", "status"))
    assert list(by_endpoint.values()) == [STATUS.DELIVERED, STATUS.PENDING, STATUS.PENDING]
    assert Attempt.objects.exclude(error="").count() == 2


def test_a_slow_receiver_does_not_hold_up_the_others_of_its_batch(receiver: Receiver, endpoint: Endpoint) -> None:
    with Receiver() as slow:
        slow.behaviour = silence(0.8)
        Endpoint.objects.bulk_create(Endpoint(url=slow.url) for _ in range(10))
        publish()
        started = time.monotonic()
        assert attempts.attempt_due(now=NOW) == 11
        assert time.monotonic() - started < 3, "ten slow receivers one after the other would take 8 seconds"
    assert set(Delivery.objects.values_list("status", flat=True)) == {STATUS.DELIVERED}


def test_nothing_is_sent_inside_a_transaction(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    depths: list[int] = []
    real = attempts.ThreadPoolExecutor

    def note_depth(**kwargs: Any) -> Any:
        depths.append(len(connection.savepoint_ids))
        return real(**kwargs)

    outside = len(connection.savepoint_ids)
    monkeypatch.setattr(attempts, "ThreadPoolExecutor", note_depth)
    publish()
    attempt()
    assert depths == [outside]


def test_the_number_of_queries_does_not_grow_with_the_batch(
    endpoint: Endpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "GATHER_SECONDS", 5)  # However busy this machine is: all have answered by then.

    def queries(count: int) -> int:
        Endpoint.objects.bulk_create(Endpoint(url=receiver.url) for _ in range(count))
        publish(reason=f"response:{count}:1")
        with CaptureQueriesContext(connection) as captured:
            attempts.attempt_due(now=NOW)
        return len(captured)

    assert queries(1) == queries(20)


def test_a_batch_is_bounded_and_the_drain_goes_on_until_nothing_is_due(
    receiver: Receiver,
    endpoint: Endpoint,
    django_capture_on_commit_callbacks: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attempts, "GATHER_SECONDS", 5)
    for number in range(5):
        publish(reason=f"response:{number}:1")
    assert attempts.attempt_due(now=NOW, limit=2) == 2
    assert queues.DRAINS[webhooks.QUEUE].next_due() == NOW
    assert tasks.webhooks.QUEUE == "integrations.deliver"
    drain = queues.DRAINS[webhooks.QUEUE]
    handled = agenda.drain(queue=webhooks.QUEUE, step=drain.step, next_due=drain.next_due, clock=lambda: NOW)
    assert handled == 3
    assert len(receiver.received) == 5


def test_a_failed_delivery_can_be_sent_again_under_its_old_id(endpoint: Endpoint, receiver: Receiver) -> None:
    receiver.behaviour = answer(410)
    publish()
    failed = attempt()
    Endpoint.objects.update(is_active=True)
    receiver.behaviour = answer(204)
    later = NOW + timedelta(seconds=30)
    assert webhooks.redeliver(ids=[failed.pk], now=later) == 1
    assert webhooks.redeliver(ids=[failed.pk], now=later) == 0
    assert attempt(later).status == STATUS.DELIVERED
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
