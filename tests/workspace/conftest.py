"""A signed-in person and a little of everything to look at."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import User
from apps.campaigns.models import Campaign, CampaignVersion, Enrolment, StepRun
from apps.cases import services as cases
from apps.contacts.models import Company, Contact, LegalBasis
from apps.messaging import frames
from apps.messaging.models import OutgoingEmail
from apps.responses.models import Answer, Response, Revision, ScoreChange
from apps.surveys.models import Invitation, Question, Survey
from apps.touchpoints.models import Event, Stage, Touchpoint
from apps.triggers.models import Decision, TriggerRule

HOST = "nordwind.resonanz.test"


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def user(tenant: Any) -> User:
    return User.objects.create(username="cx")


@pytest.fixture
def visitor(tenant: Any) -> Client:
    """Nobody in particular, on the tenant's host."""
    return Client(headers={"host": HOST})


@pytest.fixture
def client(visitor: Client, user: User) -> Client:
    """A CX manager on the tenant's host."""
    visitor.force_login(user)
    return visitor


@pytest.fixture
def queries_of(client: Client) -> Callable[[str], int]:
    """How many queries a page costs, once the process knows which tenant the host belongs to."""

    def count(url: str) -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    return count


@pytest.fixture
def setup(tenant: Any) -> SimpleNamespace:
    """Touchpoint, survey, rule and campaign."""
    return make_setup()


def make_setup() -> SimpleNamespace:
    """The same, in the tenant that one is in."""
    stage = Stage.objects.create(key="delivery", name={"en": "Delivery"})
    touchpoint = Touchpoint.objects.create(key="order_received", name={"en": "Order received"}, stage=stage)
    survey = Survey.objects.create(key="order", name={"en": "After the order"})
    rating = Question.objects.create(survey=survey, key="speed", kind="rating", text={"en": "How fast were we?"})
    rule = TriggerRule.objects.create(name="Three days later", survey=survey)
    rule.touchpoints.add(touchpoint)
    campaign = Campaign.objects.create(name="Sorry", segment="detractor")
    steps = {"steps": [{"key": "s1", "kind": "email"}]}
    campaign.draft = steps
    campaign.current_version = CampaignVersion.objects.create(
        campaign=campaign, number=1, document=steps, published_at=timezone.now()
    )
    campaign.save()
    return SimpleNamespace(touchpoint=touchpoint, survey=survey, rating=rating, rule=rule, campaign=campaign)


def mail(contact: Contact, reason: str, at: datetime, subject: str) -> OutgoingEmail:
    return OutgoingEmail.objects.create(
        reason=reason, contact=contact, to_email=contact.email or "", to_name=contact.name,
        from_header="N <n@example.com>",
        subject=subject, frame_id=frames.store([frames.VERBATIM])[frames.VERBATIM],
        values={"text": "Hello", "body_html": "<p style='color:red'>Hello</p>"}, message_id=f"<{reason}@example.com>",
        status="sent", due_at=at, queued_at=at, sent_at=at,
    )  # fmt: skip


def story(setup: SimpleNamespace, number: int, at: datetime, *, score: int = 3, comment: str = "") -> Response:
    """From the event to the follow-up, for one contact of its own."""
    company = Company.objects.create(name=f"Company {number}")
    contact = Contact.objects.create(email=f"kim{number}@example.com", name=f"Kim {number}", company=company)
    LegalBasis.objects.create(contact=contact, kind="consent", source="shop", granted_at=at)
    event = Event.objects.create(
        touchpoint=setup.touchpoint, contact=contact, occurred_at=at, received_at=at, external_id=f"o-{number}",
        status="decided",
    )  # fmt: skip
    invitation = Invitation.objects.create(
        survey=setup.survey, contact=contact, touchpoint=setup.touchpoint, event=event, reason=f"event:{number}",
        status="queued", send_at=at, give_up_at=at + timedelta(days=14), created_at=at,
        email=mail(contact, f"invitation:{number}", at, "How was it?"),
    )  # fmt: skip
    Decision.objects.create(
        event=event, rule=setup.rule, contact=contact, invitation=invitation, status="scheduled", reason="ok",
        decided_at=at,
    )  # fmt: skip
    response = Response.objects.create(
        invitation=invitation, survey=setup.survey, touchpoint=setup.touchpoint, contact=contact, score=score,
        comment=comment, answered_at=at, updated_at=at, follow_up="enrolled",
    )  # fmt: skip
    ScoreChange.objects.create(day=at.date(), survey=setup.survey, touchpoint=setup.touchpoint, score=score, weight=1)
    Answer.objects.create(response=response, question=setup.rating, value=2)
    Revision.objects.create(response=response, score=9, comment="Before", replaced_at=at)
    enrolment = Enrolment.objects.create(
        campaign=setup.campaign, version=setup.campaign.current_version, response=response, enrolled_at=at, ended_at=at,
        state="done",
    )  # fmt: skip
    StepRun.objects.create(
        enrolment=enrolment, step_key="s1", kind="email", status="done", due_at=at, done_at=at,
        email=mail(contact, f"step:{number}", at, "We are sorry"),
    )  # fmt: skip
    cases.open_cases(responses=[response], now=at)
    return response
