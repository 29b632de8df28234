"""Rules that ask at each contact's best hour: live, in a trial and in the answer to “why?” alike."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.contacts import ledger
from apps.contacts.models import BusinessCalendar, Company, Contact, ContactBudget
from apps.messaging.models import DeliveryEvent, MailPolicy, OutgoingEmail
from apps.responses.models import Response
from apps.surveys.models import Invitation
from apps.touchpoints.models import Event
from apps.triggers import services, versions
from apps.triggers.cadences import keep, run_batch
from apps.triggers.explain import explain_event
from apps.triggers.models import Cadence, RuleVersion, TriggerRule
from apps.triggers.past import Stretch
from apps.triggers.rules import CONTROL, LEARNED, sampled
from apps.triggers.sentences import sentence
from apps.triggers.simulation import Simulation
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")
MONDAY = datetime(2026, 3, 2, 10, 20, tzinfo=UTC)
EVENING = datetime(2026, 3, 2, 19, 20, tzinfo=UTC)
DAY = timedelta(days=1)


def answered(contact: Contact, hour: int, times: int, **values: Any) -> None:
    values = {"channel": "email", **values}
    for n in range(1, times + 1):
        at = datetime(2026, 2, n, hour, 5, tzinfo=UTC)
        Response.objects.create(
            survey=factories.SurveyFactory(), contact=contact, score=9, answered_at=at, updated_at=at, **values
        )


def person(arm: str, rule: TriggerRule, **values: Any) -> Contact:
    """A contact that belongs to this part of the rule's comparison."""
    while True:
        contact = factories.ContactFactory.build(**values)
        part = CONTROL if sampled(f"rule:{rule.pk}|hour", contact.id.bytes) < 20 else LEARNED
        if part == arm:
            contact.save()
            return contact  # type: ignore[no-any-return]


def ask(contact: Contact, at: datetime = MONDAY) -> Invitation:
    event = factories.EventFactory(
        occurred_at=at, received_at=at, contact_data={"external_id": contact.external_id, "email": contact.email}
    )
    services.evaluate_events(now=at)
    return Invitation.objects.get(event=event)


@pytest.fixture
def rule() -> TriggerRule:
    ContactBudget.objects.create(pk=1, min_days_between=0)
    return factories.TriggerRuleFactory(delay=timedelta(0), best_hour=True)


def test_a_contact_is_asked_at_the_hour_at_which_it_answers(rule: TriggerRule) -> None:
    contact = person(LEARNED, rule)
    answered(contact, 19, 3)
    row = ask(contact)
    assert (row.send_at, row.hour_arm) == (EVENING, "learned")
    assert row.give_up_at == MONDAY + rule.expires_after


def test_one_in_five_keeps_the_usual_time_for_comparison(rule: TriggerRule) -> None:
    contact = person(CONTROL, rule)
    answered(contact, 19, 3)
    row = ask(contact)
    assert (row.send_at, row.hour_arm) == (MONDAY, "control")


def test_the_control_share_is_a_fifth_and_always_the_same(rule: TriggerRule) -> None:
    ready = versions.load_rules(rules=services.all_rules(), now=MONDAY)[0]
    ids = [UUID(int=n * 7919).bytes for n in range(5000)]
    arms = [ready.hour_arm(one) for one in ids]
    assert arms == [ready.hour_arm(one) for one in ids]
    assert 900 < arms.count(CONTROL) < 1100


def test_who_nothing_is_known_about_belongs_to_neither_part(rule: TriggerRule) -> None:
    contact = person(LEARNED, rule)
    answered(contact, 19, 2)
    row = ask(contact)
    assert (row.send_at, row.hour_arm) == (MONDAY, "")


def test_a_rule_that_does_not_ask_for_it_keeps_its_time_and_costs_no_query_more(rule: TriggerRule) -> None:
    contact = person(LEARNED, rule)
    answered(contact, 19, 3)
    TriggerRule.objects.update(best_hour=False)
    ask(factories.ContactFactory())
    with CaptureQueriesContext(connection) as queries:
        row = ask(contact)
    assert (row.send_at, row.hour_arm) == (MONDAY, "")
    assert not any("answered_at AT TIME ZONE" in q["sql"] or "mailpolicy" in q["sql"] for q in queries)


@pytest.mark.parametrize("values", [{"is_suspected": True}, {"channel": "embed"}])
def test_machines_and_answers_on_pages_teach_nothing(rule: TriggerRule, values: dict[str, Any]) -> None:
    contact = person(LEARNED, rule)
    answered(contact, 19, 3, **values)
    assert ask(contact).hour_arm == ""


def test_the_hour_is_one_of_the_contacts_own_clock(rule: TriggerRule) -> None:
    contact = person(LEARNED, rule, time_zone="America/New_York")
    answered(contact, 19, 3)  # 14 o'clock there in February.
    summer = datetime(2026, 6, 1, 10, 20, tzinfo=UTC)
    assert ask(contact, summer).send_at == datetime(2026, 6, 1, 18, 20, tzinfo=UTC)


def test_with_too_few_answers_of_its_own_its_companys_count(rule: TriggerRule) -> None:
    company = Company.objects.create(name="Klarwerk")
    contact = person(LEARNED, rule, company=company)
    answered(factories.ContactFactory(company=company), 19, 9)
    assert ask(contact).hour_arm == ""
    answered(factories.ContactFactory(company=company), 19, 1)
    assert ask(contact, MONDAY + timedelta(minutes=1)).send_at == EVENING + timedelta(minutes=1)


def test_then_those_at_the_same_touchpoint_count_and_then_everybody(rule: TriggerRule) -> None:
    BusinessCalendar.objects.create(pk=1, time_zone="UTC")
    contact, place = person(LEARNED, rule), factories.TouchpointFactory()
    for _n in range(6):
        answered(factories.ContactFactory(), 15, 10)
    assert ask(contact).send_at == MONDAY.replace(hour=15)
    for _n in range(5):
        answered(factories.ContactFactory(), 19, 10, touchpoint=place)
    later = MONDAY + timedelta(hours=1)  # What everybody does is counted once an hour.
    assert ask(contact, later).send_at == EVENING


def test_opened_mails_count_only_where_the_policy_says_so(rule: TriggerRule) -> None:
    contact = person(LEARNED, rule)
    for n in (1, 2, 3):
        at = datetime(2026, 2, n, 19, 5, tzinfo=UTC)
        mail = OutgoingEmail.objects.create(
            reason=f"m{n}", contact=contact, to_email="x@x.example", message_id=f"<{n}>", due_at=at, queued_at=at
        )
        for again in range(2):
            DeliveryEvent.objects.create(email=mail, kind="opened", at=at, event_id=f"{again}")
    assert ask(contact).hour_arm == ""
    MailPolicy.objects.create(pk=1, learns_from_opens=True)
    assert ask(contact, MONDAY + timedelta(minutes=1)).hour_arm == "learned"


def test_it_stays_within_the_rules_windows(rule: TriggerRule) -> None:
    TriggerRule.objects.update(windows=[{"days": [0, 1, 2, 3, 4], "from": "09:00", "to": "20:00"}])
    contact = person(LEARNED, rule)
    answered(contact, 21, 3)  # Nearest to it, and better than most, is 20: not open either.
    assert ask(contact).send_at == MONDAY


def test_the_answer_to_why_names_the_same_time(rule: TriggerRule) -> None:
    contact = person(LEARNED, rule)
    answered(contact, 19, 3)
    row = ask(contact)
    [explanation] = explain_event(event=Event.objects.get(), now=MONDAY)
    assert explanation.checks[-1].at == row.send_at == EVENING


def test_a_trial_against_the_past_decides_as_it_was_decided_live(rule: TriggerRule) -> None:
    people = [person(arm, rule) for arm in (LEARNED, LEARNED, CONTROL)]
    for contact, hour in zip(people, (19, 15, 19), strict=True):
        answered(contact, hour, 3)
    live = {row.event_id: row.send_at for row in map(ask, people)}
    found: dict[UUID, Any] = {}
    rules = versions.load_rules(rules=services.all_rules(), now=MONDAY)
    stretch = Stretch(MONDAY - DAY, MONDAY + DAY, [factories.TouchpointFactory().pk])
    Simulation(
        rules=rules, policy=ledger.current_policy(), home=ledger.home_calendar(), stretch=stretch, subject="",
        on_decision=lambda event, _rule, outcome: found.update({event.id: outcome.entry and outcome.entry.at}),
    ).run()  # fmt: skip
    assert found == live


def test_a_trial_learns_nothing_from_answers_that_came_later(rule: TriggerRule) -> None:
    contact = person(LEARNED, rule)
    ask(contact)
    answered(contact, 19, 3)
    Response.objects.update(answered_at=MONDAY - timedelta(hours=1))
    found: list[Any] = []
    Simulation(
        rules=versions.load_rules(rules=services.all_rules(), now=MONDAY), policy=ledger.current_policy(),
        home=ledger.home_calendar(), stretch=Stretch(MONDAY - DAY, MONDAY + DAY, [factories.TouchpointFactory().pk]),
        subject="", on_decision=lambda _event, _rule, outcome: found.append(outcome.verdict.at),
    ).run()  # fmt: skip
    assert found == [MONDAY]


def test_the_choice_is_part_of_the_rules_versions_and_its_sentence(rule: TriggerRule) -> None:
    versions.load_rules(rules=services.all_rules(), now=MONDAY)
    TriggerRule.objects.update(best_hour=False)
    versions.load_rules(rules=services.all_rules(), now=MONDAY)
    new, old = RuleVersion.objects.order_by("-number")
    assert "at each contact's best hour" in sentence(old.snapshot)
    assert "best hour" not in sentence(new.snapshot)
    assert "best_hour" not in new.snapshot


def test_a_cadence_asks_at_the_best_hour_too() -> None:
    cadence = Cadence(
        name="Regularly", survey=factories.SurveyFactory(), best_hour=True, kind="calendar",
        recurrence="FREQ=DAILY", starts_on=MONDAY.date(),
    )  # fmt: skip
    keep(cadence=cadence, now=MONDAY - DAY)
    contacts = factories.ContactFactory.create_batch(8)
    for contact in contacts:
        answered(contact, 19, 3)
        contact.legal_bases.create(kind="consent", source="test", granted_at=MONDAY - DAY)
    now = Cadence.objects.get().next_run_at
    assert now is not None
    run_batch(cadence_id=cadence.pk, now=now)
    arms = dict(Invitation.objects.values_list("hour_arm", "send_at"))
    assert Invitation.objects.count() == 8
    assert arms["learned"] == now.replace(hour=19)
