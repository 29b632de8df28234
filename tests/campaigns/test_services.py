from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.campaigns.models import Enrolment, StepRun
from apps.campaigns.services import enrol, run_due, run_steps
from apps.campaigns.steps import email
from apps.common.ids import uuid7
from apps.contacts.models import LegalBasis, Outreach
from apps.messaging.models import OutgoingEmail, Suppression
from apps.messaging.suppressions import suppress
from apps.responses.models import Response
from apps.responses.services import Submission, submit
from apps.surveys.models import Invitation
from apps.surveys.services import dispatch_due
from apps.triggers.models import Segment
from apps.triggers.services import evaluate_events
from tests import factories
from tests.messaging.words import words

pytestmark = pytest.mark.usefixtures("tenant")
BASE = "http://nordwind.resonanz.test"


def respond(score: int | None, comment: str = "", **contact: Any) -> Response:
    person = factories.ContactFactory(**contact)
    LegalBasis.objects.create(contact=person, kind="consent", source="test", granted_at=timezone.now())
    return Response.objects.create(
        id=uuid7(),
        survey=factories.SurveyFactory(),
        touchpoint=factories.TouchpointFactory(),
        contact=person,
        score=score,
        comment=comment,
        answered_at=timezone.now(),
        updated_at=timezone.now(),
        follow_up_at=timezone.now(),
    )


def follow_up(after: timedelta = timedelta(seconds=1)) -> None:
    now = timezone.now() + after
    enrol(now=now)
    run_steps(now=now, base_url=BASE)


@pytest.fixture
def campaigns() -> None:
    factories.theme()
    for segment in ("promoter", "passive", "detractor"):
        factories.step(factories.CampaignFactory(name=segment, segment=segment), subject={"en": f"To a {segment}"})


@pytest.mark.parametrize(("score", "segment"), [(10, "promoter"), (8, "passive"), (6, "detractor")])
def test_each_segment_gets_its_own_mail(campaigns: None, score: int, segment: str) -> None:
    respond(score, "Words")
    follow_up()
    mail = OutgoingEmail.objects.get()
    assert mail.subject == f"To a {segment}"
    assert f"You gave {score} for Order received." in words(mail).text
    assert Outreach.objects.get().kind == "follow_up"


def test_without_a_comment_the_mail_asks_for_more(campaigns: None) -> None:
    respond(3)
    follow_up()
    mail = OutgoingEmail.objects.get()
    assert (mail.subject, "Why 3?" in words(mail).text) == ("Tell us more", True)


def test_the_mail_speaks_the_contacts_language(campaigns: None) -> None:
    respond(3, locale="de")
    follow_up()
    assert OutgoingEmail.objects.get().subject == "Erzählen Sie mehr"


def test_a_campaign_for_the_touchpoint_goes_before_one_for_all(campaigns: None) -> None:
    special = factories.CampaignFactory(name="special", segment="promoter", touchpoint=factories.TouchpointFactory())
    factories.step(special)
    respond(9)
    follow_up()
    assert Enrolment.objects.get().campaign == special


def test_a_response_without_a_campaign_is_done_with() -> None:
    respond(9)
    follow_up()
    assert Response.objects.get().follow_up == "none"


def test_who_unsubscribed_gets_no_follow_up(campaigns: None) -> None:
    response = respond(9)
    assert response.contact is not None
    assert response.contact.email
    suppress(emails=[response.contact.email], reason=Suppression.Reason.UNSUBSCRIBED, source="test", now=timezone.now())
    follow_up()
    run = StepRun.objects.get()
    assert (run.status, run.reason) == ("skipped", "suppressed")
    assert not OutgoingEmail.objects.exists()


def test_who_changes_the_mind_gets_the_mail_of_the_new_segment_only(campaigns: None) -> None:
    response = respond(9, "Great")
    enrol(now=timezone.now())
    Response.objects.filter(pk=response.pk).update(score=2, follow_up="pending")
    follow_up()
    assert set(StepRun.objects.values_list("enrolment__campaign__segment", "status", "reason")) == {
        ("promoter", "skipped", "segment_changed"),
        ("detractor", "done", ""),
    }
    assert OutgoingEmail.objects.get().subject == "To a detractor"


def test_running_again_sends_nothing_again(campaigns: None) -> None:
    respond(9, "Great")
    follow_up()
    Response.objects.update(follow_up="pending")
    follow_up()
    assert OutgoingEmail.objects.count() == 1


def test_scripts_in_names_are_text_in_the_mail(campaigns: None) -> None:
    respond(9, "Great", name="<script>alert(1)</script>")
    campaign = factories.Campaign.objects.get(segment="promoter")
    factories.publish(campaign, [{"key": "s1", "kind": "email", **factories.MAIL, "body": {"en": "Hi {{ name }} <b>"}}])
    follow_up()
    mail = OutgoingEmail.objects.get()
    assert "<script>" not in words(mail).html
    assert "&lt;script&gt;" in words(mail).html


def test_fifty_follow_ups_cost_as_many_queries_as_five(campaigns: None, django_assert_max_num_queries: Any) -> None:
    for count in (5, 50):
        for _ in range(count):
            respond(9, "Great")
        with django_assert_max_num_queries(40):
            follow_up()
    assert OutgoingEmail.objects.count() == 55


def test_a_campaign_switched_off_sends_nothing_more(campaigns: None) -> None:
    respond(9, "Great")
    enrol(now=timezone.now())
    factories.Campaign.objects.update(is_active=False)
    follow_up()
    assert StepRun.objects.get().reason == "campaign_inactive"
    assert not OutgoingEmail.objects.exists()


def test_the_frame_of_the_mail_speaks_the_language_of_its_words(campaigns: None) -> None:
    response = respond(9, "Toll", locale="")
    Response.objects.filter(pk=response.pk).update(locale="de")
    follow_up()
    mail = OutgoingEmail.objects.get()
    assert "für Bestellung erhalten" in words(mail).text
    assert "Sie können der Verwendung" in words(mail).text


def test_a_step_that_breaks_fails_alone(campaigns: None, monkeypatch: pytest.MonkeyPatch) -> None:
    poison = respond(9, "Great", name="Poison")
    respond(9, "Great")
    whole = email._letter

    def break_on_poison(run: Any, contact: Any, brand: str) -> Any:
        if contact.name == "Poison":
            raise ZeroDivisionError("poison")
        return whole(run, contact, brand)

    monkeypatch.setattr(email, "_letter", break_on_poison)
    now = timezone.now() + timedelta(seconds=1)
    enrol(now=now)
    run_due(now=now, base_url=BASE)
    waiting = StepRun.objects.get(status="pending")
    assert (waiting.enrolment.response, waiting.last_error) == (poison, "ZeroDivisionError: poison")
    assert StepRun.objects.filter(status="done").count() == 1


def test_a_campaign_for_a_segment_of_contacts_goes_before_one_for_all(campaigns: None) -> None:
    gold = Segment.objects.create(
        key="gold", name="Gold", condition={"field": "contact.plan", "op": "eq", "value": "gold"}
    )
    chosen = factories.CampaignFactory(name="gold", segment="promoter", contact_segment=gold)
    factories.step(chosen, subject={"en": "To gold"})
    respond(10, "Words", email="a@x.example", properties={"plan": "gold"})
    respond(10, "Words", email="b@x.example", properties={"plan": "basic"})
    follow_up()
    subjects = dict(OutgoingEmail.objects.values_list("to_email", "subject"))
    assert subjects == {"a@x.example": "To gold", "b@x.example": "To a promoter"}


def test_a_broken_segment_has_nobody_in_it_and_other_campaigns_go_on(campaigns: None) -> None:
    broken = Segment.objects.create(key="x", name="X", condition={"field": "nowhere", "op": "?"})
    factories.step(factories.CampaignFactory(name="x", segment="promoter", contact_segment=broken))
    respond(10, "Words")
    follow_up()
    assert OutgoingEmail.objects.get().subject == "To a promoter"


def test_a_refund_takes_a_follow_up_mail_back(campaigns: None) -> None:
    order, refund = factories.TouchpointFactory(), factories.TouchpointFactory(key="refund")
    factories.TriggerRuleFactory(touchpoints=[order], delay=timedelta(0)).revoked_by.add(refund)
    person = {"external_id": "ada", "email": "ada@x.example"}
    factories.EventFactory(touchpoint=order, contact_data=person)
    now = timezone.now()
    evaluate_events(now=now)
    dispatch_due(now=now, base_url=BASE)
    invitation = Invitation.objects.get()
    submit(invitation_id=invitation.pk, submission=Submission({"nps": 3, "comment": "Broken"}), now=now)
    factories.EventFactory(touchpoint=refund, contact_data=person)
    follow_up()
    run = StepRun.objects.get()
    assert (run.status, run.reason) == ("skipped", "counter_event")
    assert not OutgoingEmail.objects.filter(reason__startswith="step:").exists()
