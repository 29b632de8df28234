"""POST /api/v1/events/bulk: many events at once."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client

from apps.integrations.models import IdempotentRequest
from apps.touchpoints.models import Event, Touchpoint
from tests.api.sending import HOST, event, problem
from tests.environment import DATABASE_URL

URL = "/api/v1/events/bulk"
LINES = "application/x-ndjson"


def post(key: str, content: bytes | list[Any], kind: str = "application/json", **headers: str) -> Any:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Client(headers={"host": HOST, "authorization": f"Bearer {key}", **headers}).post(URL, body, kind)


def orders(count: int, **changes: Any) -> list[Any]:
    return [event(external_id=f"o-{n}", **changes) for n in range(count)]


def test_what_became_of_each_event_is_told_in_order(key: str) -> None:
    post(key, orders(1))
    sent = [*orders(2), event(touchpoint="no_such"), event(contact={"email": "ada"}), "text", event()]
    answer = post(key, sent)
    assert answer.status_code == 202
    told = answer.json()
    assert (told["accepted"], told["known"], told["refused"]) == (2, 1, 3)
    assert [one["status"] for one in told["results"]] == ["known", "accepted", *["refused"] * 3, "accepted"]
    assert [one["index"] for one in told["results"]] == list(range(6))
    assert [one["errors"][0]["field"] for one in told["results"][2:5]] == ["touchpoint", "contact.email", ""]
    assert {one["id"] for one in told["results"] if "id" in one} == {
        str(pk) for pk in Event.objects.values_list("pk", flat=True)
    }


def test_lines_of_json_are_taken_like_an_array(key: str) -> None:
    body = b"\n".join(json.dumps(one).encode() for one in orders(3)) + b"\r\n\n{broken\n"
    told = post(key, body, LINES).json()
    assert [one["status"] for one in told["results"]] == ["accepted"] * 3 + ["refused"]
    assert Event.objects.count() == 3


def test_two_values_in_one_line_are_one_wrong_event(key: str) -> None:
    line = json.dumps(event()).encode()
    told = post(key, line + b"\n" + line + line + b"\n", LINES).json()
    assert [one["status"] for one in told["results"]] == ["accepted", "refused"]


def test_the_same_event_twice_in_one_request_is_stored_once(key: str) -> None:
    told = post(key, [*orders(1), *orders(1)]).json()
    assert told["results"][0]["id"] == told["results"][1]["id"]
    assert (told["accepted"], told["known"]) == (1, 1)


def test_a_thousand_events_cost_as_many_queries_as_two(key: str, django_assert_max_num_queries: Any) -> None:
    post(key, orders(2))
    with django_assert_max_num_queries(8):
        assert post(key, [event(external_id=f"p-{n}") for n in range(1000)]).json()["accepted"] == 1000


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 400),
        (b"[", "application/json", 400),
        (b"\xff", "application/json", 400),
        (json.dumps([{}] * 1001).encode(), "application/json", 413),
        (b"[]" + b" " * 8 * 1024 * 1024, "application/json", 413),
        (b"[{}, 1, null]", "application/json", 422),
        (b"a=b", "application/x-www-form-urlencoded", 415),
        (
            b'[{"touchpoint":"order_received","contact":{"external_id":"' + b"x" * 70_000 + b'"}}]',
            "application/json",
            422,
        ),
        (b"[" * 100_000, "application/json", 400),
        (b'[{"touchpoint":"order_received","contact":{"external_id":"\\u0000"}}]', "application/json", 422),
        (
            b'[{"touchpoint":"order_received","contact":{"external_id":"c"},"properties":{"n":1' + b"0" * 400 + b"}}]",
            "application/json",
            422,
        ),
    ],
)
def test_what_cannot_be_taken_is_said(key: str, body: bytes, kind: str, status: int) -> None:
    problem(post(key, body, kind), status)
    assert not Event.objects.exists()


def test_nothing_to_take_is_no_error(key: str) -> None:
    assert post(key, []).json() == {"accepted": 0, "known": 0, "refused": 0, "results": []}


def test_the_same_request_with_an_idempotency_key_is_carried_out_once(key: str) -> None:
    sent = [event(), event()]
    first, again = (post(key, sent, **{"idempotency-key": "b-1"}) for _ in range(2))
    assert (first.json(), again["Idempotent-Replayed"]) == (again.json(), "true")
    assert Event.objects.count() == 2
    problem(post(key, [event()], **{"idempotency-key": "b-1"}), 422)
    assert (Event.objects.count(), IdempotentRequest.objects.count()) == (2, 1)


def test_two_requests_with_the_same_events_do_not_wait_for_each_other_in_a_circle(committed_key: str) -> None:
    place = Touchpoint.objects.get().pk

    def insert(other: psycopg.Connection, external_id: str) -> None:
        other.execute(
            "INSERT INTO nordwind.touchpoints_event (id, touchpoint_id, source, external_id, occurred_at, received_at,"
            " contact_data, properties, status, attempts, error)"
            " VALUES (gen_random_uuid(), %s, 'api', %s, now(), now(), '{}', '{}', 'pending', 0, '')",
            [place, external_id],
        )

    def send() -> Any:
        try:
            return post(committed_key, [event(external_id="o-2"), event(external_id="o-1")])
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, psycopg.connect(DATABASE_URL) as other:
        insert(other, "o-1")
        answer = pool.submit(send)
        while not other.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
            assert not answer.done()
            time.sleep(0.02)
        insert(other, "o-2")
        other.commit()
        assert answer.result().json()["known"] == 2
