"""A contact with nothing but a telephone: from the event to the opened survey."""

import mailbox
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.contacts.models import Contact
from apps.integrations.services import create_api_key
from apps.messaging.models import MailPolicy, OutgoingEmail
from apps.messaging.sending import send_batch
from apps.messaging.suppressions import suppress
from apps.responses.models import Response
from apps.surveys import reminders
from apps.surveys import services as surveys
from apps.surveys.models import SurveyReminder
from apps.triggers import services as triggers
from apps.triggers.models import Decision
from tests import factories
from tests.flow.test_flow import BASE, post_event
from tests.messaging.texting import NUMBER, SENDER
from tests.messaging.words import words
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


def test_who_has_only_a_telephone_is_reminded_by_text_message_with_the_same_link(
    tenant: Any, client: Client, settings: Any
) -> None:
    settings.SMS = {"provider": "sink", "folder": "unused", "sender": SENDER}
    MailPolicy.objects.create(pk=1, sms_use="without_email")
    rule = factories.house(delay=timedelta(0))
    SurveyReminder.objects.create(survey=rule.survey, position=1, delay=timedelta(days=4))
    _row, key = create_api_key(name="shop")
    post_event(client, key, contact=PERSON)
    now = timezone.now() + timedelta(seconds=1)
    triggers.evaluate_events(now=now)
    surveys.dispatch_due(now=now, base_url=BASE)
    OutgoingEmail.objects.update(status="sent", sent_at=now)
    due = reminders.next_due()
    assert due is not None
    assert reminders.remind_due(now=due, base_url=BASE) == 1
    first, second = OutgoingEmail.objects.order_by("queued_at")
    assert (second.channel, second.to_email, second.reason.partition(":")[0]) == ("sms", NUMBER, "reminder")
    assert words(second).text.count("/s/") == 1
    assert re.findall(r"/s/[\w-]+", words(second).text) == re.findall(r"/s/[\w-]+", words(first).text)
    suppress(emails=[NUMBER], reason="unsubscribed", source="STOP", now=due)
    assert sending_objections(due) == {"suppressed"}


def sending_objections(now: datetime) -> set[str]:
    """Why what waits in the outbox does not leave."""
    send_batch(now=now)
    return set(OutgoingEmail.objects.filter(status="revoked").values_list("last_error", flat=True))
