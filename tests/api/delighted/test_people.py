"""People sent in, decided about at once; listed; erased."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.contacts.models import Contact, ContactBudget, LegalBasis, Outreach
from apps.messaging import suppressions
from apps.messaging.models import MailPolicy, OutgoingEmail
from apps.responses.models import Response
from apps.surveys import services as surveys
from apps.surveys.models import Invitation
from apps.touchpoints.models import Event
from apps.triggers import delighted
from apps.triggers import services as triggers
from apps.triggers.models import Decision, DelightedConnection
from tests import factories
from tests.api.delighted.conftest import Caller

ADA = {"email": "Ada@Example.com", "name": "Ada Lovelace"}


def close(seconds: int | None, at: datetime) -> bool:
    return seconds is not None and abs(seconds - at.timestamp()) < 5


def sent(caller: Caller, **body: Any) -> dict[str, Any]:
    answer = caller.json("POST", "/v1/people.json", {**ADA, **body})
    assert answer.status_code in (200, 201), answer.content
    return dict(answer.json())


def test_a_person_sent_in_is_asked_through_the_ordinary_rule(caller: Caller, connection: DelightedConnection) -> None:
    answer = caller.json("POST", "/v1/people.json", {**ADA, "properties": {"Plan": "basic", "Locale": "de-DE"}})
    assert answer.status_code == 201
    person = answer.json()
    contact = Contact.objects.get(email="ada@example.com")
    assert person["id"] == str(contact.id)
    assert (person["email"], person["name"]) == ("ada@example.com", "Ada Lovelace")
    assert person["properties"] == {"Plan": "basic", "Locale": "de-DE"}
    assert close(person["survey_scheduled_at"], timezone.now())
    invitation = Invitation.objects.get()
    assert (invitation.contact, invitation.survey, invitation.status) == (contact, connection.survey, "scheduled")
    event = Event.objects.get()
    assert (event.source, event.status, event.touchpoint.key) == ("delighted", "decided", "delighted")
    assert event.properties == {"Plan": "basic", "locale": "de-DE"}
    assert (contact.locale, contact.properties["Plan"]) == ("de-DE", "basic")
    basis = LegalBasis.objects.get()
    assert (basis.kind, basis.source) == ("existing_customer", "delighted")
    assert basis.wording == "Notice in the shop's order form, since May 2024"
    surveys.dispatch(now=timezone.now(), base_url="http://nordwind.resonanz.test")
    assert OutgoingEmail.objects.get().to_email == "ada@example.com"


def test_sending_a_person_in_costs_a_fixed_number_of_queries(caller: Caller, connection: DelightedConnection) -> None:
    factories.ContactFactory.create_batch(20)
    sent(caller, email="eve@example.com")
    with CaptureQueriesContext(database) as found:
        sent(caller, delay=60, properties={"Plan": "basic"})
    assert len(found) <= 60, len(found)


def test_a_delay_is_added_to_the_rules_wait(caller: Caller, connection: DelightedConnection) -> None:
    connection.rule.delay = timedelta(hours=2)
    connection.rule.save()
    person = sent(caller, delay=86_400)
    assert close(person["survey_scheduled_at"], timezone.now() + timedelta(hours=26))
    later = sent(caller, email="eve@example.com", delay=3600.75)
    assert close(later["survey_scheduled_at"], timezone.now() + timedelta(hours=3))
    assert caller.json("POST", "/v1/people", {**ADA, "delay": 400 * 86_400}).status_code == 422


def test_who_was_asked_lately_is_not_asked_again_not_even_later(
    caller: Caller, connection: DelightedConnection
) -> None:
    first, second = sent(caller), sent(caller)
    assert first["id"] == second["id"]
    assert first["survey_scheduled_at"] is not None
    assert second["survey_scheduled_at"] is None
    assert Invitation.objects.count() == 1
    assert list(Decision.objects.order_by("id").values_list("status", flat=True)) == ["scheduled", "skipped"]


def test_a_time_of_asking_elsewhere_counts_against_the_budget(caller: Caller, connection: DelightedConnection) -> None:
    lately = int((timezone.now() - timedelta(days=2)).timestamp())
    assert sent(caller, last_sent_at=lately)["survey_scheduled_at"] is None
    assert Outreach.objects.get().state == "spent"
    [row] = caller.get("/v1/people")
    assert row["last_sent_at"] == lately
    long_ago = lately - 86_400 * 90
    assert sent(caller, last_sent_at=long_ago)["survey_scheduled_at"] is not None


def test_nobody_is_asked_past_suppression_basis_or_switch(caller: Caller, connection: DelightedConnection) -> None:
    suppressions.suppress(emails=["ada@example.com"], reason="unsubscribed", source="test", now=timezone.now())
    assert sent(caller)["survey_scheduled_at"] is None
    assert Decision.objects.get().reason == "suppressed"
    connection.legal_basis = ""
    connection.save()
    assert sent(caller, email="eve@example.com")["survey_scheduled_at"] is None
    assert Decision.objects.latest("id").reason == "no_legal_basis"
    connection.touchpoint.is_active = False
    connection.touchpoint.save()
    assert sent(caller, email="fay@example.com")["survey_scheduled_at"] is None
    DelightedConnection.objects.update(is_active=False)
    assert sent(caller, email="gil@example.com")["survey_scheduled_at"] is None
    assert not Invitation.objects.exists()


def test_an_objection_is_not_undone_by_sending_the_person_in_again(
    caller: Caller, connection: DelightedConnection
) -> None:
    contact = factories.ContactFactory(email="ada@example.com")
    ended = {"granted_at": timezone.now(), "revoked_at": timezone.now()}
    LegalBasis.objects.create(contact=contact, kind="consent", source="newsletter", **ended)
    DelightedConnection.objects.update(legal_basis="consent")
    assert sent(caller)["survey_scheduled_at"] is None
    assert LegalBasis.objects.filter(revoked_at=None).count() == 0


def test_who_left_is_not_asked_at_another_address_either(caller: Caller, connection: DelightedConnection) -> None:
    MailPolicy.objects.update_or_create(pk=1, defaults={"sms_use": MailPolicy.SmsUse.PREFERRED})
    for number, later in enumerate(
        (
            [{"email_update": "new0@example.com"}],
            [{"email_update": "new1@example.com", "send": False}, {"email": "new1@example.com"}],
            [{"phone_number": "+491701234567"}],
        )
    ):
        email = f"left{number}@example.com"
        sent(caller, email=email, send=False)  # There is no legal basis yet that could end.
        caller.json("POST", "/v1/unsubscribes", {"person_email": email})
        answers = [sent(caller, **{"email": email, **body}) for body in later]
        assert answers[-1]["survey_scheduled_at"] is None, later
    assert not LegalBasis.objects.filter(revoked_at=None).exists()
    assert not Invitation.objects.exists()
    # Whoever only shares the telephone is somebody else.
    sent(caller, email="one@example.com", phone_number="+491701234569", send=False)
    caller.json("POST", "/v1/unsubscribes", {"person_email": "one@example.com"})
    assert sent(caller, email="two@example.com", phone_number="+491701234569")["survey_scheduled_at"] is not None


def test_without_a_connection_people_are_only_taken_in(caller: Caller) -> None:
    assert sent(caller)["survey_scheduled_at"] is None
    assert Contact.objects.count() == 1
    assert not Event.objects.exists()


def test_not_to_send_only_takes_the_person_in(caller: Caller, connection: DelightedConnection) -> None:
    assert sent(caller, send=False)["survey_scheduled_at"] is None
    assert caller.raw("POST", "/v1/people", b"email=ada@example.com&send=false").status_code == 200
    assert not Event.objects.exists()


def test_what_cannot_be_decided_now_is_left_to_the_workers(
    caller: Caller, connection: DelightedConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**kwargs: Any) -> int:
        raise RuntimeError("made for this test")

    monkeypatch.setattr(delighted, "evaluate_events", broken)
    assert sent(caller)["survey_scheduled_at"] is None
    assert Event.objects.get().status == "pending"
    triggers.evaluate_events(now=timezone.now())
    assert Invitation.objects.count() == 1


def test_a_person_may_have_a_number_only(caller: Caller, connection: DelightedConnection) -> None:
    answers = [
        caller.json("POST", "/v1/people", {"phone_number": "+49 170 1234567", "properties": {"n": 1}}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 200]
    person = answers[1].json()
    assert (person["phone_number"], person["email"]) == ("+491701234567", None)
    assert person["survey_scheduled_at"] is None  # No text messages are sent yet.
    MailPolicy.objects.update_or_create(pk=1, defaults={"sms_use": MailPolicy.SmsUse.WITHOUT_EMAIL})
    ContactBudget.objects.update_or_create(pk=1, defaults={"min_days_between": 0})
    asked = caller.json("POST", "/v1/people", {"phone_number": "+491701234567", "channel": "sms"}).json()
    assert asked["survey_scheduled_at"] is not None
    by_mail = sent(caller, phone_number="+491701234568", channel="sms")
    assert by_mail["survey_scheduled_at"] is None, "nobody is written to by another channel than was asked for"
    assert caller.json("POST", "/v1/people", {"email": "x@example.com", "channel": "sms"}).status_code == 422
    assert not Contact.objects.filter(email="x@example.com").exists()


def test_an_address_changes_where_nobody_else_has_it(caller: Caller) -> None:
    first = sent(caller, send=False)
    moved = sent(caller, send=False, email_update="countess@example.com", phone_number_update="+491701234567")
    assert (moved["id"], moved["email"], moved["phone_number"]) == (
        first["id"], "countess@example.com", "+491701234567",
    )  # fmt: skip
    sent(caller, send=False)
    taken = caller.json("POST", "/v1/people", {**ADA, "send": False, "email_update": "countess@example.com"})
    assert taken.json()["errors"] == {"email_update": ["has already been taken"]}


def test_special_properties_are_known_however_they_are_written(caller: Caller) -> None:
    told = {
        "Question Product Name": "Nordwind One",
        "delighted_email_subject": "A question",
        "DelightedIntroMessage": "Hello",
        "LOCALE": "de",
        "Thank you message": "Thanks",
        "Plan": "basic",
    }
    assert sent(caller, send=False, properties=told)["properties"] == told
    contact = Contact.objects.get()
    assert contact.locale == "de"
    assert contact.properties == {
        "question_product_name": "Nordwind One",
        "delighted_email_subject": "A question",
        "delighted_intro_message": "Hello",
        "locale": "de",
        "thank_you_message": "Thanks",
        "Plan": "basic",
    }
    sent(caller, send=False, properties={"locale": "no such language at all"})
    assert Contact.objects.get().locale == "de"


def test_people_are_listed_with_their_times_in_a_fixed_number_of_queries(
    caller: Caller, connection: DelightedConnection
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            database,
        ) as found:
            caller.get("/v1/people?per_page=100")
        return len(found)

    person = sent(caller)
    Response.objects.create(
        contact_id=person["id"],
        survey=connection.survey,
        score=9,
        answered_at=timezone.now(),
        updated_at=timezone.now(),
    )
    few = queries()
    for n in range(30):
        factories.ContactFactory(phone=f"+4917012345{n:02}")
    assert queries() == few
    [row] = caller.get("/v1/people?email=ADA@example.com")
    assert list(row) == [
        "id", "name", "email", "phone_number", "created_at", "last_sent_at", "last_responded_at",
        "next_survey_scheduled_at",
    ]  # fmt: skip
    assert row["next_survey_scheduled_at"] == person["survey_scheduled_at"]
    assert close(row["last_responded_at"], timezone.now())
    assert row["last_sent_at"] is None
    assert len(caller.get("/v1/people?phone_number=%2B491701234507")) == 1
    now = row["created_at"]
    assert caller.get(f"/v1/people?until={now - 60}") == caller.get(f"/v1/people?since={now + 3600}") == []
    assert len(caller.get(f"/v1/people?since={now}&until={now}&email=ada@example.com")) == 1


def test_pending_requests_are_taken_back(caller: Caller, connection: DelightedConnection) -> None:
    sent(caller)
    path = "/v1/people/ada%40example.com/survey_requests/pending".replace("%40", "@")
    assert caller.raw("DELETE", path).json() == {"ok": True}
    assert Invitation.objects.get().status == "revoked"
    assert Outreach.objects.get().state == "released"
    assert sent(caller)["survey_scheduled_at"] is not None, "the budget was given back"
    surveys.dispatch(now=timezone.now(), base_url="http://nordwind.resonanz.test")
    assert caller.raw("DELETE", path + ".json", b"{}", "application/json").status_code == 200
    assert OutgoingEmail.objects.get().status == "revoked"
    nobody = path.replace("ada", "nobody")
    assert caller.raw("DELETE", nobody).json() == {"ok": True}


def test_who_left_or_bounced_is_listed_oldest_first(caller: Caller, connection: DelightedConnection) -> None:
    person = sent(caller)
    assert caller.json("POST", "/v1/unsubscribes.json", {"person_email": "ADA@example.com"}).json() == {"ok": True}
    assert caller.json("POST", "/v1/unsubscribes.json", {"person_email": "new@example.com"}).json() == {"ok": True}
    assert LegalBasis.objects.filter(revoked_at=None).count() == 0
    now = timezone.now()
    suppressions.suppress(emails=["old@example.com"], reason="bounced", source="test", now=now - timedelta(days=9))
    suppressions.suppress(emails=["odd@example.com"], reason="bounced", source="test", now=now)
    suppressions.suppress(emails=["+491701234567"], reason="unsubscribed", source="STOP", now=now)
    first, second = caller.get("/v1/unsubscribes")
    assert (first["person_id"], first["email"], first["name"]) == (person["id"], "ada@example.com", "Ada Lovelace")
    assert close(first["unsubscribed_at"], now)
    assert (second["email"], second["name"]) == ("new@example.com", None)
    assert isinstance(second["person_id"], str)
    assert [row["email"] for row in caller.get("/v1/bounces.json")] == ["old@example.com", "odd@example.com"]
    since = int((now - timedelta(days=1)).timestamp())
    assert [row["email"] for row in caller.get(f"/v1/bounces?since={since}")] == ["odd@example.com"]
    assert [row["email"] for row in caller.get(f"/v1/bounces?until={since}&page=1")] == ["old@example.com"]
    assert set(caller.get("/v1/bounces")[0]) == {"person_id", "email", "name", "bounced_at"}
