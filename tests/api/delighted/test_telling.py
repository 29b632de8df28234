"""Receivers that were built for Delighted's webhooks understand ours."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.integrations import attempts
from apps.integrations.models import Delivery, Endpoint
from apps.responses.models import Response
from tests import factories
from tests.api.delighted.conftest import Caller
from tests.integrations.receiver import Receiver, answer

KEY = "0123456789abcdefDelightedKey"
NAMES = ("X-Delighted-Webhook-Signature", "webhook-signature")


@pytest.fixture
def told(tenant: Any, settings: Any) -> Any:
    """A receiver built for Delighted, and one of ours beside it; gives what the first one was sent."""
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with Receiver() as old, Receiver() as new:
        endpoint = Endpoint(url=old.url, delighted_key=KEY)
        endpoint.full_clean()
        endpoint.save()
        Endpoint.objects.create(url=new.url)

        def sent() -> list[dict[str, Any]]:
            attempts.attempt_due(now=timezone.now())
            bodies = []
            for request in old.received:
                expected = hmac.new(KEY.encode(), request.body, hashlib.sha256).hexdigest()
                headers = {name.lower(): value for name, value in request.headers.items()}
                assert headers[NAMES[0].lower()] == f"sha256={expected}"
                bodies.append(json.loads(request.body))
            assert not any(NAMES[0].lower() in {name.lower() for name in r.headers} for r in new.received)
            old.received.clear()
            return bodies

        yield sent


@pytest.mark.usefixtures("connection")
def test_answers_and_their_changes_are_told_in_delighteds_words(caller: Caller, told: Any) -> None:
    contact = factories.ContactFactory(name="Ada")
    body = {"person": str(contact.pk), "score": 9, "person_properties": {"plan": "Pro"}}
    made = caller.json("POST", "/v1/survey_responses", body).json()
    changed = caller.json("PUT", f"/v1/survey_responses/{made['id']}", {"comment": "Fast!"}).json()
    first, second = sorted(told(), key=lambda message: message["event_type"])
    person = {"id": str(contact.pk), "name": "Ada", "email": contact.email, "phone_number": None}
    assert first["event_data"]["person"].items() >= person.items()
    assert [m["event_type"] for m in (first, second)] == ["survey_response.created", "survey_response.updated"]
    assert first["event_data"] == {**made, "person": first["event_data"]["person"]}  # as it was, not as it is
    assert second["event_data"] == {**changed, "person": first["event_data"]["person"]}
    for message in (first, second):
        assert message.keys() == {"event_type", "event_id", "event_data"}
        assert len(bytes.fromhex(message["event_id"])) == 32
    assert first["event_id"] != second["event_id"]


@pytest.mark.usefixtures("connection")
def test_who_leaves_is_told_of(caller: Caller, told: Any) -> None:
    contact = factories.ContactFactory(name="Ada")
    assert caller.json("POST", "/v1/unsubscribes", {"person_email": contact.email}).json() == {"ok": True}
    (message,) = told()
    assert message["event_type"] == "unsubscribe.created"
    at = message["event_data"].pop("unsubscribed_at")
    assert abs(at - timezone.now().timestamp()) < 60
    assert message["event_data"] == {"person_id": str(contact.pk), "email": contact.email, "name": "Ada"}


@pytest.mark.usefixtures("connection")
def test_a_repeated_message_keeps_its_id_and_what_is_gone_is_told_as_it_was(caller: Caller, settings: Any) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    contact = factories.ContactFactory()
    with Receiver() as receiver:
        receiver.behaviour = answer(500)
        Endpoint.objects.create(url=receiver.url, delighted_key=KEY, event_types=["response.created"])
        made = caller.json("POST", "/v1/survey_responses", {"person": str(contact.pk), "score": 9}).json()
        attempts.attempt_due(now=timezone.now())
        Response.objects.all().delete()
        Delivery.objects.update(due_at=timezone.now())
        attempts.attempt_due(now=timezone.now())
        bodies = [json.loads(request.body) for request in receiver.received]
    assert [b["event_type"] for b in bodies] == ["survey_response.created"] * 2
    assert len({b["event_id"] for b in bodies}) == 1
    assert bodies[-1]["event_data"]["score"] == made["score"]
    assert bodies[-1]["event_data"]["person"]["email"] is None
    # Of somebody who was erased nothing is left to be told.
    assert caller.raw("DELETE", f"/v1/people/{contact.pk}").status_code == 202
    assert not Delivery.objects.exists()


def test_such_a_receiver_is_told_only_what_delighted_told() -> None:
    endpoint = Endpoint(url="https://example.com/", delighted_key=KEY, event_types=["invitation.sent"])
    endpoint.clean()
    assert endpoint.event_types == ["response.created", "response.updated", "contact.unsubscribed"]
    endpoint.event_types = ["response.updated", "invitation.sent"]
    endpoint.clean()
    assert endpoint.event_types == ["response.updated"]
    with pytest.raises(ValidationError):
        Endpoint(url="nowhere", delighted_key=KEY).full_clean(validate_unique=False)
