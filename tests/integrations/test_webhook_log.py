"""What the log keeps of each try, for how long, and sending again: one, or all of a span of time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection
from standardwebhooks import Webhook

from apps.common import queues
from apps.integrations import attempts, endpoints, log, replays, signing, tasks, webhooks
from apps.integrations.models import Attempt, Delivery, Endpoint, Replay
from tests.integrations.receiver import Handler, Receiver, answer

NOW = datetime.now(tz=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
assert tasks


def publish(count: int, at: datetime = NOW, event_type: str = "response.created") -> None:
    found = [webhooks.Occurrence(f"{event_type}:{at}:{number}", {"score": number}) for number in range(count)]
    webhooks.publish_many(event_type=event_type, occurrences=found, now=at)


def send_all(at: datetime = NOW) -> int:
    handled = 0
    while count := attempts.attempt_due(now=at):
        handled += count
    return handled


def repeat(endpoint: Endpoint, since: datetime, until: datetime, **more: Any) -> Replay:
    return replays.start(endpoint=endpoint, since=since, until=until, now=NOW, **more)


# --- what is kept ---------------------------------------------------------------------------------


def test_a_try_keeps_what_was_sent_and_the_beginning_of_what_came_back(endpoint: Endpoint, receiver: Receiver) -> None:
    def much(handler: Handler) -> None:
        handler.send_response(422)
        for name, value in {"X-Reason": "b\xe4d", "X-Long": "x" * 5000, "Set-Cookie": "id=secret"}.items():
            handler.send_header(name, value)
        for number in range(60):
            handler.send_header(f"X-{number}", "y")
        handler.end_headers()
        handler.wfile.write(b"z" * 100_000)

    receiver.behaviour = much
    publish(1)
    send_all()
    row = Attempt.objects.get()
    sent = {name: value for name, value in row.request_headers.items() if name != "webhook-signature"}
    assert sent == {
        "Content-Type": "application/json", "webhook-id": str(row.delivery_id),
        "webhook-timestamp": str(int(NOW.timestamp())),
    }  # fmt: skip
    assert row.request_headers["webhook-signature"] == receiver.received[0].headers["webhook-signature"]
    assert endpoint.secret[6:] not in str(row.request_headers)
    assert (row.url, row.status_code, row.response_excerpt) == (receiver.url, 422, "z" * 2048)
    assert (row.response_headers["X-Reason"], len(row.response_headers["X-Long"])) == ("bäd", 200)
    assert len(row.response_headers) == 30
    assert "Set-Cookie" not in row.response_headers


def test_deliveries_are_kept_thirty_days_and_go_in_batches_once_a_day(endpoint: Endpoint, receiver: Receiver) -> None:
    at = NOW.replace(hour=12)
    for age in (32, 31, 30, 29):
        publish(5, at - age * DAY)
        send_all(at - age * DAY)
    Endpoint.objects.update(old_secret=signing.new_secret(), old_secret_until=at - HOUR)
    assert log.next_due() == min(at - HOUR, at.replace(hour=0, minute=0, second=0, microsecond=0) - DAY)
    assert [log.forget_old(now=at, limit=4) for _ in range(4)] == [4, 4, 2, 0]
    assert Delivery.objects.count() == Attempt.objects.count() == 10
    assert min(Delivery.objects.values_list("created_at", flat=True)) == at - 30 * DAY
    assert Endpoint.objects.get().old_secret == ""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    assert log.next_due() == midnight + DAY
    assert log.forget_old(now=midnight + DAY) == 5
    assert log.QUEUE in queues.DRAINS


def test_what_was_told_of_an_erased_contact_goes_and_nobody_elses(endpoint: Endpoint) -> None:
    ids = ["019abf2e-6b00-7aaa-8bbb-0123456789ab", "019abf2e-6b00-7aaa-8bbb-0123456789ac"]
    for number, pk in enumerate(ids):
        webhooks.publish(event_type="response.created", reason=f"r:{number}", payload={"contact_id": pk}, now=NOW)
        webhooks.publish(event_type="contact.unsubscribed", reason=f"u:{number}", payload={"id": pk}, now=NOW)
        webhooks.publish_erased(contact_ids=[pk], now=NOW)  # type: ignore[list-item]
    assert log.forget_contacts(contact_ids=[ids[0]]) == 2  # type: ignore[list-item]
    left = Delivery.objects.values_list("event_type", flat=True)
    assert sorted(left) == ["contact.erased", "contact.erased", "contact.unsubscribed", "response.created"]


# --- sending again --------------------------------------------------------------------------------


def test_a_span_of_time_is_sent_again_in_batches_under_the_old_ids_and_shows_how_far_it_is(
    endpoint: Endpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Endpoint.objects.create(url=receiver.url)
    for age in (3, 2, 1):
        publish(4, NOW - age * HOUR)
    publish(3, NOW - 2 * HOUR, "invitation.sent")
    send_all()
    Delivery.objects.filter(event_type="invitation.sent").update(status="failed")
    first = {request.headers["webhook-id"] for request in receiver.received}
    receiver.received.clear()

    replay = repeat(endpoint, NOW - 2 * HOUR, NOW - HOUR)
    assert replay.total == 7  # From the moment on, up to the other one.
    assert replays.next_due() == NOW
    with pytest.raises(ValidationError, match="A repetition is running"):
        repeat(endpoint, NOW - 3 * HOUR, NOW)
    assert replays.go_on(now=NOW, limit=5) == 5
    assert replays.progress_of(replay).percent == 0
    receiver.behaviour = answer(204)
    assert send_all() == 5
    replay.refresh_from_db()
    found = replays.progress_of(replay)
    assert (found.total, found.queued, found.delivered, found.percent, found.is_done) == (7, 5, 5, 71, False)
    assert [replays.go_on(now=NOW, limit=5) for _ in range(2)] == [2, 0]
    receiver.behaviour = answer(410)
    send_all()
    replay.refresh_from_db()
    found = replays.progress_of(replay)
    assert (found.delivered, found.failed, found.percent, found.is_done) == (5, 2, 100, True)
    again = [request.headers["webhook-id"] for request in receiver.received]
    assert len(set(again)) == len(again) == 7
    assert set(again) <= first
    assert not other.deliveries.filter(replay__isnull=False).exists()
    assert replays.next_due() is None
    assert replays.QUEUE in queues.DRAINS


def test_a_repetition_is_narrowed_by_type_and_status_and_refuses_what_makes_no_sense(
    endpoint: Endpoint, receiver: Receiver
) -> None:
    publish(4, NOW - HOUR)
    publish(3, NOW - HOUR, "invitation.sent")
    with pytest.raises(ValidationError, match="Nothing that was sent"):  # They still wait.
        repeat(endpoint, NOW - DAY, NOW)
    send_all()
    failed = Delivery.objects.filter(event_type="response.created").first()
    assert failed is not None
    Delivery.objects.filter(pk=failed.pk).update(status="failed")
    replay = repeat(endpoint, NOW - DAY, NOW + DAY, status="failed", by="Ada")
    assert (replay.total, replay.until, replay.by) == (1, NOW, "Ada")
    replays.go_on(now=NOW)
    assert list(Delivery.objects.filter(status="pending")) == [failed]
    assert repeat(endpoint, NOW - DAY, NOW, event_type="invitation.sent").total == 3
    with pytest.raises(ValidationError) as caught:
        repeat(endpoint, NOW, NOW - DAY)
    assert set(caught.value.message_dict) == {"since"}
    endpoint.is_active = False
    with pytest.raises(ValidationError, match="switched off"):
        repeat(endpoint, NOW - DAY, NOW)
    Endpoint.objects.update(is_active=False)
    assert webhooks.redeliver(ids=[failed.pk], now=NOW) == 0


# --- secrets and tests ----------------------------------------------------------------------------


@time_machine.travel(NOW, tick=True)
def test_after_a_rotation_both_secrets_verify_until_the_overlap_is_over(endpoint: Endpoint, receiver: Receiver) -> None:
    old = endpoint.secret
    new = endpoints.rotate(endpoint_id=endpoint.pk, now=NOW).secret
    assert new != old
    publish(1)
    send_all()
    headers, body = receiver.received[0].headers, receiver.received[0].body
    for secret in (old, new):
        Webhook(secret).verify(body, headers)
    assert len(headers["webhook-signature"].split(" ")) == 2

    later = NOW + endpoints.OVERLAP
    publish(1, later)
    send_all(later)
    last = receiver.received[-1]
    assert last.headers["webhook-signature"].count("v1,") == 1
    with time_machine.travel(later):
        Webhook(new).verify(last.body, last.headers)

    at_once = endpoints.rotate(endpoint_id=endpoint.pk, now=NOW, overlap=timedelta(0))
    assert (at_once.old_secret, at_once.old_secret_until) == ("", None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret, old_secret FROM integrations_endpoint")
        assert new not in str(cursor.fetchall())


@time_machine.travel(NOW, tick=True)
def test_a_test_is_sent_at_once_signed_and_never_again_also_to_who_wants_only_other_things(
    endpoint: Endpoint, receiver: Receiver
) -> None:
    Endpoint.objects.update(event_types=["response.created"])
    receiver.behaviour = answer(500, b"no")
    row = endpoints.send_test(endpoint_id=endpoint.pk, now=NOW)
    assert row is not None
    assert (row.status_code, row.response_excerpt, row.delivery.status) == (500, "no", "failed")
    said = Webhook(endpoint.secret).verify(receiver.received[0].body, receiver.received[0].headers)
    assert (said["type"], said["data"]) == ("webhook.test", {"message": "This is a test."})
    assert attempts.attempt_due(now=NOW + 2 * DAY) == 0
    Endpoint.objects.update(is_active=False)
    receiver.behaviour = answer(200)
    row = endpoints.send_test(endpoint_id=endpoint.pk, now=NOW)
    assert row is not None
    assert row.delivery.status == "delivered"
