"""A contact with nothing but a telephone: from the event to the opened survey."""

import mailbox
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.contacts.models import Contact
from apps.integrations.services import create_api_key
from apps.messaging.models import MailPolicy, OutgoingEmail
from apps.messaging.sending import send_batch
from apps.responses.models import Response
from apps.surveys import services as surveys
from apps.triggers import services as triggers
from apps.triggers.models import Decision
from tests import factories
from tests.flow.test_flow import BASE, post_event
from tests.messaging.texting import NUMBER, SENDER
from tests.responses.asking import browser

PERSON = {"external_id": "k-1", "phone": "0049 170 1234567", "name": "Ada", "locale": "de-AT"}


@pytest.fixture
def client() -> Client:
    return browser()


def test_who_has_only_a_telephone_is_asked_by_text_message(
    tenant: Any, client: Client, settings: Any, tmp_path: Path
) -> None:
    settings.SMS = {"provider": "sink", "folder": tmp_path, "sender": SENDER}
    MailPolicy.objects.create(pk=1, sms_use="without_email")
    factories.house(delay=timedelta(0))
    _row, key = create_api_key(name="shop")
    assert post_event(client, key, contact=PERSON).status_code == 202
    now = timezone.now() + timedelta(seconds=1)
    assert triggers.evaluate_events(now=now) == 1
    assert Decision.objects.get().status == "scheduled"
    assert surveys.dispatch_due(now=now, base_url=BASE) == 1
    assert OutgoingEmail.objects.get().channel == "sms"
    assert send_batch(now=now) == 1
    [message] = mailbox.Maildir(tmp_path)
    text = message.get_payload(decode=True).decode()
    assert message["To"] == NUMBER
    link = re.findall(r"http://nordwind.resonanz.test(/s/[\w-]+)", text)[0]
    assert client.get(link).status_code == 200
    answered = client.get(link).content.decode()
    assert "nps" in answered.lower() or "empfehlen" in answered
    assert Response.objects.count() == 0


def test_where_text_messages_are_not_used_nobody_is_asked_by_telephone(tenant: Any, client: Client) -> None:
    factories.house(delay=timedelta(0))
    _row, key = create_api_key(name="shop")
    post_event(client, key, contact=PERSON)
    triggers.evaluate_events(now=timezone.now() + timedelta(seconds=1))
    decision = Decision.objects.get()
    assert (decision.status, decision.reason) == ("blocked", "no_address")
    assert Contact.objects.get().phone == NUMBER
