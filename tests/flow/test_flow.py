"""One event's way through every stage, in one process."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from apps.campaigns import services as campaigns
from apps.campaigns.models import StepRun
from apps.cases.models import Case
from apps.insights.models import Rollup
from apps.insights.services import roll_up
from apps.integrations.services import create_api_key
from apps.messaging import sending as messaging
from apps.messaging.models import OutgoingEmail
from apps.responses.models import Response, ScoreChange
from apps.surveys import services as surveys
from apps.surveys.models import Invitation
from apps.touchpoints.models import Event
from apps.triggers import services as triggers
from apps.triggers.models import Decision
from tests import factories
from tests.responses.asking import browser, human

BASE = "http://nordwind.resonanz.test"


@pytest.fixture
def client() -> Client:
    return browser()


def post_event(client: Client, key: str, **changes: Any) -> Any:
    body = {
        "touchpoint": "order_received",
        "contact": {"external_id": "k-1", "email": "Ada@Example.com", "name": "Ada", "locale": "de-AT"},
        "occurred_at": timezone.now().isoformat(),
        "external_id": "order-1",
        **changes,
    }
    return client.post(
        "/api/v1/events", json.dumps(body), content_type="application/json", headers={"authorization": f"Bearer {key}"}
    )


def test_an_event_becomes_a_mail_an_answer_a_follow_up_and_a_number(tenant: Any, client: Client) -> None:
    factories.house(delay=timedelta(0))
    _row, key = create_api_key(name="shop")
    now = timezone.now() + timedelta(seconds=1)

    accepted = post_event(client, key)
    assert accepted.status_code == 202
    again = post_event(client, key)
    assert again.json() == accepted.json()
    assert Event.objects.count() == 1

    assert triggers.evaluate_events(now=now) == 1
    decision = Decision.objects.get()
    assert (decision.status, decision.reason) == ("scheduled", "ok")
    assert decision.contact is not None
    assert decision.contact.email == "ada@example.com"

    assert surveys.dispatch_due(now=now, base_url=BASE) == 1
    assert Invitation.objects.get().status == "queued"
    assert messaging.send_batch(now=now) == 1
    [sent] = mail.outbox
    assert sent.to == ["Ada <ada@example.com>"]
    assert "Wie war es" in sent.subject or "How was it" in sent.subject
    assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    link = re.findall(r"http://nordwind.resonanz.test(/s/[\w-]+\?score=9)", sent.body)[0]
    page = client.get(link)
    assert page.status_code == 200
    assert re.search(r'value="9"[^>]*\schecked', page.content.decode())
    assert Response.objects.count() == 0

    answer = client.post(link, human(score="9", comment=""))
    assert answer.status_code == 303
    response = Response.objects.get()
    assert (response.score, response.locale, response.is_partial) == (9, "de", True)
    assert campaigns.enrol(now=now) == 0, "the rest of the answer is waited for"
    assert client.get(answer["Location"]).status_code == 200
    answer = client.post(answer["Location"], human(**{"p": "1", "q-delivery": "5"}))
    assert "/thanks" in answer["Location"]
    assert client.get(answer["Location"]).status_code == 200
    response.refresh_from_db()
    assert (response.is_partial, response.is_suspected, response.answers.get().value) == (False, False, 5)
    now = timezone.now() + timedelta(seconds=1)

    assert campaigns.enrol(now=now) == 1
    later = timezone.now() + timedelta(seconds=2)
    assert campaigns.run_steps(now=later, base_url=BASE) == 1
    assert messaging.send_batch(now=later) == 1
    assert mail.outbox[1].subject == "Erzählen Sie mehr"
    assert mail.outbox[1].body.startswith("Warum 9?")

    roll_up(now=later, limit=100)
    assert ScoreChange.objects.count() == 0
    assert Rollup.objects.get().responses == 1


def test_a_detractor_gets_a_case_as_well(tenant: Any) -> None:
    factories.house(delay=timedelta(0))
    detractors = factories.Campaign.objects.get(segment="detractor")
    factories.step(detractors, kind="case")
    factories.EventFactory()
    now = timezone.now() + timedelta(seconds=1)
    triggers.evaluate_events(now=now)
    surveys.dispatch_due(now=now, base_url=BASE)
    from apps.responses.services import Submission, submit

    invitation = Invitation.objects.get()
    submit(invitation_id=invitation.pk, submission=Submission({"nps": 2, "comment": "Broken"}, locale="en"), now=now)
    campaigns.enrol(now=now)
    for _step in range(2):
        campaigns.run_steps(now=now, base_url=BASE)
    assert set(StepRun.objects.values_list("status", flat=True)) == {"done"}
    assert Case.objects.get().contact == invitation.contact
    assert OutgoingEmail.objects.filter(reason__startswith="step:").count() == 1
