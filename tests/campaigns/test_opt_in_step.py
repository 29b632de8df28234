"""The step that asks for consent: whom it asks, whom it skips and why."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.campaigns.models import StepRun
from apps.campaigns.services import enrol, run_steps
from apps.campaigns.versions import problems
from apps.common.ids import uuid7
from apps.contacts import preferences
from apps.contacts.models import ConsentPolicy, LegalBasis, OptIn
from apps.contacts.services import with_legal_basis
from apps.messaging.models import OutgoingEmail, Suppression
from apps.messaging.suppressions import suppress
from apps.responses.models import Response
from apps.surveys.consent_mails import ask_due
from apps.workspace.wording import skipped_in_words
from tests import factories
from tests.messaging.words import words

BASE = "http://nordwind.resonanz.test"


@pytest.fixture(autouse=True)
def step(tenant: Any) -> None:
    factories.theme()
    factories.step(
        factories.CampaignFactory(segment="promoter"), kind="opt_in",
        body={"en": "Yes, send me news.", "de": "Ja, schicken Sie mir Neues."},
    )  # fmt: skip


def respond(*, basis: dict[str, Any] | None = None, **contact: Any) -> Response:
    person = factories.ContactFactory(**{"email": "ada@x.example", "locale": "de", **contact})
    now = timezone.now()
    LegalBasis.objects.create(
        **{"contact": person, "kind": "consent", "source": "form", "granted_at": now, **(basis or {})}
    )
    return Response.objects.create(
        id=uuid7(), survey=factories.SurveyFactory(), touchpoint=factories.TouchpointFactory(), contact=person,
        score=9, answered_at=now, updated_at=now, follow_up_at=now,
    )  # fmt: skip


def run() -> tuple[str, str]:
    now = timezone.now()
    enrol(now=now)
    run_steps(now=now, base_url=BASE)
    ask_due(now=now, base_url=BASE)
    row = StepRun.objects.get()
    return row.status, row.reason


def test_a_contact_without_a_confirmed_consent_is_asked_in_its_language_and_counts_after_the_click() -> None:
    ConsentPolicy.objects.create(pk=1, requires_double_opt_in=True)
    contact = respond().contact
    assert contact is not None
    assert run() == ("done", "")
    mail, request = OutgoingEmail.objects.get(), OptIn.objects.get()
    assert "Ja, schicken Sie mir Neues." in words(mail).text
    assert (mail.to_email, mail.needs_legal_basis, request.source) == ("ada@x.example", False, "campaign:Follow-up")
    assert with_legal_basis(contact_ids=[contact.id]) == set()
    link = words(mail).text.split(BASE)[1].split()[0]
    assert Client(headers={"host": "nordwind.resonanz.test"}).post(link).status_code == 200
    assert with_legal_basis(contact_ids=[contact.id]) == {contact.id}


def test_a_run_asks_once_however_often_it_is_worked_on() -> None:
    respond()
    run()
    StepRun.objects.update(status="pending")
    run()
    assert OutgoingEmail.objects.count() == 1


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        ({"basis": {"confirmed_at": timezone.now()}}, "already_confirmed"),
        ({"basis": {"revoked_at": timezone.now()}}, "no_legal_basis"),
        ({"email": None}, "no_address"),
    ],
)
def test_who_need_not_or_must_not_be_asked_is_skipped_with_the_reason(make: dict[str, Any], reason: str) -> None:
    respond(**make)
    assert run() == ("skipped", reason)
    assert not OptIn.objects.exists()
    assert str(skipped_in_words(reason)) != reason


def test_who_left_is_skipped() -> None:
    respond()
    suppress(emails=["ada@x.example"], reason=Suppression.Reason.UNSUBSCRIBED, source="t", now=timezone.now())
    assert run() == ("skipped", "suppressed")


def test_who_wants_no_mails_that_follow_is_skipped() -> None:
    contact = respond().contact
    assert contact is not None
    preferences.change(
        contact_id=contact.id, wants_surveys=True, wants_follow_ups=False, min_days_between=None, now=timezone.now()
    )
    assert run() == ("skipped", "preference")


def test_a_step_without_words_to_agree_to_is_refused() -> None:
    [problem] = problems(
        document={"steps": [{"key": "s1", "kind": "opt_in", "body": {"en": " "}}]}, stops_on_response=True
    )
    assert (problem.key, problem.code, problem.params) == ("s1", "missing", {"name": "body"})


def test_what_is_agreed_to_is_the_same_for_everybody_and_takes_no_variables() -> None:
    steps = [{"key": "s1", "kind": "opt_in", "body": {"en": "Yes, write to {{ name }}"}}]
    [problem] = problems(document={"steps": steps}, stops_on_response=True)
    assert problem.code == "unknown_variable"
