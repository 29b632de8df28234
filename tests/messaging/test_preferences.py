"""What contacts wish to get, and how often: chosen without signing in, kept by everything that decides or sends."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.campaigns.models import StepRun
from apps.campaigns.services import enrol, run_steps
from apps.common.ids import uuid7
from apps.contacts import ledger, preferences
from apps.contacts.models import Contact, ContactBudget, LegalBasis, Outreach, Preference
from apps.messaging.links import unsubscribe_url
from apps.messaging.models import OutgoingEmail, Suppression
from apps.responses.models import Response
from apps.surveys.models import Invitation
from apps.surveys.services import dispatch_due
from apps.touchpoints.models import Event, Touchpoint
from apps.triggers import dry_runs, versions
from apps.triggers.models import Decision, TriggerRule
from apps.triggers.services import evaluate_events
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")
BASE = "http://nordwind.resonanz.test"
DAY = timedelta(days=1)
EVERYTHING = {"surveys": "1", "follow_ups": "1", "every": ""}

UNCHECKED = re.compile(r'name="surveys"\s+value="1">')


@pytest.fixture
def client() -> Client:
    return Client(headers={"host": "nordwind.resonanz.test", "accept-language": "en"}, enforce_csrf_checks=True)


@pytest.fixture
def contact() -> Contact:
    """Somebody we may write to, and a rule that would."""
    factories.house(delay=timedelta(0))
    ContactBudget.objects.create(pk=1, min_days_between=10)
    row = factories.ContactFactory(external_id="k1", email="ada@x.example", locale="de")
    LegalBasis.objects.create(contact=row, kind="consent", source="t", granted_at=timezone.now() - 90 * DAY)
    return row


def wish(contact: Contact, **values: Any) -> None:
    known = {"wants_surveys": True, "wants_follow_ups": True, "min_days_between": None, **values}
    preferences.change(contact_id=contact.id, now=timezone.now() - DAY, **known)


def happen() -> Decision:
    factories.EventFactory(contact_data={"external_id": "k1", "email": "ada@x.example"})
    evaluate_events(now=timezone.now())
    return Decision.objects.latest("decided_at")


def approached(days_ago: float) -> None:
    Outreach.objects.create(
        contact=Contact.objects.get(), kind="invitation", reason=f"old:{days_ago}", state="spent",
        at=timezone.now() - days_ago * DAY,
    )  # fmt: skip


# --- the page ---


def test_the_page_speaks_the_contacts_language_and_tells_the_right_to_object(client: Client, contact: Contact) -> None:
    page = client.get(unsubscribe_url(contact.id, "")).content.decode()
    assert '<html lang="de">' in page
    assert "§7 (3)" in page or "§ 7 Abs. 3" in page
    assert 'href="https://nordwind.example/imprint"' in page
    assert "Nordwind" in page


def test_a_choice_is_kept_and_shown_and_looking_writes_nothing(client: Client, contact: Contact) -> None:
    path = unsubscribe_url(contact.id, "")
    for method in (client.get, client.head):
        assert method(path).status_code == 200
        assert method(f"{path}/preferences").status_code == 405
    assert not Preference.objects.exists()
    answer = client.post(f"{path}/preferences", {"follow_ups": "1", "every": "90"})
    assert (answer.status_code, answer["Location"]) == (303, f"{path}?saved")
    row = Preference.objects.get()
    assert (row.wants_surveys, row.wants_follow_ups, row.min_days_between) == (False, True, 90)
    page = client.get(answer["Location"]).content.decode()
    assert 'value="90" checked' in page
    assert UNCHECKED.search(page)
    assert 'role="status"' in page
    assert not Suppression.objects.exists()


def test_a_time_that_is_none_is_told_and_the_rest_of_the_form_kept(client: Client, contact: Contact) -> None:
    path = unsubscribe_url(contact.id, "") + "/preferences"
    answer = client.post(path, {"follow_ups": "1", "every": "7"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'role="alert"' in page
    assert UNCHECKED.search(page)
    assert not Preference.objects.exists()


def test_a_forged_link_changes_nobodys_wishes(client: Client, contact: Contact) -> None:
    good = unsubscribe_url(contact.id, "")
    for bad in (good[:-1] + ("A" if good[-1] != "A" else "B"), "/mail/u/x", f"/mail/u/{contact.id}"):
        for end in ("/preferences", "/again"):
            assert client.post(bad + end, EVERYTHING).status_code == 404
    assert not Preference.objects.exists()


# --- what decides keeps to it ---


def test_who_wants_no_surveys_is_not_asked(contact: Contact) -> None:
    wish(contact, wants_surveys=False)
    decision = happen()
    assert (decision.status, decision.reason) == ("blocked", "preference")


def test_who_wants_them_less_often_is_asked_later(contact: Contact) -> None:
    approached(20)
    wish(contact, min_days_between=30)
    decision = happen()
    assert (decision.status, decision.reason) == ("deferred", "preference_gap")
    assert decision.until is not None
    assert (decision.until - timezone.now()) / DAY == pytest.approx(10, abs=0.1)


def test_who_wants_them_as_rarely_as_the_tenant_sends_waits_for_the_tenants_budget(contact: Contact) -> None:
    approached(20)
    ContactBudget.objects.update(min_days_between=30)
    wish(contact, min_days_between=30)
    assert happen().reason == "budget"


def test_a_rules_exception_from_the_budget_is_none_from_the_contacts_wish(contact: Contact) -> None:
    approached(20)
    wish(contact, min_days_between=365)
    Touchpoint.objects.update(exception_days=1, beyond_caps=True)
    assert happen().reason == "preference_gap_too_late"


@pytest.mark.parametrize(
    ("wishes", "status", "reason"),
    [
        ({"wants_surveys": False}, "revoked", "preference"),
        ({"min_days_between": 365}, "expired", "preference_gap_too_late"),
    ],
)
def test_what_is_wished_after_deciding_holds_at_dispatch(
    contact: Contact, wishes: dict[str, Any], status: str, reason: str
) -> None:
    happen()
    approached(20)
    wish(contact, **wishes)
    dispatch_due(now=timezone.now() + timedelta(seconds=1), base_url=BASE)
    row = Invitation.objects.get()
    assert (row.status, row.status_reason) == (status, reason)
    assert not OutgoingEmail.objects.exists()


def test_a_dry_run_over_the_past_agrees_from_the_day_of_the_wish(contact: Contact) -> None:
    now = timezone.now()
    for days in (20, 5):
        factories.EventFactory(
            occurred_at=now - days * DAY, contact=contact, status="decided",
            contact_data={"external_id": "k1", "email": "ada@x.example"},
        )  # fmt: skip
    wish(contact, wants_surveys=False)
    Preference.objects.update(changed_at=now - 10 * DAY)
    versions.record(rules=list(TriggerRule.objects.select_related("survey")), now=now)
    run = dry_runs.start(title="try", days=30, now=now)
    dry_runs.run_next(now=now, clock=timezone.now)
    run.refresh_from_db()
    assert run.error == ""
    found = [part["reasons"] for part in run.result.values() if isinstance(part, dict) and "reasons" in part]
    reasons = {(status, reason): count for part in found for status, reason, count in part}
    assert reasons == {("scheduled", "ok"): 1, ("blocked", "preference"): 1}
    assert Event.objects.count() == 2


def test_who_wants_no_mails_that_follow_gets_no_campaigns_mail_but_surveys(contact: Contact) -> None:
    wish(contact, wants_follow_ups=False)
    now = timezone.now()
    Response.objects.create(
        id=uuid7(), survey=factories.SurveyFactory(), contact=contact, score=9, answered_at=now, updated_at=now,
        follow_up_at=now,
    )  # fmt: skip
    enrol(now=now)
    run_steps(now=now, base_url=BASE)
    run = StepRun.objects.get()
    assert (run.status, run.reason) == ("skipped", "preference")
    assert happen().status == "scheduled"


def test_wishes_cost_one_query_for_any_number_of_contacts(django_assert_num_queries: Any) -> None:
    rows = [factories.ContactFactory() for _ in range(20)]
    for row in rows:
        wish(row, wants_surveys=False)
    policy = ledger.current_policy()
    for some in (rows[:2], rows):
        with django_assert_num_queries(3):
            found = ledger.persons(some, with_basis=(), suppressed=(), policy=policy)
        assert all(person.refuses == {"surveys"} for person in found.values())
