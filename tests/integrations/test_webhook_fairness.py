"""A slow receiver holds up nobody but itself: not its neighbours, not other tenants. Real sockets, real time."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django_tenants.utils import tenant_context

from apps.common import agenda, queues
from apps.integrations import attempts, health, tasks, webhooks
from apps.integrations.models import Delivery, Endpoint
from tests.integrations.receiver import Handler, Receiver, answer, silence

SLOW = 1.5
assert tasks  # Registers the drains.
Delivered = Delivery.Status.DELIVERED


def now() -> datetime:
    return datetime.now(tz=UTC)


@pytest.fixture
def slow(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Takes longer than it may to count as quick."""
    settings.WEBHOOK_ALLOW_PRIVATE = True
    monkeypatch.setattr(health, "SLOW_MS", 1200)
    with Receiver() as running:
        running.behaviour = silence(SLOW)
        yield running


def publish(count: int, prefix: str = "r") -> None:
    for number in range(count):
        webhooks.publish(event_type="response.created", reason=f"{prefix}:{number}", payload={}, now=now())


def drain(queue: str = webhooks.QUEUE) -> float:
    """Work one queue off as a worker does; returns how long it took."""
    started = time.monotonic()
    known = queues.DRAINS[queue]
    agenda.drain(queue=queue, step=known.step, next_due=known.next_due, clock=now, seconds=0.5)
    return time.monotonic() - started


def test_an_endpoint_gets_its_share_of_a_batch_and_neighbours_go_on_while_it_is_waited_for(
    tenant: Any, slow: Receiver, receiver: Receiver
) -> None:
    lock, all_served = threading.Lock(), threading.Event()
    hanging, most, arrivals, in_time = [0], [0], [0], []

    def hang(handler: Handler) -> None:
        with lock:
            hanging[0] += 1
            most[0] = max(most[0], hanging[0])
        in_time.append(all_served.wait(attempts.PATIENCE_SECONDS + 3))
        with lock:
            hanging[0] -= 1
        answer(200)(handler)

    def serve(handler: Handler) -> None:
        with lock:
            arrivals[0] += 1
            if arrivals[0] == 60:
                all_served.set()
        answer(200)(handler)

    slow.behaviour, receiver.behaviour = hang, serve
    held_up = Endpoint.objects.create(url=slow.url)
    publish(40, "first")  # A crowd that came before anybody else's.
    Endpoint.objects.create(url=receiver.url)
    Endpoint.objects.filter(pk=held_up.pk).update(event_types=["response.suspected"])
    publish(60, "second")
    attempts.attempt_due(now=now(), clock=now)
    assert in_time[: attempts.SHARE] == [True] * attempts.SHARE, (
        "the neighbour's sixty went while these were waited for"
    )
    assert (arrivals[0], most[0]) == (60, attempts.SHARE)


def test_a_tenants_slow_receivers_do_not_delay_another_tenant(
    tenant: Any, other_tenant: Any, slow: Receiver, receiver: Receiver
) -> None:
    Endpoint.objects.bulk_create(Endpoint(url=slow.url) for _ in range(10))
    publish(6)
    with tenant_context(other_tenant):
        Endpoint.objects.create(url=receiver.url)
    assert drain() >= SLOW  # The first time nobody knows yet.
    assert set(Endpoint.objects.values_list("is_slow", flat=True)) == {True}
    assert Delivery.objects.exclude(status=Delivered).exists()
    waited = 0.0
    for turn in range(3):  # One worker for all, and the slow ones' messages keep coming.
        publish(1, f"more-{turn}")
        waited += drain()
        with tenant_context(other_tenant):
            publish(5, f"theirs-{turn}")
            waited += drain()
            assert Delivery.objects.filter(status=Delivered).count() == 5 * (turn + 1)
    assert waited < 2 * SLOW, "with the slow ones in the same queue each turn would take as long as they do"
    assert drain(webhooks.SLOW_QUEUE) >= SLOW
    assert Delivery.objects.filter(status=Delivered).count() > 25


def test_slow_receivers_have_one_worker_of_the_platform_and_come_back_once_they_are_quick(
    tenant: Any, slow: Receiver, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    endpoint = Endpoint.objects.create(url=slow.url, is_slow=True)
    publish(1)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", attempts._SLOW_TURN)
        assert attempts.attempt_slow(now=now()) == 0
        assert attempts.attempt_due(now=now()) == 0
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", attempts._SLOW_TURN)
    other.close()
    slow.behaviour = silence(0)
    with django_capture_on_commit_callbacks() as callbacks:
        assert attempts.attempt_slow(now=now()) == 1
    assert len(callbacks) == 1, "the quick queue is woken"
    endpoint.refresh_from_db()
    assert not endpoint.is_slow
