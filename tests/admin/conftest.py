"""Somebody signed in, and a tenant in which every table has rows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django_tenants.utils import schema_context

from apps.accounts.models import User
from apps.alerts.models import AlertSettings, Channel, Notice, Subscription
from apps.campaigns.models import Campaign, Enrolment, StepRun
from apps.cases.models import Case, CaseMailbox, CaseMailboxMessage, CaseRule, Outcome, Responsibility, RootCause
from apps.contacts.models import Company, Contact, LegalBasis, OptIn, Outreach, Preference
from apps.embed.models import EmbedSecret, Placement
from apps.incentives.models import Voucher, VoucherPool
from apps.integrations.models import Attempt, Delivery, Endpoint, Replay
from apps.integrations.services import create_api_key
from apps.messaging import frames
from apps.messaging.models import MailTemplate, OutgoingEmail, Sender, Suppression
from apps.messaging.suppressions import address_hash
from apps.responses.models import Answer, Response, Revision
from apps.surveys.models import Invitation, Question, Reminder, Survey, Website
from apps.touchpoints.models import Event, Stage, Touchpoint
from apps.transfers.models import Import
from apps.triggers.models import Cadence, Decision, DryRun, Segment, TriggerRule
from tests import factories

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TENANT = "nordwind.resonanz.test"
PUBLIC = "resonanz.test"


def client_for(user: User, host: str) -> Client:
    client = Client(headers={"host": host})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def admin_user(tenant: Any) -> User:
    return User.objects.create_superuser("chief", "chief@example.com")


@pytest.fixture
def client(admin_user: User) -> Client:
    """A superuser of nordwind, on its host."""
    return client_for(admin_user, TENANT)


@pytest.fixture
def operator(db: None) -> Client:
    """A superuser of the platform, on the public host."""
    with schema_context("public"):
        return client_for(User.objects.create_superuser("operator", "op@example.com"), PUBLIC)


def configure(number: int) -> tuple[Touchpoint, Survey, TriggerRule, Campaign]:
    """One of everything that is configured."""
    stage = Stage.objects.create(key=f"stage-{number}", name={"en": f"Stage {number}"})
    touchpoint = Touchpoint.objects.create(key=f"tp-{number}", name={"en": f"Place {number}"}, stage=stage)
    survey = Survey.objects.create(key=f"survey-{number}", name={"en": f"Survey {number}"})
    Question.objects.create(survey=survey, key="nps", kind="nps", text={"en": "How likely?"})
    Question.objects.create(survey=survey, key="speed", kind="rating", text={"en": "Speed?"})
    rule = TriggerRule.objects.create(name=f"Rule {number}", survey=survey)
    rule.touchpoints.add(touchpoint)
    segment = Segment.objects.create(key=f"segment-{number}", name=f"Segment {number}")
    Cadence.objects.create(name=f"Cadence {number}", survey=survey, segment=segment)
    DryRun.objects.create(title=f"Trial {number}", created_at=NOW)
    Import.objects.create(kind="contacts", status="done", file_name=f"list-{number}.csv", created_at=NOW)
    campaign = Campaign.objects.create(
        name=f"Campaign {number}", segment="promoter", survey=survey, touchpoint=touchpoint
    )
    factories.step(campaign, subject={"en": "Hi"}, body={"en": "Thanks"})
    Sender.objects.create(name=f"S{number}", email=f"s{number}@example.com")
    MailTemplate.objects.create(
        name=f"T{number}", purpose="invitation", subject={"en": "Hi"}, text={"en": "{{ link }}"}
    )
    create_api_key(name=f"Key {number}")
    Placement.objects.create(name=f"Placement {number}", touchpoint=touchpoint)
    Website.objects.create(origin=f"https://www{number}.example.com")
    EmbedSecret.objects.create(note=f"Secret {number}")
    User.objects.create_user(f"user-{number}")
    return touchpoint, survey, rule, campaign


def run_flow(number: int) -> None:
    """One row at every stage of the flow, each with neighbours of its own."""
    touchpoint, survey, rule, campaign = configure(number)
    company = Company.objects.create(name=f"Company {number}")
    contact = Contact.objects.create(email=f"c{number}@example.com", company=company)
    LegalBasis.objects.create(contact=contact, kind="consent", source="form", granted_at=NOW)
    OptIn.objects.create(
        contact=contact, email=contact.email, source="form", wording="Yes", reason=f"o{number}", requested_at=NOW
    )
    Preference.objects.create(contact=contact, changed_at=NOW)
    Outreach.objects.create(contact=contact, kind="invitation", reason=f"r{number}", at=NOW)
    event = Event.objects.create(touchpoint=touchpoint, contact=contact, occurred_at=NOW, received_at=NOW)
    mail = OutgoingEmail.objects.create(
        reason=f"m{number}", contact=contact, to_email=contact.email, from_header="x", subject="Hi",
        frame_id=frames.store([frames.VERBATIM])[frames.VERBATIM],
        values={"text": "Answer: https://nordwind.resonanz.test/s/SECRETTOKEN?score=9", "body_html": "<p>"},
        message_id=f"<{number}>",
        due_at=NOW, queued_at=NOW,
    )  # fmt: skip
    common = {"survey": survey, "touchpoint": touchpoint, "contact": contact}
    invitation = Invitation.objects.create(
        **common, event=event, reason=f"i{number}", send_at=NOW, give_up_at=NOW, created_at=NOW, email=mail
    )
    Reminder.objects.create(invitation=invitation, position=1, send_at=NOW, created_at=NOW)
    Decision.objects.create(
        event=event, rule=rule, contact=contact, invitation=invitation, status="scheduled", reason="ok", decided_at=NOW
    )
    response = Response.objects.create(
        **common, invitation=invitation, score=9, comment="Fine", answered_at=NOW, updated_at=NOW
    )
    Answer.objects.create(response=response, question=survey.questions.get(kind="rating"), value=4)
    Revision.objects.create(response=response, score=3, replaced_at=NOW)
    enrolment = Enrolment.objects.create(
        campaign=campaign, version=campaign.current_version, response=response, enrolled_at=NOW
    )
    StepRun.objects.create(enrolment=enrolment, step_key="s1", kind="email", due_at=NOW)
    owner = User.objects.get(username=f"user-{number}")
    Case.objects.create(response=response, contact=contact, owner=owner, opened_at=NOW, due_at=NOW + timedelta(days=2))
    box = CaseMailbox.objects.get_or_create(pk=1, defaults={"address": "a@example.com", "host": "x", "user": "a"})[0]
    CaseMailboxMessage.objects.create(mailbox=box, uid_validity=1, uid=number, state="aside", at=NOW)
    CaseRule.objects.create(name=f"Rule {number}", position=number, contact_segment=Segment.objects.latest("pk"))
    Responsibility.objects.create(user=owner, company=company)
    Outcome.objects.create(name={"en": f"Outcome {number}"})
    RootCause.objects.create(name={"en": f"Cause {number}"})
    pool = VoucherPool.objects.create(name=f"Pool {number}", value={"en": "5 €"})
    Voucher.objects.create(pool=pool, code=f"CODE-{number}")
    channel = Channel.objects.create(name=f"Channel {number}", url="https://chat.example/")
    Subscription.objects.create(user=owner, name="Detractors", channel=channel)
    AlertSettings.objects.create(user=owner)
    Notice.objects.create(channel=channel, kind="response", reason="r", path="/", due_at=NOW, created_at=NOW)
    Suppression.objects.create(
        address_hash=address_hash(f"x{number}@example.com"), email=f"x{number}@example.com", reason="unsubscribed",
        created_at=NOW,
    )  # fmt: skip
    endpoint = Endpoint.objects.create(url=f"https://hook{number}.example/")
    delivery = Delivery.objects.create(
        endpoint=endpoint, event_type="response.created", reason="r", payload={}, due_at=NOW, created_at=NOW
    )
    Attempt.objects.create(delivery=delivery, at=NOW, duration_ms=5)
    Replay.objects.create(endpoint=endpoint, since=NOW, until=NOW, total=1, created_at=NOW)
