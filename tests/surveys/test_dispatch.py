from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from apps.contacts.models import Contact, ContactBudget, LegalBasis, Outreach
from apps.messaging.models import OutgoingEmail, Suppression
from apps.messaging.suppressions import suppress
from apps.surveys import mails, services
from apps.surveys.models import Invitation
from apps.surveys.services import dispatch_due
from apps.triggers.services import evaluate_events
from tests import factories
from tests.messaging.words import words

pytestmark = pytest.mark.usefixtures("tenant")
BASE = "http://nordwind.resonanz.test"


@pytest.fixture
def invitation() -> Invitation:
    factories.house(delay=timedelta(0))
    factories.EventFactory()
    evaluate_events(now=timezone.now())
    return Invitation.objects.get()


def dispatch(after: timedelta = timedelta(seconds=1)) -> Invitation:
    dispatch_due(now=timezone.now() + after, base_url=BASE)
    return Invitation.objects.get()


def test_a_due_invitation_becomes_a_mail_and_spends_its_place(invitation: Invitation) -> None:
    row = dispatch()
    assert (row.status, row.status_reason) == ("queued", "")
    mail = OutgoingEmail.objects.get()
    assert row.email == mail
    assert words(mail).text.count(f"{BASE}/s/") == 11
    assert Outreach.objects.get().state == "spent"


def test_only_the_tokens_hash_is_stored(invitation: Invitation) -> None:
    row = dispatch()
    token = words(OutgoingEmail.objects.get()).text.split("/s/")[1].split("?")[0]
    assert len(token) == 32
    assert len(bytes(row.token_hash)) == 32
    assert token.encode() not in bytes(row.token_hash)


def test_who_unsubscribed_meanwhile_is_not_mailed(invitation: Invitation) -> None:
    assert invitation.contact is not None
    assert invitation.contact.email
    suppress(
        emails=[invitation.contact.email], reason=Suppression.Reason.UNSUBSCRIBED, source="test", now=timezone.now()
    )
    row = dispatch()
    assert (row.status, row.status_reason) == ("revoked", "suppressed")
    assert not OutgoingEmail.objects.exists()
    assert Outreach.objects.get().state == "released"


def test_who_took_back_the_consent_is_not_mailed(invitation: Invitation) -> None:
    LegalBasis.objects.update(revoked_at=timezone.now())
    assert dispatch().status_reason == "no_legal_basis"


def test_a_contact_that_is_gone_is_not_mailed(invitation: Invitation) -> None:
    Contact.objects.all().delete()
    assert dispatch().status_reason == "contact_gone"


def test_an_inactive_survey_is_not_sent(invitation: Invitation) -> None:
    invitation.survey.is_active = False
    invitation.survey.save()
    assert dispatch().status == "expired"


def test_what_came_too_late_expires(invitation: Invitation) -> None:
    row = dispatch(after=timedelta(days=60))
    assert (row.status, row.status_reason) == ("expired", "too_old")


def test_another_approach_meanwhile_moves_the_invitation(invitation: Invitation) -> None:
    ContactBudget.objects.create(pk=1, min_days_between=7)
    assert invitation.contact is not None
    now = timezone.now()
    Outreach.objects.create(contact=invitation.contact, kind="web_prompt", reason="w", at=now, state="spent")
    row = dispatch()
    assert (row.status, row.status_reason) == ("scheduled", "budget")
    assert row.send_at == now + timedelta(days=7)
    assert Outreach.objects.get(kind="invitation").at == row.send_at


def test_fifty_invitations_cost_as_many_queries_as_five(django_assert_max_num_queries: Any) -> None:
    factories.house(delay=timedelta(0))
    for count in (5, 50):
        factories.EventFactory.create_batch(count)
        evaluate_events(now=timezone.now())
        with django_assert_max_num_queries(27):
            assert dispatch_due(now=timezone.now() + timedelta(seconds=1), base_url=BASE) == count


def test_one_alone_is_dispatched_with_or_without_its_contact() -> None:
    factories.house(delay=timedelta(0))
    factories.EventFactory.create_batch(3)
    evaluate_events(now=timezone.now())
    gone, one, other = Invitation.objects.order_by("send_at", "id")
    Contact.objects.filter(pk=gone.contact_id).delete()
    now = timezone.now() + timedelta(seconds=1)
    for row, fate in ((one, "queued"), (gone, "revoked")):
        assert dispatch_due(now=now, base_url=BASE, only=row.id) == 1
        row.refresh_from_db()
        assert row.status == fate
    assert dispatch_due(now=now, base_url=BASE, only=one.id) == 0
    other.refresh_from_db()
    assert other.status == "scheduled"


def test_a_touchpoint_switched_off_stops_what_it_scheduled(invitation: Invitation) -> None:
    assert invitation.touchpoint is not None
    invitation.touchpoint.is_active = False
    invitation.touchpoint.save()
    row = dispatch()
    assert (row.status, row.status_reason) == ("revoked", "touchpoint_inactive")


def test_an_invitation_that_breaks_lets_its_neighbours_through(monkeypatch: pytest.MonkeyPatch) -> None:
    factories.house(delay=timedelta(0))
    factories.EventFactory.create_batch(3)
    evaluate_events(now=timezone.now())
    poison = Contact.objects.order_by("id")[1].id
    whole = mails.unsubscribe_url

    def break_on_poison(contact_id: UUID, base_url: str) -> str:
        if contact_id == poison:
            raise ZeroDivisionError("poison")
        return whole(contact_id, base_url)

    monkeypatch.setattr(mails, "unsubscribe_url", break_on_poison)
    now = timezone.now() + timedelta(seconds=1)
    services.dispatch(now=now, base_url=BASE)
    assert services.dispatch(now=now, base_url=BASE) == 0
    assert Invitation.objects.filter(status="queued").count() == 2
    left = Invitation.objects.get(status="scheduled")
    assert (left.contact_id, left.status_reason, left.send_at) == (poison, "error", now + timedelta(hours=1))


def test_a_mail_asks_the_surveys_first_question_whatever_its_kind(tenant: Any) -> None:
    factories.house()
    survey = factories.SurveyFactory(key="effort")
    survey.questions.all().delete()
    text = {"en": "It was easy to get help.", "de": "Hilfe zu bekommen war einfach."}
    survey.questions.create(key="effort", kind="ces", text=text, low_label={"de": "gar nicht"})
    contact = factories.ContactFactory(locale="de")
    row = Invitation(survey=survey, contact=contact, touchpoint=None)
    [mail] = mails.invitation_mails([(row, "token")], base_url="https://x.test")
    assert "Hilfe zu bekommen war einfach." in words(mail).text
    assert "gar nicht" in words(mail).text
    assert "7: https://x.test/s/token?score=7" in words(mail).text
    assert "score=0" not in words(mail).html
    assert "score=8" not in words(mail).html
