"""Who is reminded, who is not any more, and what a reminder says."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import tenant_context

from apps.common import tokens
from apps.common.patterns import Pattern
from apps.contacts.models import Contact, ContactBudget, LegalBasis, Outreach
from apps.messaging import services as messaging
from apps.messaging.models import MailTemplate, OutgoingEmail, Suppression
from apps.messaging.parcels import as_sent
from apps.messaging.suppressions import suppress
from apps.responses import services as responses
from apps.responses.models import Response
from apps.responses.services import Submission
from apps.surveys import reminder_mails, reminders
from apps.surveys.mails import html_paragraphs
from apps.surveys.models import Invitation, Reminder, Survey, SurveyReminder
from apps.surveys.services import dispatch_due, revoke_unsent
from apps.triggers.services import evaluate_events
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")
BASE = "http://nordwind.resonanz.test"
MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def remind_in(survey: Survey, *delays: timedelta, **values: Any) -> None:
    for position, delay in enumerate(delays, 1):
        SurveyReminder.objects.create(survey=survey, position=position, delay=delay, **values)


def invite(count: int = 1, *, at: datetime = MONDAY, **event: Any) -> Invitation:
    """Mails of fresh invitations, handed to delivery and sent."""
    factories.EventFactory.create_batch(count, occurred_at=at, received_at=at, **event)
    evaluate_events(now=at)
    dispatch_due(now=at, base_url=BASE)
    OutgoingEmail.objects.filter(status="queued").update(status="sent", sent_at=at)
    return Invitation.objects.order_by("-created_at", "-id")[0]


@pytest.fixture
def invited() -> Invitation:
    """One invitation that was sent on Monday; its survey reminds after four days and three days later."""
    rule = factories.house(delay=timedelta(0))
    remind_in(rule.survey, 4 * DAY, 3 * DAY)
    return invite()


def remind(at: datetime) -> Reminder:
    """What became of the reminder that is due then."""
    reminders.remind_due(now=at, base_url=BASE)
    return Reminder.objects.order_by("position")[0]


def fate(row: Reminder) -> tuple[str, str]:
    return row.status, row.status_reason


def answer(invitation: Invitation, at: datetime = MONDAY + DAY, **values: Any) -> Response:
    return responses.submit(invitation_id=invitation.pk, submission=Submission({"nps": 9}, **values), now=at)


def letter(reminder: Reminder) -> Any:
    assert reminder.email is not None
    found = as_sent(reminder.email)
    assert found is not None
    return found


def token_in(text: str) -> str:
    return re.findall(r"/s/([\w-]{32})", text)[0]


def test_the_first_reminder_is_planned_with_its_place_when_the_invitation_goes_out(invited: Invitation) -> None:
    row = Reminder.objects.get()
    assert (row.position, row.status, row.send_at) == (1, "scheduled", MONDAY + 4 * DAY)
    place = Outreach.objects.get(kind="reminder")
    assert place.reason == f"reminder:{invited.pk}:1"
    assert (place.state, place.at, place.contact_id) == ("reserved", row.send_at, invited.contact_id)


def test_a_survey_without_reminders_plans_none() -> None:
    factories.house(delay=timedelta(0))
    invite()
    assert not Reminder.objects.exists()


def test_who_has_not_answered_is_reminded_with_the_same_link(invited: Invitation) -> None:
    row = remind(MONDAY + 4 * DAY)
    assert fate(row) == ("queued", "")
    assert Outreach.objects.get(reason=row.reason).state == "spent"
    assert invited.email is not None
    first = as_sent(invited.email)
    assert first is not None
    token = token_in(letter(row).text)
    assert token == token_in(first.text)
    assert tokens.hash_token(token) == bytes(invited.token_hash)
    assert letter(row).text.count(f"{BASE}/s/{token}?score=") == 11


def test_the_next_one_counts_from_when_the_one_before_went_out(invited: Invitation) -> None:
    late = MONDAY + 5 * DAY
    remind(late)
    second = Reminder.objects.get(position=2)
    assert (second.status, second.send_at) == ("scheduled", late + 3 * DAY)
    OutgoingEmail.objects.filter(status="queued").update(status="sent", sent_at=late)
    remind(second.send_at)
    assert Reminder.objects.filter(status="queued").count() == 2
    assert Reminder.objects.count() == 2


def test_who_answers_is_not_reminded_and_the_place_is_free_at_once(invited: Invitation) -> None:
    answer(invited)
    row = Reminder.objects.get()
    assert fate(row) == ("revoked", "answered")
    assert Outreach.objects.get(kind="reminder").state == "released"
    assert reminders.remind_due(now=MONDAY + 4 * DAY, base_url=BASE) == 0


def test_an_answer_takes_a_reminder_out_of_the_outbox(invited: Invitation) -> None:
    row = remind(MONDAY + 4 * DAY)
    answer(invited, MONDAY + 4 * DAY)
    row.refresh_from_db()
    assert fate(row) == ("revoked", "answered")
    assert row.email is not None
    assert row.email.status == "revoked"
    assert set(Outreach.objects.filter(kind="reminder").values_list("state", flat=True)) == {"released"}
    assert Reminder.objects.get(position=2).status == "revoked"


def test_who_answered_in_part_was_here_and_is_not_reminded(invited: Invitation) -> None:
    answer(invited, is_partial=True)
    assert Reminder.objects.get().status == "revoked"


def test_what_a_machine_answered_stops_no_reminder_until_a_human_says_it_was_one(invited: Invitation) -> None:
    response = answer(invited, suspicions=["agent"])
    assert Reminder.objects.get().status == "scheduled"
    responses.judge(response_id=response.pk, is_genuine=True, by="Kim", now=MONDAY + 2 * DAY)
    assert fate(Reminder.objects.get()) == ("revoked", "answered")


def test_a_response_that_nobody_told_us_of_is_found_when_it_is_due(invited: Invitation) -> None:
    answer(invited)
    Reminder.objects.update(status="scheduled", status_reason="")
    assert fate(remind(MONDAY + 4 * DAY)) == ("revoked", "answered")


def test_who_answered_the_survey_in_another_way_is_not_reminded(invited: Invitation) -> None:
    Response.objects.create(
        survey=invited.survey, contact=invited.contact, score=9, channel="embed",
        answered_at=MONDAY + DAY, updated_at=MONDAY + DAY,
    )  # fmt: skip
    assert fate(remind(MONDAY + 4 * DAY)) == ("revoked", "answered")


def test_an_anonymous_answer_stops_the_reminder_without_telling_whose_it_is() -> None:
    rule = factories.house(delay=timedelta(0))
    Survey.objects.update(is_anonymous=True)
    remind_in(rule.survey, 4 * DAY)
    invitation = invite()
    answer(invitation)
    assert Reminder.objects.get().status == "revoked"
    Reminder.objects.update(status="scheduled")
    assert fate(remind(MONDAY + 4 * DAY)) == ("revoked", "answered")


def test_who_unsubscribed_is_not_reminded(invited: Invitation) -> None:
    assert invited.contact is not None
    suppress(emails=[str(invited.contact.email)], reason=Suppression.Reason.UNSUBSCRIBED, source="t", now=MONDAY)
    assert fate(remind(MONDAY + 4 * DAY)) == ("revoked", "suppressed")
    assert OutgoingEmail.objects.count() == 1
    assert Outreach.objects.get(kind="reminder").state == "released"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda i: LegalBasis.objects.update(revoked_at=MONDAY), ("revoked", "no_legal_basis")),
        (lambda i: Contact.objects.all().delete(), ("revoked", "contact_gone")),
        (lambda i: Survey.objects.update(is_active=False), ("expired", "survey_inactive")),
        (lambda i: Survey.objects.update(closes_at=MONDAY + DAY), ("expired", "survey_closed")),
        (lambda i: Invitation.objects.update(status="revoked"), ("revoked", "invitation_revoked")),
        (lambda i: Invitation.objects.update(link_expires_at=MONDAY + DAY), ("expired", "link_expired")),
        (lambda i: Invitation.objects.update(token_hash=b"x" * 32), ("revoked", "link_lost")),
        (lambda i: SurveyReminder.objects.all().delete(), ("revoked", "reminder_removed")),
        (lambda i: OutgoingEmail.objects.update(status="bounced"), ("revoked", "mail_failed")),
        (lambda i: OutgoingEmail.objects.update(status="complained"), ("revoked", "mail_failed")),
        (lambda i: OutgoingEmail.objects.update(status="failed"), ("revoked", "mail_failed")),
        (lambda i: OutgoingEmail.objects.update(status="revoked"), ("revoked", "mail_failed")),
        (lambda i: OutgoingEmail.objects.update(status="unknown"), ("queued", "")),
        (lambda i: OutgoingEmail.objects.update(status="delivered"), ("queued", "")),
    ],
)
def test_what_happened_meanwhile_decides_when_it_is_due(
    invited: Invitation, change: Any, expected: tuple[str, str]
) -> None:
    change(invited)
    assert fate(remind(MONDAY + 4 * DAY)) == expected


def test_a_touchpoint_switched_off_stops_the_reminder(invited: Invitation) -> None:
    assert invited.touchpoint is not None
    invited.touchpoint.is_active = False
    invited.touchpoint.save()
    assert fate(remind(MONDAY + 4 * DAY)) == ("revoked", "touchpoint_inactive")


def test_an_invitation_that_is_paused_lets_its_reminder_wait(invited: Invitation) -> None:
    OutgoingEmail.objects.update(status="paused", sent_at=None)
    due = MONDAY + 4 * DAY
    row = remind(due)
    assert (*fate(row), row.send_at) == ("scheduled", "mail_waiting", due + 4 * DAY)
    assert Outreach.objects.get(kind="reminder").at == row.send_at


def test_an_invitation_that_left_late_gets_its_whole_delay(invited: Invitation) -> None:
    OutgoingEmail.objects.update(sent_at=MONDAY + 3 * DAY)
    row = remind(MONDAY + 4 * DAY)
    assert (row.status, row.send_at) == ("scheduled", MONDAY + 7 * DAY)


def test_a_bounced_reminder_is_the_last(invited: Invitation) -> None:
    remind(MONDAY + 4 * DAY)
    OutgoingEmail.objects.filter(status="queued").update(status="bounced")
    reminders.remind_due(now=MONDAY + 7 * DAY, base_url=BASE)
    assert fate(Reminder.objects.get(position=2)) == ("revoked", "mail_failed")


def test_a_reminder_keeps_to_its_own_send_windows() -> None:
    rule = factories.house(delay=timedelta(0))
    remind_in(rule.survey, 5 * DAY, windows=[{"days": [0], "from": "09:00", "to": "12:00"}])
    invite()
    assert Reminder.objects.get().send_at == datetime(2026, 3, 9, 9, tzinfo=UTC)


def test_the_budgets_distance_is_kept_from_others_but_not_from_the_own_invitation(invited: Invitation) -> None:
    assert ContactBudget().min_days_between == 14
    assert Reminder.objects.get().send_at == MONDAY + 4 * DAY
    other = MONDAY + 3 * DAY
    Outreach.objects.create(contact=invited.contact, kind="web_prompt", reason="w", at=other, state="spent")
    row = remind(MONDAY + 4 * DAY)
    assert (*fate(row), row.send_at) == ("scheduled", "budget", other + 14 * DAY)
    assert Outreach.objects.get(kind="reminder").at == row.send_at


def test_a_reminder_counts_against_the_caps_and_holds_others_back() -> None:
    ContactBudget.objects.create(pk=1, min_days_between=0, max_per_90_days=2)
    rule = factories.house(delay=timedelta(0))
    remind_in(rule.survey, 4 * DAY, 3 * DAY)
    person = {"external_id": "ada", "email": "ada@x.example"}
    invite(contact_data=person)
    remind(MONDAY + 4 * DAY)
    # Two of two are used: the second reminder would come to a link that has expired by then.
    assert fate(Reminder.objects.get(position=2)) == ("expired", "budget_too_late")
    factories.EventFactory(occurred_at=MONDAY + 5 * DAY, contact_data=person)
    evaluate_events(now=MONDAY + 5 * DAY)
    assert Invitation.objects.count() == 1


def test_what_is_more_important_pushes_a_planned_reminder_back(invited: Invitation) -> None:
    assert invited.contact is not None
    place = factories.TouchpointFactory(key="support")
    factories.TriggerRuleFactory(
        name="urgent", priority=5, delay=2 * DAY, touchpoints=[place], survey=factories.SurveyFactory(key="support"),
        expires_after=30 * DAY,
    )  # fmt: skip
    ContactBudget.objects.create(pk=1, min_days_between=1, max_per_90_days=2)
    factories.EventFactory(
        touchpoint=place, occurred_at=MONDAY + DAY, contact_data={"external_id": invited.contact.external_id}
    )
    evaluate_events(now=MONDAY + DAY)
    urgent = Invitation.objects.exclude(pk=invited.pk).get()
    assert urgent.send_at == MONDAY + 3 * DAY
    row = Reminder.objects.get()
    assert row.status == "revoked"
    assert row.status_reason == "outranked"
    assert Outreach.objects.get(kind="reminder").state == "released"


def test_a_reminder_that_has_to_make_way_goes_later(invited: Invitation) -> None:
    now, later = MONDAY + DAY, MONDAY + 9 * DAY
    name = Reminder.objects.get().reason
    with transaction.atomic():
        reminders.move(times={name: later}, reason="outranked", now=now)
    row = Reminder.objects.get()
    assert (*fate(row), row.send_at) == ("scheduled", "outranked", later)
    assert Outreach.objects.get(kind="reminder").at == later


def test_an_event_that_takes_the_invitation_back_takes_its_reminders() -> None:
    refund = factories.TouchpointFactory(key="refund")
    rule = factories.house(delay=timedelta(0))
    rule.revoked_by.set([refund])
    remind_in(rule.survey, 4 * DAY)
    person = {"external_id": "ada", "email": "ada@x.example"}
    invite(contact_data=person)
    at = MONDAY + DAY
    factories.EventFactory(touchpoint=refund, occurred_at=at, received_at=at, contact_data=person)
    evaluate_events(now=at)
    assert fate(Reminder.objects.get()) == ("revoked", "counter_event")
    assert Outreach.objects.get(kind="reminder").state == "released"


def test_a_counter_event_that_is_not_decided_yet_is_seen_when_it_is_due() -> None:
    refund = factories.TouchpointFactory(key="refund")
    rule = factories.house(delay=timedelta(0))
    rule.revoked_by.set([refund])
    remind_in(rule.survey, 4 * DAY)
    person = {"external_id": "ada", "email": "ada@x.example"}
    invite(contact_data=person)
    factories.EventFactory(touchpoint=refund, occurred_at=MONDAY + DAY, contact_data=person)
    assert fate(remind(MONDAY + 4 * DAY)) == ("revoked", "counter_event")


def test_taking_back_an_invitation_by_name_takes_its_waiting_reminder_along(invited: Invitation) -> None:
    row = remind(MONDAY + 4 * DAY)
    revoke_unsent(reasons=[f"invitation:{invited.pk}"], reason="counter_event")
    row.refresh_from_db()
    assert fate(row) == ("revoked", "counter_event")
    assert row.email is not None
    assert row.email.status == "revoked"


def test_what_a_worker_has_begun_to_send_is_not_to_be_had_any_more(invited: Invitation) -> None:
    row = remind(MONDAY + 4 * DAY)
    OutgoingEmail.objects.filter(status="queued").update(status="sending")
    assert reminders.revoke(invitation_ids=[invited.pk], reason="answered") == 1
    row.refresh_from_db()
    assert row.status == "queued"
    assert Reminder.objects.get(position=2).status == "revoked"
    assert Outreach.objects.get(reason=row.reason).state == "spent"


def test_an_earlier_key_still_makes_the_link(invited: Invitation, settings: Any) -> None:
    settings.SECRET_KEY_FALLBACKS = ["older", settings.SECRET_KEY]
    settings.SECRET_KEY = "newer"
    row = remind(MONDAY + 4 * DAY)
    assert tokens.hash_token(token_in(letter(row).text)) == bytes(invited.token_hash)


def test_without_the_key_no_other_link_is_made(invited: Invitation, settings: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "newer", []
    assert fate(remind(MONDAY + 4 * DAY)) == ("revoked", "link_lost")


def test_derived_tokens_differ_by_purpose_value_tenant_and_key(other_tenant: Any, settings: Any) -> None:
    found = {tokens.derived_token("a", "1"), tokens.derived_token("a", "2"), tokens.derived_token("b", "1")}
    with tenant_context(other_tenant):
        found.add(tokens.derived_token("a", "1"))
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    found.add(tokens.derived_token("a", "1"))
    assert len(found) == 5
    assert all(re.fullmatch(r"[\w-]{32}", token) for token in found)
    assert tokens.derived_again("a", "1", known_hash=tokens.hash_token(tokens.derived_token("a", "1"))) in found
    assert tokens.derived_again("a", "1", known_hash=tokens.hash_token(tokens.new_token())) is None


def test_the_words_are_the_surveys_in_the_contacts_language() -> None:
    rule = factories.house(delay=timedelta(0))
    remind_in(
        rule.survey, DAY,
        subject={"de": "Noch einmal: {{ touchpoint }}"}, text={"de": "Guten Tag <b>{{ name|Sie }}</b>,\n\nbitte."},
    )  # fmt: skip
    invite(contact_data={"external_id": "ada", "email": "ada@x.example", "name": "Ada", "locale": "de"})
    row = remind(MONDAY + DAY)
    assert row.email is not None
    assert row.email.subject == "Noch einmal: Bestellung erhalten"
    assert "Guten Tag <b>Ada</b>," in letter(row).text
    assert "&lt;b&gt;Ada&lt;/b&gt;" in letter(row).html


def test_without_words_of_its_own_a_reminder_is_friendly(invited: Invitation) -> None:
    row = remind(MONDAY + 4 * DAY)
    assert row.email is not None
    assert row.email.subject == "A quick reminder: how was “Order received”?"
    assert "How likely are you to recommend us?" in letter(row).html
    assert "Unsubscribe" in letter(row).text
    assert "List-Unsubscribe" in letter(row).headers


def test_a_template_of_the_tenants_is_used_where_the_survey_has_no_words_of_its_own() -> None:
    rule = factories.house(delay=timedelta(0))
    MailTemplate.objects.create(
        name="ours", purpose="reminder", is_default=True, subject={"en": "Once more from {{ brand }}"},
        text={"en": "Dear {{ name|friend }},\n\n{{ score_row }}"},
    )  # fmt: skip
    remind_in(rule.survey, DAY)
    invitation = invite()
    row = remind(MONDAY + DAY)
    assert row.email is not None
    assert row.email.subject == "Once more from Nordwind"
    assert "Dear Ada Lovelace" in letter(row).text
    assert tokens.hash_token(token_in(letter(row).html)) == bytes(invitation.token_hash)
    SurveyReminder.objects.update(subject={"en": "Mine"}, text={"en": "My words."})
    other = invite(at=MONDAY + 30 * DAY)
    reminders.remind_due(now=MONDAY + 31 * DAY, base_url=BASE)
    mail = Reminder.objects.get(invitation=other)
    assert mail.email is not None
    assert mail.email.subject == "Mine"
    assert "My words." in letter(mail).text


def test_a_reminder_that_breaks_lets_its_neighbours_through(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = factories.house(delay=timedelta(0))
    remind_in(rule.survey, 4 * DAY)
    invite(3)
    poison = Reminder.objects.order_by("id")[1].pk
    whole = reminder_mails._letter

    def break_on_poison(row: Reminder, *args: Any) -> Any:
        if row.pk == poison:
            raise ZeroDivisionError("poison")
        return whole(row, *args)

    monkeypatch.setattr(reminder_mails, "_letter", break_on_poison)
    now = MONDAY + 4 * DAY
    reminders.remind(now=now, base_url=BASE)
    assert Reminder.objects.filter(status="queued").count() == 2
    left = Reminder.objects.get(status="scheduled")
    assert (left.pk, left.status_reason, left.send_at) == (poison, "error", now + timedelta(hours=1))


def test_fifty_reminders_cost_as_many_queries_as_five(django_assert_max_num_queries: Any) -> None:
    rule = factories.house(delay=timedelta(0))
    remind_in(rule.survey, 4 * DAY, 3 * DAY)
    for count, at in ((5, MONDAY), (50, MONDAY + 30 * DAY)):
        invite(count, at=at)
        Reminder.objects.filter(position=2).delete()
        with django_assert_max_num_queries(34):
            assert reminders.remind_due(now=at + 4 * DAY, base_url=BASE) == count


def test_a_survey_that_reminds_nobody_pays_nothing_for_it_on_submit() -> None:
    rule = factories.house(delay=timedelta(0))
    warm, first, second = invite(), invite(), invite()
    answer(warm)
    with CaptureQueriesContext(connection) as plain:
        answer(first)
    remind_in(rule.survey, DAY)
    third = invite()
    with CaptureQueriesContext(connection) as reminded:
        answer(third)
    with CaptureQueriesContext(connection) as again:
        answer(second)
    assert len(again) == len(plain)
    assert not [query for query in plain.captured_queries if query["sql"].startswith('UPDATE "surveys_reminder"')]
    assert len(reminded) <= len(plain) + 5  # With the savepoint of taking back.


def test_next_due_is_the_earliest_that_is_planned(invited: Invitation) -> None:
    assert reminders.next_due() == MONDAY + 4 * DAY
    Reminder.objects.update(status="expired")
    assert reminders.next_due() is None


def test_one_alone_is_sent_on(invited: Invitation) -> None:
    row = Reminder.objects.get()
    assert reminders.remind_due(now=MONDAY + 4 * DAY, base_url=BASE, only=UUID(int=1)) == 0
    assert reminders.remind_due(now=MONDAY + 4 * DAY, base_url=BASE, only=row.pk) == 1


def test_an_invitation_that_was_taken_back_in_the_outbox_is_not_repeated(invited: Invitation) -> None:
    OutgoingEmail.objects.update(status="queued")
    assert messaging.revoke_queued(reasons=[f"invitation:{invited.pk}"], because="by hand")
    assert fate(remind(MONDAY + 4 * DAY)) == ("revoked", "mail_failed")


@pytest.mark.parametrize(
    "values", [{"position": 0}, {"position": 4}, {"delay": timedelta(minutes=5)}, {"delay": 46 * DAY}]
)
def test_the_database_refuses_a_reminder_out_of_bounds(values: dict[str, Any]) -> None:
    survey = factories.SurveyFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        SurveyReminder.objects.create(**{"survey": survey, "position": 1, "delay": DAY, **values})


def test_the_database_refuses_the_same_number_twice() -> None:
    survey = factories.SurveyFactory()
    remind_in(survey, DAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        SurveyReminder.objects.create(survey=survey, position=1, delay=DAY)


def test_what_a_fallback_says_is_escaped_once() -> None:
    html = html_paragraphs("Dear {{ name|customer's choice & co }},\na < b\n\nBye")
    assert html == ["Dear {{ name|customer's choice & co }},<br>a &lt; b", "Bye"]
    assert Pattern(html[0], is_html=True).fill({"name": ""}) == b"Dear customer&#x27;s choice &amp; co,<br>a &lt; b"
