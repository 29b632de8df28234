"""Whom campaigns tell: other systems by webhooks, as documented; and people, when a step failed for good."""

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.alerts.models import Notice, Subscription
from apps.campaigns import services
from apps.campaigns.models import Enrolment, StepRun
from apps.campaigns.services import enrol, run_due, run_steps
from apps.campaigns.troubles import BACKOFF
from apps.integrations.models import Delivery, Endpoint
from tests import factories
from tests.campaigns.test_services import respond
from tests.surveys.test_announcements import examples, shape

pytestmark = pytest.mark.usefixtures("tenant")
BASE = "http://nordwind.resonanz.test"
STEPS: list[dict[str, Any]] = [
    {"key": "tell-crm", "kind": "webhook", "name": "apologised"},
    {
        "key": "call",
        "kind": "task",
        "title": {"en": "Call {{ first_name }}"},
        "text": {"en": "{{ first_name }} gave {{ score }}: {{ comment }}"},
        "due_days": 2,
    },
]


def test_other_systems_are_told_what_the_documentation_shows() -> None:
    factories.publish(factories.CampaignFactory(name="Sorry", segment=""), STEPS)
    Endpoint.objects.create(url="https://crm.example/", event_types=[])
    respond(2, "Too slow.", name="Kim Doe")
    now = timezone.now()
    enrol(now=now)
    for _step in STEPS:
        run_steps(now=now, base_url=BASE)
    documented = examples()
    for event_type in ("campaign.step", "campaign.task"):
        [delivery] = Delivery.objects.filter(event_type=event_type)
        assert shape(delivery.payload) == shape(documented[event_type]["data"]), event_type
    task = Delivery.objects.get(event_type="campaign.task").payload
    assert (task["title"], task["text"]) == ("Call Kim", "Kim gave 2: Too slow.")
    assert task["due_at"] == (now + timedelta(days=2)).isoformat()
    assert Delivery.objects.get(event_type="campaign.step").payload["name"] == "apologised"


def test_while_nobody_listens_the_steps_are_skipped_and_seen() -> None:
    factories.publish(factories.CampaignFactory(segment=""), STEPS)
    respond(2)
    now = timezone.now()
    enrol(now=now)
    for _step in STEPS:
        run_steps(now=now, base_url=BASE)
    assert set(StepRun.objects.values_list("status", "reason")) == {("skipped", "nobody_listens")}
    assert Enrolment.objects.get().state == "done"


def test_a_step_that_fails_for_good_is_told_of_once_a_day() -> None:
    factories.publish(factories.CampaignFactory(name="Sorry", segment=""), STEPS)
    for username, chief in (("chief", True), ("cx", False)):
        user = User.objects.create(username=username, email=f"{username}@example.com", is_superuser=chief)
        Subscription.objects.create(user=user, name="Failures", kinds=["campaign_failed"])
    for _number in range(3):
        respond(2)
    now = timezone.now()
    enrol(now=now)
    broken = mock.Mock(side_effect=KeyError("pool"))
    with mock.patch.dict(services._RUNNERS, {"webhook": broken}):
        for attempt in range(len(BACKOFF) + 1):
            assert not Notice.objects.exists(), attempt
            now += timedelta(days=1)
            run_due(now=now, base_url=BASE)
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"failed"}
    notice = Notice.objects.get(user__username="chief")
    assert notice.values == {"campaign": "Sorry", "error": "KeyError: 'pool'"}
    campaign_id = Enrolment.objects.values_list("campaign_id", flat=True)[0]
    assert notice.path == f"/campaigns/{campaign_id}/enrolments/?state=failed"
