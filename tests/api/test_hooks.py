"""Messages of other tools: what becomes events, what is refused, and that nothing in them does harm."""

import base64
import hashlib
import hmac
import io
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import tenant_context

from apps.touchpoints import hooks, retention
from apps.touchpoints.hook_presets import new_hook
from apps.touchpoints.models import Event, Hook, HookPayload, HookTouchpoint
from tests import factories

HOST = "nordwind.resonanz.test"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MESSAGE = {"touchpoint": "order_received", "contact": {"email": "ada@example.com"}, "external_id": "o-1"}


@pytest.fixture
def hook(tenant: Any) -> Hook:
    """A plain hook that is on."""
    return made("plain")


def made(tool: str, *, state: str = "on", values: dict[str, str] | None = None, **fields: Any) -> Hook:
    touchpoint = factories.TouchpointFactory()
    hook = hooks.create_hook(hook=new_hook(tool=tool, name=tool), now=NOW)
    for value in values or {}:
        HookTouchpoint.objects.create(hook=hook, value=value, touchpoint=touchpoint)
    Hook.objects.filter(pk=hook.pk).update(state=state)
    for name, value in fields.items():
        setattr(hook, name, value)
    hook.state = state
    hook.save()
    return hook


def send(hook: Hook, body: Any, *, host: str = HOST, content_type: str = "application/json", **headers: str) -> Any:
    data = body if isinstance(body, bytes | str) else json.dumps(body)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client(headers={"host": host}).post(
        f"/hooks/{hook.token}", data=data, content_type=content_type, headers=sent
    )


def newest() -> HookPayload:
    return HookPayload.objects.latest("received_at", "pk")


def test_a_message_becomes_an_event_once(hook: Hook) -> None:
    answer = send(hook, MESSAGE)
    assert (answer.status_code, answer.json()) == (200, {"outcome": "taken", "events": 1, "problems": []})
    event = Event.objects.get()
    assert (event.source, event.external_id) == (f"hook:{hook.pk}", "order_received/o-1")
    assert event.contact_data == {"email": "ada@example.com"}
    assert send(hook, MESSAGE).json()["events"] == 0
    assert Event.objects.count() == 1
    payload = newest()
    assert (payload.outcome, payload.event_count, json.loads(payload.body)) == ("taken", 0, MESSAGE)


def test_a_message_without_id_is_the_same_for_an_hour(hook: Hook) -> None:
    message = {"touchpoint": "order_received", "contact": {"email": "ada@example.com"}}
    with time_machine.travel(NOW + timedelta(minutes=50), tick=False) as clock:
        assert send(hook, message).json()["events"] == 1
        clock.shift(timedelta(minutes=30))  # Into the next hour of the clock.
        assert send(hook, json.dumps(message, indent=4)).json()["events"] == 0
        assert send(hook, {**message, "more": 1}).json()["events"] == 1
        clock.shift(timedelta(minutes=40))
        assert send(hook, message).json()["events"] == 1


def test_a_list_is_taken_element_by_element_and_one_wrong_one_keeps_no_other_out(hook: Hook) -> None:
    body = [MESSAGE, {**MESSAGE, "external_id": "o-2", "touchpoint": "nowhere"}, {**MESSAGE, "external_id": "o-3"}, 7]
    answer = send(hook, body).json()
    assert answer["outcome"] == "wrong"
    assert answer["events"] == 2
    assert answer["problems"] == [
        {"field": "touchpoint", "code": "unassigned"}, {"field": "items", "code": "no_object"},
    ]  # fmt: skip
    hook.refresh_from_db()
    assert hook.last_error == [["touchpoint", "unassigned", "nowhere"], ["items", "no_object", ""]]


def test_a_listening_hook_keeps_messages_and_takes_them_later(hook: Hook) -> None:
    hook.state = "listening"
    hook.save()
    assert send(hook, MESSAGE).json() == {"outcome": "listened", "events": 0, "problems": []}
    assert not Event.objects.exists()
    payload = newest()
    assert hooks.take_again(payload_id=payload.pk, now=NOW) is None  # Only once it is on.
    hook.state = "on"
    hook.save()
    receipt = hooks.take_again(payload_id=payload.pk, now=datetime.now(UTC))
    assert receipt is not None
    assert receipt.events == 1
    assert Event.objects.get().occurred_at == payload.received_at
    payload.refresh_from_db()
    assert (payload.outcome, payload.event_count) == ("taken", 1)


def test_only_messages_that_meet_the_condition_are_taken(hook: Hook) -> None:
    hook.condition_path, hook.condition_value = "order.status", "paid, sent"
    hook.save()
    assert send(hook, {**MESSAGE, "order": {"status": "sent"}}).json()["events"] == 1
    assert send(hook, {**MESSAGE, "order": {"status": "draft"}}).json()["outcome"] == "left_out"
    assert send(hook, MESSAGE).json()["outcome"] == "left_out"


def test_values_are_assigned_to_touchpoints_and_others_are_named(tenant: Any) -> None:
    hook = made("stripe", values={"invoice.paid": "order_received"})
    told = {"id": "evt_1", "created": int(NOW.timestamp()), "data": {"object": {"customer_email": "ada@example.com"}}}
    assert send(hook, {**told, "type": "invoice.paid"}).json()["events"] == 1
    assert Event.objects.get().occurred_at == NOW
    assert send(hook, {**told, "type": "invoice.voided"}).json()["problems"] == [
        {"field": "touchpoint", "code": "unassigned"}
    ]


def test_a_wrong_part_that_an_event_does_not_need_is_left_away(hook: Hook) -> None:
    contact = {"external_id": "c-1", "email": "no address", "phone": "?", "locale": "!", "name": "Ada"}
    assert send(hook, {**MESSAGE, "contact": contact}).json()["events"] == 1
    assert Event.objects.get().contact_data == {"external_id": "c-1", "name": "Ada"}


def test_a_form_is_read_like_an_object(hook: Hook) -> None:
    hook.email_path, hook.touchpoint_path = "mail", "what"
    hook.save()
    body = "mail=ada%40example.com&what=order_received&tag=a&tag=b"
    assert send(hook, body, content_type="application/x-www-form-urlencoded").json()["events"] == 1


def test_doors_stay_closed_in_what_is_kept(hook: Hook) -> None:
    send(hook, MESSAGE, Authorization="Basic x", Cookie="a=b", X_Api_Key="k", X_Topic="orders/paid",
         X_Forwarded_For="10.0.0.1", X_Hub_Signature_256="sha256=0")  # fmt: skip
    kept = newest().headers
    assert kept["x-topic"] == "orders/paid"
    assert not [name for name in kept if name not in {"x-topic", "content-type", "user-agent"}]


def test_neither_a_log_nor_a_kept_message_names_the_address(hook: Hook) -> None:
    sent = {"X_Original_URL": f"https://{HOST}/hooks/{hook.token}", "X_Shop": "berlin"}
    send(hook, MESSAGE, **sent)
    assert newest().headers["x-shop"] == "berlin"
    assert hook.token not in json.dumps(newest().headers)
    [console] = [handler for handler in logging.getLogger().handlers if handler.get_name() == "console"]
    assert isinstance(console, logging.StreamHandler)
    before, log = console.setStream(io.StringIO()), console.stream
    try:
        assert send(hook, b"{").status_code == 400
        assert send(hook, b"<a/>", content_type="application/xml").status_code == 415
    finally:
        console.setStream(before)
    assert log.getvalue().count("/hooks/…") == 2
    assert hook.token not in log.getvalue()


def test_a_message_is_sent_again_where_the_database_was_away(hook: Hook) -> None:
    def away(execute: Any, sql: str, *rest: Any) -> Any:
        if "touchpoints_hookpayload" in sql:
            raise OperationalError
        return execute(sql, *rest)

    with connection.execute_wrapper(away):
        answer = send(hook, MESSAGE)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert send(hook, MESSAGE).json()["events"] == 0
    assert Event.objects.count() == HookPayload.objects.count() == 1


def test_a_message_that_went_while_it_was_taken_again_breaks_nothing(hook: Hook) -> None:
    Hook.objects.update(state="listening")
    hook.refresh_from_db()
    send(hook, MESSAGE)
    Hook.objects.update(state="on")

    def gone(execute: Any, sql: str, *rest: Any) -> Any:
        found = execute(sql, *rest)
        if sql.startswith("SELECT") and "touchpoints_touchpoint" in sql:
            HookPayload.objects.all().delete()
        return found

    with connection.execute_wrapper(gone):
        receipt = hooks.take_again(payload_id=newest().pk, now=NOW)
    assert receipt is not None
    assert receipt.events == Event.objects.count() == 1


def test_the_newest_twenty_and_more_of_the_wrong_ones_are_kept(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "KEEP", 3)
    monkeypatch.setattr(hooks, "KEEP_WRONG", 2)
    other = made("n8n")
    send(other, MESSAGE)
    with time_machine.travel(NOW, tick=False) as clock:
        for number in range(8):
            clock.shift(timedelta(minutes=1))
            wrong = {"touchpoint": "order_received"} if number < 4 else {}
            send(hook, {**MESSAGE, "number": number, **({"contact": {}} if wrong else {})})
        kept = [json.loads(row.body)["number"] for row in HookPayload.objects.filter(hook=hook).order_by("received_at")]
        assert kept == [2, 3, 5, 6, 7]
        clock.shift(hooks.KEEP_FOR + timedelta(days=1))
        send(hook, MESSAGE)
    assert HookPayload.objects.filter(hook=hook).count() == 1
    assert HookPayload.objects.filter(hook=other).count() == 1
    assert retention.next_due() is not None
    assert retention.forget_old_payloads(now=datetime.now(UTC) + hooks.KEEP_FOR) == 2
    assert retention.next_due() is None


def test_a_large_body_is_kept_in_part_and_read_as_a_whole(hook: Hook) -> None:
    body = json.dumps({**MESSAGE, "note": "ä" * 60_000}, ensure_ascii=False)
    assert send(hook, body).json()["events"] == 1
    payload = newest()
    assert payload.is_cut
    assert len(payload.body.encode()) <= hooks.KEPT_BODY + 2
    assert hooks.take_again(payload_id=payload.pk, now=NOW) is None


HOSTILE: list[tuple[bytes, int]] = [
    (b"", 400),
    (b"{", 400),
    (b"[" * 100_000, 400),
    (b'{"a":' * 500 + b"1" + b"}" * 500, 400),
    (b'{"touchpoint":"order_received","contact":{"email":"\xff"}}', 400),
    (b"null", 200),
    (b"[]", 200),
    (b'"text"', 200),
    (b"[" + b"1," * 200 + b"1]", 400),
    (b"1e999", 400),
    (json.dumps({**MESSAGE, "occurred_at": 10**400}).encode(), 200),
    (json.dumps({**MESSAGE, "occurred_at": "99999-01-01"}).encode(), 200),
    (json.dumps({**MESSAGE, "occurred_at": "0001-01-01T00:00:00+14:00"}).encode(), 200),
    (json.dumps({**MESSAGE, "occurred_at": {}}).encode(), 200),
    (json.dumps({**MESSAGE, "external_id": "x" * 5000}).encode(), 200),
    (json.dumps({**MESSAGE, "external_id": "a\x00b"}).encode(), 200),
    (json.dumps({**MESSAGE, "contact": {"email": "a\x00@example.com", "external_id": "\x00"}}).encode(), 200),
    (json.dumps({**MESSAGE, "contact": [[[{}]]]}).encode(), 200),
    (json.dumps({**MESSAGE, "touchpoint": "x\x00" * 100}).encode(), 200),
    (json.dumps({**MESSAGE, "touchpoint": {"$ne": ""}}).encode(), 200),
    (json.dumps({**MESSAGE, "properties": {"deep": [[[[[["\x00"]]]]]]}}).encode(), 200),
]


def test_no_message_breaks_anything(hook: Hook) -> None:
    hook.properties = {"all": "$", "properties": "properties"}
    hook.save()
    for body, status in HOSTILE:
        answer = send(hook, body)
        assert answer.status_code == status, body[:80]
        assert newest().outcome in ("wrong", "taken", "left_out"), body[:80]
    for kind in (
        "application/x-www-form-urlencoded",
        "application/vnd.api+json",
        "text/plain",
        "",
        "a/b",
    ):
        assert send(hook, b"\x00\xff=%00&" * 50, content_type=kind).status_code in (200, 400, 415), kind
    assert send(hook, b"<a/>", content_type="application/xml").status_code == 415
    assert send(hook, b"x" * (hooks.MAX_BODY + 1)).status_code == 413
    # A long id is kept as a hash: the one good message among them.
    assert [event.external_id[:15] for event in Event.objects.all() if event.external_id] != []


def signed(kind: str, secret: str, body: bytes, url: str, at: datetime) -> dict[str, str]:
    key, seconds = secret.encode(), int(at.timestamp())
    plain = hmac.digest(key, body, "sha256")
    if kind == "shopify":
        return {"X_Shopify_Hmac_Sha256": base64.b64encode(plain).decode()}
    if kind == "stripe":
        v1 = hmac.new(key, f"{seconds}.".encode() + body, "sha256").hexdigest()
        return {"Stripe_Signature": f"t={seconds},v1={'0' * 64},v1={v1},v0=x"}
    if kind == "hubspot":
        whole = b"POST" + url.encode() + body + str(seconds * 1000).encode()
        told = base64.b64encode(hmac.digest(key, whole, "sha256")).decode()
        return {"X_HubSpot_Signature_v3": told, "X_HubSpot_Request_Timestamp": str(seconds * 1000)}
    if kind == "zendesk":
        sent = f"{at:%Y-%m-%dT%H:%M:%SZ}"
        told = base64.b64encode(hmac.digest(key, sent.encode() + body, "sha256")).decode()
        return {"X_Zendesk_Webhook_Signature": told, "X_Zendesk_Webhook_Signature_Timestamp": sent}
    return {"X_Hub_Signature_256": f"sha256={plain.hex()}"}


@pytest.mark.parametrize("kind", ["shopify", "stripe", "hubspot", "zendesk", "hex"])
def test_a_signature_must_be_genuine_and_fresh(tenant: Any, kind: str) -> None:
    hook = made("plain", signature=kind, secret="s3cret")
    body, url = json.dumps(MESSAGE).encode(), f"http://{HOST}/hooks/{hook.token}"
    with time_machine.travel(NOW, tick=False):
        good = signed(kind, "s3cret", body, url, NOW)
        assert send(hook, body, **good).json()["events"] == 1
        forged = [
            {},
            signed(kind, "other", body, url, NOW),
            signed(kind, "s3cret", body + b" ", url, NOW),
            dict.fromkeys(good, "ä,=t="),
        ]
        for headers in forged:
            assert send(hook, body, **headers).status_code == 401, headers
        if kind in ("stripe", "hubspot", "zendesk"):  # The others say no time: the message's id keeps it single.
            for minutes in (-6, 6):
                old = signed(kind, "s3cret", body, url, NOW + timedelta(minutes=minutes))
                assert send(hook, body, **old).status_code == 401
    assert HookPayload.objects.count() == 1
    hook.refresh_from_db()
    assert hook.last_error == [["signature", "forged", ""]]


def test_an_address_belongs_to_its_tenant_alone(hook: Hook, tenant: Any, other_tenant: Any) -> None:
    assert send(hook, MESSAGE, host="klarwerk.resonanz.test").status_code == 404
    assert send(hook, MESSAGE, host="resonanz.test").status_code == 404
    with tenant_context(tenant):
        hooks.rotate_token(hook=hook)
    old, hook.token = hook.token, "x" * 32
    assert send(hook, MESSAGE).status_code == 404
    hook.token = old
    assert send(hook, MESSAGE).status_code == 200


def test_guessers_get_the_same_404_and_then_429_while_right_addresses_work(hook: Hook) -> None:
    client = Client(headers={"host": HOST})
    answers = [client.post(f"/hooks/{token}") for token in ("x", "y" * 32, "z" * 3000, "%00", "é" * 32)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    statuses = [client.get(f"/hooks/{number:032}").status_code for number in range(40)]
    assert statuses[0] == 404
    assert statuses[-1] == 429
    assert send(hook, MESSAGE).status_code == 200


def test_tools_that_look_whether_the_address_is_there_are_answered(hook: Hook) -> None:
    client = Client(headers={"host": HOST})
    assert client.get(f"/hooks/{hook.token}").status_code == 200
    assert client.head(f"/hooks/{hook.token}").status_code == 200
    echo = client.get(f"/hooks/{hook.token}", {"hub.challenge": "abc.123"})
    assert (echo.content, echo.headers["Content-Type"]) == (b"abc.123", "text/plain")
    assert b"<" not in client.get(f"/hooks/{hook.token}", {"challenge": "<script>"}).content
    assert client.put(f"/hooks/{hook.token}").status_code == 405


def test_two_hundred_messages_cost_as_many_queries_as_one(hook: Hook) -> None:
    def queries(body: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert send(hook, body).status_code == 200
        return len(captured)

    def unnamed(number: int) -> dict[str, Any]:
        return {"touchpoint": "order_received", "contact": {"external_id": f"c-{number}"}}

    queries([unnamed(-1)])
    one = queries([unnamed(0)])
    assert one <= 14
    assert queries([unnamed(number) for number in range(1, 200)]) == one
    assert Event.objects.count() == 201


def test_the_secret_and_the_address_are_sealed_where_they_are_stored(tenant: Any) -> None:
    hook = made("plain", signature="hex", secret="s3cret")
    with connection.cursor() as cursor:
        cursor.execute("SELECT token, secret, token_hash FROM touchpoints_hook WHERE id = %s", [hook.pk])
        token, secret, token_hash = cursor.fetchone()
    assert token.startswith("sealed:")
    assert secret.startswith("sealed:")
    assert bytes(token_hash) == hashlib.sha256(hook.token.encode()).digest()
