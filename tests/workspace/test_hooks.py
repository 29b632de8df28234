"""Pages about hooks: made from a tool's preset, tried on what came, switched on, and never more than allowed."""

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django_tenants.utils import tenant_context

from apps.accounts.models import User
from apps.touchpoints import hooks, tracking
from apps.touchpoints.hook_presets import new_hook
from apps.touchpoints.models import Event, Hook, HookPayload, HookTouchpoint, TrackedName
from tests.workspace.conftest import HOST

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STRIPE = {
    "id": "evt_1", "type": "invoice.paid", "created": 1772362800,
    "data": {"object": {"customer": "cus_1", "customer_email": "ada@example.com", "amount_paid": 4900}},
}  # fmt: skip


@pytest.fixture
def manager(client: Client, user: User) -> Client:
    """Somebody who may change hooks and what names mean."""
    codes = ("change_hook", "change_trackedname")
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    return client


@pytest.fixture
def hook(setup: SimpleNamespace) -> Hook:
    """A Stripe hook that listens, with one message kept."""
    made = hooks.create_hook(hook=new_hook(tool="stripe", name="Billing <b>"), now=NOW)
    keep(made, STRIPE)
    return made


def keep(hook: Hook, message: Any, **values: Any) -> HookPayload:
    body = message if isinstance(message, str) else json.dumps(message)
    defaults = {"received_at": NOW, "content_type": "application/json", "outcome": "listened"}
    return HookPayload.objects.create(hook=hook, body=body, **{**defaults, **values})


def fields_of(page: str) -> dict[str, Any]:
    """What a browser would send of the form, as it stands."""
    form = page[page.index('id="hook-form"') : page.index("</form>", page.index('id="hook-form"'))]
    found: dict[str, Any] = {"assigned_value": [], "assigned_touchpoint": []}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and name[1] == "assigned_value":
            found["assigned_value"].append(value[1] if value else "")
        elif name:
            found[name[1]] = value[1] if value else ""
    for name, inner in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)"\s+selected', inner)
        if name == "assigned_touchpoint":
            found[name].append(chosen[1] if chosen else "")
        else:
            found[name] = chosen[1] if chosen else ""
    for name, text in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        found[name] = text.strip()
    return found


def test_a_hook_is_made_tried_on_what_came_and_switched_on(manager: Client, setup: SimpleNamespace) -> None:
    assert "There is no hook yet" in manager.get("/hooks/").content.decode()
    answer = manager.post("/hooks/new/", {"tool": "stripe", "name": "Billing"})
    hook = Hook.objects.get()
    assert answer.headers["Location"] == f"/hooks/{hook.pk}/"
    page = manager.get(f"/hooks/{hook.pk}/").content.decode()
    assert f"http://{HOST}/hooks/{hook.token}" in page
    assert "No message has come yet" in page
    sender = Client(headers={"host": HOST})
    assert sender.post(f"/hooks/{hook.token}", STRIPE, "application/json").json()["outcome"] == "listened"
    page = manager.get(f"/hooks/{hook.pk}/").content.decode()
    assert "“invoice.paid” is assigned to no touchpoint." in page
    typed = fields_of(page)
    assert typed["assigned_value"] == ["invoice.paid", "", ""]  # What came is offered.
    typed |= {"assigned_touchpoint": ["order_received", "", ""], "state": "on"}
    looked = manager.post(f"/hooks/{hook.pk}/", {**typed, "look": "1"}).content.decode()
    assert "ada@example.com · cus_1" in looked
    assert not HookTouchpoint.objects.exists()
    assert manager.post(f"/hooks/{hook.pk}/", typed).status_code == 302
    hook.refresh_from_db()
    assert hook.state == "on"
    assert not Event.objects.exists()
    kept = HookPayload.objects.get()
    manager.post(f"/hooks/{hook.pk}/messages/{kept.pk}/")
    event = Event.objects.get()
    assert (event.touchpoint, event.properties) == (setup.touchpoint, {"amount": 4900})
    assert "Events made (1)" in manager.get(f"/hooks/{hook.pk}/").content.decode()


def test_the_preview_follows_the_form_and_saves_nothing(manager: Client, hook: Hook) -> None:
    typed = fields_of(manager.get(f"/hooks/{hook.pk}/").content.decode())
    typed |= {"assigned_value": ["invoice.paid"], "assigned_touchpoint": ["order_received"]}

    def told(**changes: Any) -> str:
        return manager.post(f"/hooks/{hook.pk}/preview/", {**typed, **changes}).content.decode()

    assert "Order received" in told()
    assert "1 Mar 2026" in told()
    assert "“invoice.paid” is no time." in told(time_path="type")
    assert "Neither an e-mail address nor an id is there." in told(email_path="nope", external_id_path="")
    assert "This is no e-mail address; taken without it." in told(email_path="type")
    assert "Left out" in told(condition_path="livemode", condition_value="true")
    assert "There is no list at this path." in told(items_path="data")
    assert "no path from its character 3" in told(email_path="a..b")
    assert "is assigned twice" in told(assigned_value=["a", "a"], assigned_touchpoint=["order_received"] * 2)
    assert "Write a name" in told(properties="= x")
    keep(hook, "<script>alert(1)</script>")
    keep(hook, [STRIPE, {**STRIPE, "type": "<img>"}, STRIPE, STRIPE, STRIPE])
    page = told()
    assert "The message is neither JSON nor a form." in page
    assert "And 2 more messages in the same request." in page
    assert "<script>" not in page
    assert "<img>" not in page
    assert Hook.objects.get().email_path == hook.email_path


def test_what_is_wrong_stays_as_typed_and_is_not_saved(manager: Client, hook: Hook) -> None:
    typed = fields_of(manager.get(f"/hooks/{hook.pk}/").content.decode())
    wrong = {**typed, "name": "New name", "email_path": "a..b", "assigned_value": ["x", "y"],
             "assigned_touchpoint": ["order_received", "gone"]}  # fmt: skip
    page = manager.post(f"/hooks/{hook.pk}/", wrong).content.decode()
    assert "no path from its character 3" in page
    assert fields_of(page)["assigned_value"][:2] == ["x", "y"]
    assert fields_of(page)["email_path"] == "a..b"
    nobody = {**typed, "state": "on", "email_path": "", "external_id_path": ""}
    assert "Before it is switched on" in manager.post(f"/hooks/{hook.pk}/", nobody).content.decode()
    unsigned = {**typed, "signature": "stripe"}
    assert "Enter the secret" in manager.post(f"/hooks/{hook.pk}/", unsigned).content.decode()
    for name, value in {
        "name": "\x00",
        "properties": 'a = ["\x00"]',
        "condition_value": "\x00",
        "state": "off",
    }.items():
        assert manager.post(f"/hooks/{hook.pk}/", {**typed, name: value}).status_code == 200, name
    hook.refresh_from_db()
    assert (hook.name, hook.state, hook.signature) == ("Billing <b>", "listening", "none")


def test_a_secret_is_never_shown_and_stays_when_nothing_is_typed(manager: Client, hook: Hook) -> None:
    typed = fields_of(manager.get(f"/hooks/{hook.pk}/").content.decode())
    manager.post(f"/hooks/{hook.pk}/", {**typed, "signature": "stripe", "secret": "whsec_1"})
    page = manager.get(f"/hooks/{hook.pk}/").content.decode()
    assert "whsec_1" not in page
    manager.post(f"/hooks/{hook.pk}/", {**fields_of(page), "name": "Again"})
    hook.refresh_from_db()
    assert (hook.name, hook.secret, hook.signature) == ("Again", "whsec_1", "stripe")


def test_saving_a_form_keeps_what_happened_to_the_hook_meanwhile(manager: Client, hook: Hook) -> None:
    typed = fields_of(manager.get(f"/hooks/{hook.pk}/").content.decode())
    before = hook.token

    def meanwhile(execute: Any, sql: str, *rest: Any) -> Any:
        found = execute(sql, *rest)
        if "touchpoints_touchpoint" in sql and Hook.objects.get().token == before:
            hooks.rotate_token(hook=Hook.objects.get())
            Hook.objects.update(last_received_at=NOW)
        return found

    with connection.execute_wrapper(meanwhile):
        assert manager.post(f"/hooks/{hook.pk}/", {**typed, "name": "Renamed"}).status_code == 302
    hook.refresh_from_db()
    assert (hook.name, hook.last_received_at) == ("Renamed", NOW)
    assert hook.token != before


def test_a_deep_or_long_message_does_not_swell_the_page(manager: Client, hook: Hook) -> None:
    keep(hook, "[" * 60 + ",".join("0" * 30_000) + "]" * 60)
    keep(hook, "[" + ",".join("0" * 30_000) + "]")
    Hook.objects.update(touchpoint_path=" | ".join("abcdefghijklmnopqrst"))
    started = time.perf_counter()
    page = manager.get(f"/hooks/{hook.pk}/")
    assert time.perf_counter() - started < 3
    assert len(page.content) < 1_000_000
    assert "0,0,0,0" in page.content.decode()


def test_the_address_is_replaced_and_the_hook_deleted(manager: Client, hook: Hook) -> None:
    before = hook.token
    manager.post(f"/hooks/{hook.pk}/rotate/")
    hook.refresh_from_db()
    assert hook.token != before
    manager.post(f"/hooks/{hook.pk}/delete/")
    assert not Hook.objects.exists()
    assert not HookPayload.objects.exists()


def test_whoever_may_only_look_sees_neither_address_nor_buttons(client: Client, hook: Hook) -> None:
    page = client.get(f"/hooks/{hook.pk}/").content.decode()
    assert hook.token not in page
    assert 'type="submit"' not in page[page.index("<main") :]
    assert "ada@example.com" in page
    assert client.get("/hooks/new/").status_code == 403
    assert client.post(f"/hooks/{hook.pk}/", {"name": "x"}).status_code == 302
    for path in ("preview/", "rotate/", "delete/", f"messages/{hook.payloads.get().pk}/"):
        assert client.post(f"/hooks/{hook.pk}/{path}").status_code == 403, path
    assert client.post("/hooks/segment/add/", {"name": "x"}).status_code == 403
    hook.refresh_from_db()
    assert hook.name == "Billing <b>"


def test_hooks_of_another_tenant_are_not_there(manager: Client, tenant: Any, other_tenant: Any, hook: Hook) -> None:
    with tenant_context(other_tenant):
        theirs = hooks.create_hook(hook=new_hook(tool="n8n", name="Theirs"), now=NOW)
        Hook.objects.filter(pk=theirs.pk).update(id=hook.pk + 1000)
        name = TrackedName.objects.create(id=hook.pk + 1000, name="x", first_seen_at=NOW, last_seen_at=NOW)
        payload = keep(Hook.objects.get(), STRIPE)
    pk = hook.pk + 1000
    assert manager.get(f"/hooks/{pk}/").status_code == 404
    for path in ("", "preview/", "rotate/", "delete/", f"messages/{payload.pk}/"):
        assert manager.post(f"/hooks/{pk}/{path}").status_code == 404, path
    assert manager.post(f"/hooks/{hook.pk}/messages/{payload.pk}/").status_code == 404
    assert manager.post(f"/hooks/segment/{name.pk}/", {"meaning": "-"}).status_code == 404
    assert manager.get("/hooks/99999999999999999999/").status_code == 404
    with tenant_context(other_tenant):
        assert Hook.objects.count() == TrackedName.objects.filter(is_ignored=False).count() == 1


def test_the_list_is_searched_filtered_paged_and_costs_the_same_for_any_number(
    manager: Client, hook: Hook, queries_of: Callable[[str], int]
) -> None:
    costs = queries_of("/hooks/"), queries_of(f"/hooks/{hook.pk}/")
    for number in range(30):
        made = hooks.create_hook(
            hook=new_hook(tool="shopify", name=f"Shop {number}"), now=NOW - timedelta(hours=number + 1)
        )
        Hook.objects.filter(pk=made.pk).update(last_error=[["signature", "forged", ""]], last_error_at=NOW)
    for number in range(19):
        keep(hook, {**STRIPE, "id": str(number)})

    def found(**query: str) -> list[str]:
        return [row.name for row in manager.get("/hooks/", query).context["page"].rows]

    assert found()[0] == "Billing <b>"
    assert len(found()) == 25
    cursor = manager.get("/hooks/").context["page"].next_cursor
    assert len(found(cursor=cursor)) == 6
    assert found(q="shop 7") == ["Shop 7"]
    assert found(tool="stripe") == ["Billing <b>"]
    assert found(state="on") == []
    assert len(found(state="error")) == 25
    assert "No hook fits these filters." in manager.get("/hooks/", {"q": "nothing"}).content.decode()
    assert "Signature: The signature did not fit" in manager.get("/hooks/").content.decode()
    assert (queries_of("/hooks/"), queries_of(f"/hooks/{hook.pk}/")) == costs


def test_names_that_nobody_knows_are_shown_and_given_a_meaning(
    manager: Client, setup: SimpleNamespace, queries_of: Callable[[str], int]
) -> None:
    assert "No name has come" in manager.get("/hooks/segment/").content.decode()

    def track(name: str) -> None:
        message = {"type": "track", "userId": "u-1", "event": name, "messageId": f"{name}-{datetime.now(UTC)}"}
        tracking.take(messages=[message, {"type": "page"}], sent_at=None, now=datetime.now(UTC))

    track("Paket <da>")
    track("Paket <da>")
    assert "1 unmapped" in manager.get("/hooks/").content.decode()
    page = manager.get("/hooks/segment/", {"state": "unmapped", "q": "paket"})
    row = page.context["page"].rows[0]
    assert (row.name, row.unmapped_count) == ("Paket <da>", 2)
    assert "<da>" not in page.content.decode()
    assert "Neither track nor identify: 2" in page.content.decode()
    cost = queries_of("/hooks/segment/")
    back = manager.post(f"/hooks/segment/{row.pk}/", {"meaning": "order_received", "back": "?state=unmapped"})
    assert back.headers["Location"] == "/hooks/segment/?state=unmapped"
    for evil in ("//evil.example", "https://evil.example", "?x\r\nY: z"):
        location = manager.post(f"/hooks/segment/{row.pk}/", {"meaning": "order_received", "back": evil})
        assert location.headers["Location"].startswith("/hooks/segment/"), evil
    track("Paket <da>")
    assert Event.objects.get().touchpoint == setup.touchpoint
    for number in range(24):
        track(f"Name {number}")
    manager.post("/hooks/segment/add/", {"name": "Noise", "meaning": "-"})
    track("Noise")
    assert TrackedName.objects.get(name="Noise").unmapped_count == 0
    assert "Left out" in manager.get("/hooks/segment/", {"state": "ignored"}).content.decode()
    assert manager.post(f"/hooks/segment/{row.pk}/", {"meaning": "gone"}).status_code == 302
    wrong = manager.post("/hooks/segment/add/", {"name": "", "meaning": "order_received"})
    assert "This field is required" in wrong.content.decode()
    assert queries_of("/hooks/segment/") == cost
