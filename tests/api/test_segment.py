"""Segment's messages: taken set-wise, by our clock, once; what is not taken is answered well and shown."""

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.contacts.models import Contact
from apps.integrations.services import create_api_key
from apps.touchpoints import tracking
from apps.touchpoints.models import Event, TrackedName, TrackingProblem
from apps.touchpoints.tracking import occurred_at, slug_of
from tests import factories

HOST = "nordwind.resonanz.test"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TRACK: dict[str, Any] = {"event": "Order Received", "userId": "u-1", "messageId": "m-1"}


@pytest.fixture
def key(tenant: Any) -> str:
    factories.TouchpointFactory()
    return create_api_key(name="Segment", kind="wk")[1]


def send(key: str, body: Any, path: str = "track", host: str = HOST, **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body)
    sent = {"Authorization": f"Bearer {key}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    client = Client(headers={"host": host})
    return client.post(f"/api/v1/segment/{path}", data, "application/json", headers=sent)


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def test_a_key_is_taken_in_every_way_that_sources_send_it(key: str) -> None:
    ways = [{"Authorization": basic(f"{key}:")}, {"Authorization": basic(key)}, {"Authorization": f"Bearer {key}"}]
    for number, headers in enumerate(ways):
        answer = send(key, {**TRACK, "messageId": f"m-{number}"}, **headers)
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        assert answer.headers["RateLimit-Limit"]
    client = Client(headers={"host": HOST})
    in_body = client.post("/api/v1/segment/track", {**TRACK, "messageId": "m-9", "writeKey": key}, "application/json")
    assert in_body.status_code == 200
    assert Event.objects.count() == 4
    assert "wk_" not in json.dumps([*Event.objects.values_list("contact_data", "properties")])


def test_no_key_or_a_strangers_key_opens_nothing(key: str, other_tenant: Any) -> None:
    for headers in ({"Authorization": ""}, {"Authorization": basic("x:")}, {"Authorization": "Basic ä"},
                    {"Authorization": f"Bearer {key[:-1]}"}, {"Authorization": basic(key.replace("nordwind", "klarwerk"))}):  # fmt: skip  # noqa: E501
        assert send(key, TRACK, **headers).status_code == 401, headers
    assert send(key, TRACK, host="klarwerk.resonanz.test").status_code == 401
    client = Client(headers={"host": HOST})
    for written in (None, 7, "x", ["wk"], f"{key}x"):
        body = {**TRACK, "writeKey": written}
        assert client.post("/api/v1/segment/track", body, "application/json").status_code == 401
    readonly = create_api_key(name="r", scopes=["events:write"])[1]
    assert send(readonly, {"userId": "u-1", "traits": {}}, "identify").status_code == 403
    assert not Event.objects.exists()


def test_the_same_message_again_makes_no_second_event(key: str) -> None:
    send(key, TRACK)
    send(key, {"batch": [{**TRACK, "type": "track"}, {**TRACK, "type": "track"}]}, "batch")
    assert Event.objects.get().external_id == "m-1"


@pytest.mark.parametrize(
    ("message", "sent_at", "expected"),
    [
        ({}, None, NOW),
        ({"timestamp": "2026-03-01T10:00:00Z"}, None, NOW - timedelta(hours=2)),
        # The sender's clock is a day fast; it happened an hour before it was sent.
        ({"timestamp": "2026-03-02T11:00:00Z", "sentAt": "2026-03-02T12:00:00Z"}, None, NOW - timedelta(hours=1)),
        ({"timestamp": "2026-03-02T11:00:00Z"}, "2026-03-02T12:00:00Z", NOW - timedelta(hours=1)),
        ({"originalTimestamp": "2020-01-01T00:00:00Z", "sentAt": "2020-01-01T00:00:05Z"}, None,
         NOW - timedelta(seconds=5)),
        # Corrected on the way already.
        ({"timestamp": "2026-03-01T11:00:00Z", "originalTimestamp": "2031-01-01T00:00:00Z",
          "sentAt": "2026-03-01T11:30:00Z"}, None, NOW - timedelta(hours=1)),
        # Sent before it happened: not in the future.
        ({"timestamp": "2026-03-02T13:00:00Z", "sentAt": "2026-03-02T12:00:00Z"}, None, NOW),
        ({"timestamp": "no time", "sentAt": []}, {}, NOW),
        ({"timestamp": "2026-03-01T11:00:00"}, None, NOW - timedelta(hours=1)),
    ],
)  # fmt: skip
def test_when_it_happened_is_told_by_our_clock(message: dict[str, Any], sent_at: Any, expected: datetime) -> None:
    assert occurred_at(message, sent_at=sent_at, now=NOW) == expected


def test_impossible_times_raise_nothing() -> None:
    for happened in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", 10**30, -1):
        for sent in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
            assert occurred_at({"timestamp": happened, "sentAt": sent}, sent_at=None, now=NOW).tzinfo is UTC


def test_a_name_is_the_touchpoint_that_reads_the_same() -> None:
    for name in ("Order Received", "orderReceived", "ORDER-RECEIVED", " order received! "):
        assert slug_of(name) == slug_of("order_received")


def test_identify_makes_and_changes_contacts_and_drops_what_is_wrong(key: str) -> None:
    traits = {"email": "Ada@Example.com", "firstName": "Ada", "lastName": "L.", "phone": "nonsense", "age": 36,
              "address": {"country": "Germany"}, "company": "Acme"}  # fmt: skip
    send(key, {"userId": 42, "traits": traits, "context": {"locale": "de-DE", "timezone": "Nowhere"}}, "identify")
    contact = Contact.objects.select_related("company").get()
    assert (contact.external_id, contact.email, contact.name) == ("42", "ada@example.com", "Ada L.")
    assert (contact.phone, contact.locale, contact.country, contact.time_zone) == ("", "de-DE", "", "")
    assert contact.properties == {"age": 36, "address": {"country": "Germany"}}
    assert str(contact.company) == "Acme"
    problem = TrackingProblem.objects.get()
    assert problem.reason == "dropped"
    assert "contact.phone" in problem.detail
    assert "contact.time_zone" in problem.detail
    send(key, {"userId": "42", "traits": {"email": "no address", "name": "Ada Lovelace"}}, "identify")
    contact.refresh_from_db()
    assert (contact.email, contact.name) == ("ada@example.com", "Ada Lovelace")


def test_what_is_not_taken_is_answered_well_and_shown_with_its_last_message(key: str) -> None:
    batch = [
        {"type": "track", "event": "Nobody Knows", "userId": "u-1"},
        {"type": "track", "event": "Nobody Knows", "userId": "u-2"},
        {"type": "track", "event": "Order Received", "anonymousId": "a-1"},
        {"type": "track", "userId": "u-1"},
        {"type": "track", "event": "Order Received", "userId": "x" * 300},
        {"type": "identify", "anonymousId": "a-1"},
        {"type": "page", "userId": "u-1"},
        {"userId": "u-1"},
        None, 7, "text", [],
    ]  # fmt: skip
    answer = send(key, {"batch": batch}, "batch")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    name = TrackedName.objects.get()
    assert (name.name, name.unmapped_count) == ("Nobody Knows", 2)
    assert json.loads(name.last_payload)["userId"] == "u-2"
    counts = dict(TrackingProblem.objects.values_list("reason", "count"))
    assert counts == {"anonymous": 2, "wrong": 6, "other_type": 2}
    assert not Event.objects.exists()
    send(key, {"batch": batch}, "batch")
    name.refresh_from_db()
    assert name.unmapped_count == 4
    assert send(key, {"userId": "u-1"}, "page").json() == {"success": True}


def test_a_key_in_the_body_is_not_kept_with_the_message(key: str) -> None:
    unknown = {"event": "Nobody Knows", "userId": "u-1", "writeKey": key}
    send(key, unknown)
    client = Client(headers={"host": HOST})
    assert client.post("/api/v1/segment/track", {**unknown, "event": "Nor This"}, "application/json").status_code == 200
    batch = [{**unknown, "type": "track", "event": "In A Batch"}, {"type": "page", "writeKey": key}]
    send(key, {"batch": batch, "writeKey": key}, "batch")
    kept = [*TrackedName.objects.values_list("last_payload"), *TrackingProblem.objects.values_list("last_payload")]
    assert len(kept) == 4
    assert "wk_" not in json.dumps(kept)


def test_messages_are_sent_again_where_the_database_was_away(key: str) -> None:
    def away(execute: Any, sql: str, *rest: Any) -> Any:
        if "touchpoints_trackingproblem" in sql:
            raise OperationalError
        return execute(sql, *rest)

    batch = {"batch": [{**TRACK, "type": "track"}, {"type": "page"}]}
    with connection.execute_wrapper(away):
        answer = send(key, batch, "batch")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert send(key, batch, "batch").status_code == 200
    assert Event.objects.count() == TrackingProblem.objects.get().count == 1


def test_endless_new_names_are_counted_not_listed(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "MAX_NAMES", 3)
    for number in range(5):
        send(key, {**TRACK, "event": f"Name {number}"})
    send(key, {**TRACK, "event": "Name 0"})
    assert TrackedName.objects.count() == 3
    assert TrackedName.objects.get(name="Name 0").unmapped_count == 2
    problem = TrackingProblem.objects.get()
    assert (problem.reason, problem.count, problem.detail) == ("too_many_names", 2, "Name 4")


def test_no_message_breaks_anything(key: str) -> None:
    deep = b'{"userId":"u","event":"Order Received","properties":' + b'{"a":' * 200 + b"1" + b"}" * 201
    bodies: list[tuple[bytes, int]] = [
        (b"", 400), (b"{", 400), (b"[]", 400), (b"null", 400), (b"\xff", 400), (b"[" * 100_000, 400), (deep, 400),
        (b"x" * (tracking.MAX_BATCH_BYTES + 1), 413),
        (json.dumps({**TRACK, "properties": {"a": "\x00"}}).encode(), 200),
        (json.dumps({**TRACK, "event": "a\x00b"}).encode(), 200),
        (json.dumps({**TRACK, "event": "x" * 5000}).encode(), 200),
        (json.dumps({**TRACK, "userId": 10**400}).encode(), 200),
        (json.dumps({**TRACK, "userId": "\x00"}).encode(), 200),
        (json.dumps({**TRACK, "messageId": "x" * 500}).encode(), 200),
        (json.dumps({**TRACK, "timestamp": 10**40, "context": {"traits": []}, "traits": 7}).encode(), 200),
        (json.dumps({**TRACK, "properties": {"n": 10**400}, "context": []}).encode(), 200),
        (json.dumps({**TRACK, "traits": {"\x00": 1, "company": {"id": {}, "name": []}}}).encode(), 200),
    ]  # fmt: skip
    for body, status in bodies:
        assert send(key, body).status_code == status, body[:80]
    odd = [{**TRACK, "type": kind} for kind in ([], {}, None, 7, True, 10**4000, "\x00")]
    assert send(key, {"batch": odd}, "batch").status_code == 200
    assert TrackingProblem.objects.get(reason="other_type").count == len(odd)
    for body in ({"batch": {}}, {}, {"batch": None}):
        assert send(key, body, "batch").status_code == 400
    assert send(key, {"batch": [TRACK] * 101}, "batch").status_code == 413
    assert send(key, TRACK, "nothing").status_code == 404
    assert Client(headers={"host": HOST}).get("/api/v1/segment/track").status_code == 405
    packed = gzip.compress(json.dumps(TRACK).encode())
    assert send(key, packed, Content_Encoding="gzip").status_code == 200
    for wrong in (packed[:-9], b"no gzip", b""):
        assert send(key, wrong, Content_Encoding="gzip").status_code == 400
    assert send(key, gzip.compress(b" " * 50_000_000), Content_Encoding="gzip").status_code == 413


def test_a_hundred_messages_cost_as_many_queries_as_one_of_each(key: str) -> None:
    def messages(start: int, count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for number in range(start, start + count):
            who = {"userId": f"u-{number}"}
            found += [
                {"type": "track", "event": "Order Received", "messageId": f"m-{number}", **who},
                {"type": "track", "event": f"Unknown {number % 7}", **who},
                {"type": "identify", "traits": {"email": f"a{number}@example.com", "company": f"C{number}"}, **who},
                {"type": "page", **who},
            ]
        return found

    def queries(batch: list[dict[str, Any]]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert send(key, {"batch": batch}, "batch").status_code == 200
        return len(captured)

    queries(messages(0, 2))
    one = queries(messages(10, 1))
    assert one <= 22
    assert queries(messages(100, 25)) <= one
    assert Event.objects.count() == 28
    assert Contact.objects.count() == 28
