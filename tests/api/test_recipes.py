"""The messages in docs/connect are sent as they stand there, to a hook made with the tool's preset."""

import base64
import hmac
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import time_machine
from django.test import Client

from apps.contacts.identity import resolve_contacts
from apps.contacts.models import Contact
from apps.integrations.services import create_api_key
from apps.touchpoints import hooks
from apps.touchpoints.hook_presets import PRESETS, SIGNATURES, new_hook
from apps.touchpoints.models import Event, Hook, HookTouchpoint, TrackedName, TrackingProblem
from tests import factories

DOCS = Path(__file__).resolve().parents[2] / "docs" / "connect"
HOST = "nordwind.resonanz.test"
NOW = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)


class Message(NamedTuple):
    path: str
    headers: dict[str, str]
    body: str


def messages(tool: str) -> list[Message]:
    """The http blocks of a recipe."""
    found = []
    for block in re.findall(r"^```http\n(.*?)^```$", (DOCS / f"{tool}.md").read_text(), re.DOTALL | re.MULTILINE):
        head, _, body = block.partition("\n\n")
        first, *lines = head.splitlines()
        headers = dict(line.split(": ", 1) for line in lines)
        json.loads(body)
        found.append(Message(first.removeprefix("POST "), headers, body))
    return found


def signature(tool: str, hook: Hook, body: bytes) -> dict[str, str]:
    """Signed as the tool does it."""
    key, seconds = hook.secret.encode(), int(NOW.timestamp())
    if tool == "shopify":
        return {"X-Shopify-Hmac-Sha256": base64.b64encode(hmac.digest(key, body, "sha256")).decode()}
    if tool == "stripe":
        return {"Stripe-Signature": f"t={seconds},v1={hmac.new(key, b'%d.' % seconds + body, 'sha256').hexdigest()}"}
    if tool == "zendesk":
        sent = "2026-03-01T12:00:00Z"
        told = base64.b64encode(hmac.digest(key, sent.encode() + body, "sha256")).decode()
        return {"X-Zendesk-Webhook-Signature": told, "X-Zendesk-Webhook-Signature-Timestamp": sent}
    if tool == "hubspot":
        whole = f"POSThttp://{HOST}/hooks/{hook.token}".encode() + body + b"%d000" % seconds
        told = base64.b64encode(hmac.digest(key, whole, "sha256")).decode()
        return {"X-HubSpot-Signature-v3": told, "X-HubSpot-Request-Timestamp": f"{seconds}000"}
    return {}


# Tool → what its messages call it, the events' times, what the contact is, properties of the event.
EXPECTED: dict[str, tuple[list[str], list[str], dict[str, str], dict[str, Any]]] = {
    "shopify": (
        ["orders/fulfilled"], ["2026-03-01T11:58:21"],
        {"external_id": "115310627314723954", "email": "ada@example.com", "name": "Ada Lovelace", "locale": "de-DE",
         "country": "DE", "phone": "+491701234567"},
        {"order": "#9999", "total": "238.47", "currency": "EUR"},
    ),
    "stripe": (
        ["invoice.paid"], ["2026-03-01T11:00:00"],
        {"external_id": "cus_NffrFeUfNV2Hib", "email": "ada@example.com", "name": "Ada Lovelace", "country": "DE"},
        {"amount": 4900, "currency": "eur"},
    ),
    "zendesk": (
        ["ticket_solved"], ["2026-03-01T11:42:10"],
        {"external_id": "20978392", "email": "ada@example.com", "name": "Ada Lovelace", "locale": "de"},
        {"ticket": "35436", "group": "Logistics", "subject": "Parcel is late"},
    ),
    "hubspot": (
        ["became_customer", "customer"], ["2026-03-01T11:00:00", "2026-03-01T11:01:01", "2026-03-01T12:00:05"],
        {"external_id": "39580875173", "email": "ada@example.com", "name": "Ada Lovelace", "locale": "de",
         "phone": "+491701234567"},
        {"value": "became_customer"},
    ),
    "n8n": (
        [], ["2026-03-01T11:00:00"],
        {"external_id": "c-42", "email": "ada@example.com", "name": "Ada Lovelace", "locale": "de"}, {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("tool", EXPECTED)
def test_a_recipes_messages_become_events_of_their_contacts(tenant: Any, tool: str) -> None:
    values, times, person, properties = EXPECTED[tool]
    touchpoint = factories.TouchpointFactory()
    made = new_hook(tool=tool, name=tool)
    if tool in SIGNATURES:
        made.signature, made.secret = SIGNATURES[Hook.Tool(tool)], "s3cret"
    hook = hooks.create_hook(hook=made, now=NOW)
    for value in values:
        HookTouchpoint.objects.create(hook=hook, value=value, touchpoint=touchpoint)
    Hook.objects.filter(pk=hook.pk).update(state="on")
    recipe = (DOCS / f"{tool}.md").read_text()
    assert all(f"`{value}`" in recipe for value in values)
    sender = Client(headers={"host": HOST})
    with time_machine.travel(NOW, tick=False):
        for message in messages(tool):
            body = message.body.encode()
            headers = {**message.headers, **signature(tool, hook, body)}
            kind = headers.pop("Content-Type")
            path = message.path.replace("<token>", hook.token)
            answers = [sender.post(path, body, kind, headers=headers).json() for _ in range(2)]
            assert answers[0]["outcome"] == "taken"
            assert (answers[0]["problems"], answers[1]["events"]) == ([], 0)
    events = list(Event.objects.order_by("occurred_at"))
    assert [f"{event.occurred_at:%Y-%m-%dT%H:%M:%S}" for event in events] == times
    assert {event.touchpoint for event in events} == {touchpoint}
    assert events[-1].properties == properties
    contacts = resolve_contacts(people=[event.contact_data for event in events], now=NOW)
    assert contacts[-1] is not None
    assert {name: getattr(contacts[-1], name) for name in person} == person
    if tool == "hubspot":  # The list knows the same contact by its id alone, and another one.
        assert contacts[0] == contacts[-1]
        assert contacts[1] != contacts[-1]


def test_segments_recipe_makes_a_contact_and_an_event_and_shows_the_rest(tenant: Any) -> None:
    factories.TouchpointFactory()
    key = create_api_key(name="Segment", kind="wk")[1]
    (message,) = messages("segment")
    basic = base64.b64encode(f"{key}:".encode()).decode()
    with time_machine.travel(NOW, tick=False):
        answer = Client(headers={"host": HOST}).post(
            message.path, message.body, "application/json", headers={"Authorization": f"Basic {basic}"}
        )
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    event = Event.objects.get()
    assert (event.source, event.external_id) == ("segment", "ajs-next-5f4b0c0b")
    assert event.properties == {"order_id": "A-1007", "total": 199.0, "currency": "EUR"}
    contact = Contact.objects.select_related("company").get()
    assert (contact.external_id, contact.email, contact.name) == ("c-42", "ada@example.com", "Ada Lovelace")
    assert (contact.phone, contact.locale, contact.country) == ("+491701234567", "de-DE", "DE")
    assert contact.company is not None
    assert (contact.company.external_id, contact.company.name) == ("acme", "Acme GmbH")
    assert contact.properties["plan"] == "premium"
    assert TrackedName.objects.get().name == "Newsletter Opened"
    assert TrackingProblem.objects.get().reason == "anonymous"


def test_every_tool_has_its_recipe() -> None:
    for preset in PRESETS.values():
        assert not preset.guide or (DOCS.parents[1] / preset.guide).is_file()
    assert {path.stem for path in DOCS.glob("*.md")} == {*EXPECTED, "segment", "README"}
