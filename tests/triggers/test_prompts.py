"""A page asks whether it may ask."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.contacts.models import Contact, ContactBudget, Outreach
from apps.surveys.models import Invitation
from apps.touchpoints.models import Touchpoint
from apps.triggers import prompts, services
from apps.triggers.models import Decision
from apps.triggers.prompts import Visitor, decline, may_show
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")


@pytest.fixture
def page(tenant: Any) -> Touchpoint:
    ContactBudget.objects.create(pk=1, min_days_between=14, days_after_decline=60)
    touchpoint = factories.TouchpointFactory(key="product_page", legal_basis="")
    factories.TriggerRuleFactory(
        touchpoints=[touchpoint],
        delay=timedelta(days=3),
        condition={"field": "event.path", "op": "eq", "value": "/shoes"},
    )
    return touchpoint


def ask(page: Touchpoint, visitor: Visitor, path: str = "/shoes", **later: float) -> prompts.Prompt:
    return may_show(
        touchpoint=page, visitor=visitor, properties={"path": path}, now=timezone.now() + timedelta(**later)
    )


KNOWN = Visitor(contact={"external_id": "ada"})
AGREED = Visitor(visitor_id="v-1", consent=True)


@pytest.mark.parametrize("visitor", [KNOWN, AGREED])
def test_a_visitor_is_asked_once_and_it_counts_against_the_budget(page: Touchpoint, visitor: Visitor) -> None:
    first = ask(page, visitor)
    assert (first.show, first.why) == (True, "ok")
    assert first.survey_id is not None
    row = Outreach.objects.get()
    assert (row.kind, row.state, row.reason) == ("web_prompt", "spent", first.reason)
    second = ask(page, visitor)
    assert (second.show, second.why) == (False, "budget")
    assert ask(page, visitor, days=15).show
    assert not Invitation.objects.exists()


def test_without_consent_nothing_is_stored_and_nothing_counted(page: Touchpoint) -> None:
    stranger = Visitor(visitor_id="v-1", consent=False)
    assert ask(page, stranger).show
    assert ask(page, stranger).show
    assert not Contact.objects.exists()
    assert not Outreach.objects.exists()
    assert ask(page, stranger).contact_id is None


def test_the_pages_own_properties_decide(page: Touchpoint) -> None:
    shown = ask(page, KNOWN, path="/hats")
    assert (shown.show, shown.why) == (False, "condition")
    assert not Outreach.objects.exists()
    other = factories.TouchpointFactory(key="other")
    assert ask(other, KNOWN).why == "no_rule"


def test_a_closed_question_gives_the_contact_rest(page: Touchpoint) -> None:
    shown = ask(page, KNOWN)
    decline(reason=shown.reason, now=timezone.now())
    assert ask(page, KNOWN, days=20).why == "budget_too_late"
    assert ask(page, KNOWN, days=61).show


def test_a_page_and_a_mail_share_one_budget(page: Touchpoint) -> None:
    factories.TriggerRuleFactory(name="mail", delay=timedelta(days=1), expires_after=timedelta(days=30))
    shown = ask(page, KNOWN)
    factories.EventFactory(contact_data={"external_id": "ada", "email": "ada@x.example"})
    services.evaluate_events(now=timezone.now())
    mail = Decision.objects.get()
    assert shown.show
    assert (mail.status, mail.reason) == ("deferred", "budget")
