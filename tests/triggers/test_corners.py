"""Where budgets, cadences and trials meet odd data, edits midway and each other."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.contacts import ledger
from apps.contacts.budget import Entry
from apps.contacts.models import Company, Contact, ContactBudget, LegalBasis, Outreach
from apps.surveys.models import Invitation, Survey
from apps.surveys.services import dispatch_due
from apps.touchpoints.models import Event
from apps.triggers import cadences, dry_runs, prompts, services, versions
from apps.triggers.models import Cadence, Decision, RuleVersion, TriggerRule
from apps.triggers.past import Stretch
from apps.triggers.simulation import Simulation, touchpoints_of
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")
DAY = timedelta(days=1)
ADA: dict[str, Any] = {"external_id": "ada", "email": "ada@x.example"}


def happen(person: dict[str, Any] = ADA, **values: Any) -> Event:
    return factories.EventFactory(contact_data=person, **values)


def decide(now: datetime | None = None) -> list[Decision]:
    before = set(Decision.objects.values_list("pk", flat=True))
    services.evaluate_events(now=now or timezone.now())
    return list(Decision.objects.exclude(pk__in=before).order_by("event__received_at", "rule_id"))


def free_budget(**values: Any) -> None:
    ContactBudget.objects.create(pk=1, **{"min_days_between": 0, **values})


def running_cadence(count: int, now: datetime, **values: Any) -> Cadence:
    for row in factories.ContactFactory.create_batch(count):
        LegalBasis.objects.create(contact=row, kind="consent", source="t", granted_at=now - DAY)
    row = Cadence.objects.create(name="c", survey=factories.SurveyFactory(), starts_on=date(2026, 1, 1), **values)
    cadences.plan(cadence=row, now=now)
    return row


def test_a_clock_of_almost_two_years_is_kept() -> None:
    free_budget()
    factories.TriggerRuleFactory(survey=factories.SurveyFactory(min_days_between=700), delay=timedelta(0))
    happen()
    decide()
    Outreach.objects.update(state="spent", at=timezone.now() - 400 * DAY)
    happen()
    assert [d.reason for d in decide()] == ["budget_too_late"]


def test_a_page_may_ask_although_the_rule_has_a_daily_cap() -> None:
    free_budget()
    touchpoint = factories.TouchpointFactory()
    factories.TriggerRuleFactory(daily_cap=1)
    agreed = [prompts.Visitor(visitor_id=name, consent=True) for name in ("one", "two")]
    shown = [prompts.may_show(touchpoint=touchpoint, visitor=v, properties={}, now=timezone.now()).show for v in agreed]
    assert shown == [True, False]


def test_a_visitor_is_in_the_share_or_not_however_often_the_page_is_loaded() -> None:
    free_budget()
    touchpoint = factories.TouchpointFactory()
    factories.TriggerRuleFactory(percent=10)
    for name in "abcdefghij":
        visitor, now = prompts.Visitor(visitor_id=name, consent=True), timezone.now()
        views = [
            prompts.may_show(touchpoint=touchpoint, visitor=visitor, properties={}, now=now).show for _ in range(5)
        ]
        assert len(set(views)) == 1


@pytest.mark.parametrize("values", [{"kind": "calendar", "recurrence": "FREQ=DAILY"}, {"period_days": 1}])
def test_a_cadence_edited_while_it_runs_asks_everybody_once(values: dict[str, Any]) -> None:
    free_budget()
    now = timezone.now().replace(hour=7)
    row = running_cadence(10, now, at=time(6), **values)
    later = now + DAY
    cadences.run_batch(cadence_id=row.pk, now=later, limit=3)
    form = Cadence.objects.get(pk=row.pk)
    form.name = "renamed"
    form.save()
    cadences.plan(cadence=form, now=later)
    while cadences.run_due(now=later):
        pass
    form.refresh_from_db()
    assert form.last_error == ""
    asked = list(Decision.objects.values_list("contact_id", flat=True))
    assert len(asked) == len(set(asked)) == 10


def test_another_period_counts_its_turns_anew() -> None:
    free_budget()
    now = timezone.now()
    row = running_cadence(30, now, period_days=91)
    for day in range(160):
        while cadences.run_due(now=now + day * DAY):
            pass
        if day == 60:
            row.refresh_from_db()
            row.period_days = 92
            row.save()
            cadences.plan(cadence=row, now=now + day * DAY)
    row.refresh_from_db()
    assert row.last_error == ""
    assert Decision.objects.values("contact_id").distinct().count() == 30


def test_a_cadence_switched_off_takes_back_what_it_planned() -> None:
    free_budget()
    now = timezone.now()
    row = running_cadence(20, now, period_days=1, at=time(6))
    while cadences.run_due(now=now):
        pass
    row.refresh_from_db()
    row.is_active = False
    row.save()
    cadences.plan(cadence=row, now=now)
    assert not Invitation.objects.filter(status="scheduled").exists()


def test_who_is_put_off_at_dispatch_does_not_take_the_place_of_a_stronger_survey() -> None:
    free_budget(min_days_between=14)
    now = timezone.now()
    contact = factories.ContactFactory()
    LegalBasis.objects.create(contact=contact, kind="consent", source="t", granted_at=now)
    rows = {}
    for name, days, lasting, priority in (("low", 0, 60, 0), ("high", 20, 5, 9)):
        survey, at = factories.SurveyFactory(key=name), now + days * DAY
        until = at + lasting * DAY
        rows[name] = Invitation.objects.create(
            survey=survey, contact=contact, reason=name, send_at=at, give_up_at=until, created_at=now
        )
        entry = Entry(f"invitation:{rows[name].pk}", at, f"survey:{survey.pk}", priority, until)
        ledger.copy_in([(contact.pk, entry)])
    made = Entry("prompt:x", now - DAY)
    ledger.enter(entries=[(contact.pk, made)], kind=Outreach.Kind.WEB_PROMPT, state=Outreach.State.SPENT)
    for day in range(41):
        dispatch_due(now=now + day * DAY, base_url="http://x.test")
    sent = dict(Invitation.objects.values_list("reason", "status"))
    assert sent == {"low": "queued", "high": "queued"}
    low, high = (Outreach.objects.get(reason=f"invitation:{rows[name].pk}").at for name in ("low", "high"))
    assert low - high >= 14 * DAY


def test_all_that_is_told_about_a_company_in_one_batch_is_kept() -> None:
    factories.TriggerRuleFactory()
    acme = {"external_id": "acme", "name": "Acme", "country": "DE", "properties": {"a": 1}}
    happen({**ADA, "company": acme}, received_at=timezone.now() - DAY)
    happen({**ADA, "company": {"external_id": "acme", "properties": {"b": 1}}})
    decide()
    company = Company.objects.get()
    assert (company.name, company.country, company.properties) == ("Acme", "DE", {"a": 1, "b": 1})


def test_an_event_does_not_take_itself_back() -> None:
    rule = factories.TriggerRuleFactory()
    rule.revoked_by.add(*rule.touchpoints.all())
    happen()
    assert [d.status for d in decide()] == ["scheduled"]


def test_a_zone_that_is_none_stops_nobody() -> None:
    factories.TriggerRuleFactory()
    factories.ContactFactory(external_id="ada", email="ada@x.example", time_zone="Mars/Base")
    happen()
    assert [d.status for d in decide()] == ["scheduled"]


def test_regions_with_long_names_fit() -> None:
    factories.TriggerRuleFactory()
    happen({**ADA, "country": "AU", "region": "NSW Western"})
    assert [d.status for d in decide()] == ["scheduled"]


def test_the_same_long_number_is_the_same_order() -> None:
    refund = factories.TouchpointFactory(key="refund")
    factories.TriggerRuleFactory(revoke_match="order_id").revoked_by.add(refund)
    for touchpoint in (factories.TouchpointFactory(), refund):
        happen(touchpoint=touchpoint, properties={"order_id": "x" * 250})
        decide()
    assert Invitation.objects.get().status == "revoked"


def test_a_capped_rule_keeps_its_cap_when_it_is_pushed_back() -> None:
    free_budget(min_days_between=14)
    a, b = factories.TouchpointFactory(key="a"), factories.TouchpointFactory(key="b")
    low = factories.TriggerRuleFactory(touchpoints=[a], delay=17 * DAY, expires_after=60 * DAY, daily_cap=1)
    factories.TriggerRuleFactory(
        name="high", touchpoints=[b], priority=5, survey=factories.SurveyFactory(key="z"), delay=3 * DAY
    )
    now = timezone.now().replace(hour=5, minute=0)
    happen({"external_id": "bob", "email": "bob@x.example"}, touchpoint=a, occurred_at=now)
    decide(now)
    low.delay = 3 * DAY
    low.save()
    for touchpoint in (a, b):
        happen(touchpoint=touchpoint, occurred_at=now)
        decide(now)
    days = [at.date() for at in Invitation.objects.filter(survey__key="order").values_list("send_at", flat=True)]
    assert len(days) == len(set(days)) == 2


def test_who_is_pushed_out_is_told_so() -> None:
    free_budget(min_days_between=14)
    a, b = factories.TouchpointFactory(key="a"), factories.TouchpointFactory(key="b")
    factories.TriggerRuleFactory(touchpoints=[a], expires_after=DAY)
    factories.TriggerRuleFactory(touchpoints=[b], priority=5, survey=factories.SurveyFactory(key="z"))
    happen(touchpoint=a)
    [low] = decide()
    happen(touchpoint=b)
    decide()
    low.refresh_from_db()
    assert (low.status, low.reason, low.until) == ("skipped", "outranked", None)


def test_an_old_copy_of_a_rule_does_not_become_its_newest_version() -> None:
    rule = factories.TriggerRuleFactory()
    versions.record(rules=[rule], now=timezone.now())
    old = services.all_rules().get()
    list(old.touchpoints.all())
    TriggerRule.objects.update(name="new")
    versions.record(rules=[TriggerRule.objects.get()], now=timezone.now(), by="kim")
    versions.record(rules=[old], now=timezone.now())
    found = RuleVersion.objects.order_by("number").values_list("snapshot__name", "created_by")
    assert list(found) == [("After the order", ""), ("new", "kim")]


def trial(since: datetime, until: datetime) -> list[tuple[str, str]]:
    seen = []
    rules = versions.load_rules(rules=services.all_rules(), now=timezone.now())
    Simulation(
        rules=rules,
        policy=ledger.current_policy(),
        home=ledger.home_calendar(),
        subject="",
        stretch=Stretch(since, until, touchpoints_of(rules)),
        on_decision=lambda _event, _rule, outcome: seen.append((outcome.verdict.status, outcome.verdict.reason)),
    ).run()
    return seen


def test_a_trial_counts_events_at_touchpoints_without_rules() -> None:
    a, b = factories.TouchpointFactory(key="a"), factories.TouchpointFactory(key="b")
    factories.TriggerRuleFactory(touchpoints=[a], condition={"field": "history.events", "op": "ge", "value": 3})
    start = timezone.now() - 5 * DAY
    for hour, touchpoint in enumerate([b, b, a]):
        at = start + timedelta(hours=hour)
        happen(touchpoint=touchpoint, occurred_at=at, received_at=at)
        live = decide(at)
    Contact.objects.update(created_at=start - DAY)
    Outreach.objects.all().delete()
    assert trial(start - DAY, start + DAY) == [(d.status, d.reason) for d in live] == [("scheduled", "ok")]


def test_a_trial_knows_what_the_company_was_sent_before() -> None:
    free_budget(max_per_company=1, company_days=30)
    factories.TriggerRuleFactory(delay=timedelta(0))
    at = timezone.now() - 10 * DAY
    company = Company.objects.create(name="Acme", external_id="acme")
    colleague = factories.ContactFactory(company=company)
    made = Entry("prompt:x", at - 3 * DAY)
    ledger.enter(entries=[(colleague.pk, made)], kind=Outreach.Kind.WEB_PROMPT, state=Outreach.State.SPENT)
    happen({**ADA, "company": {"external_id": "acme"}}, occurred_at=at, received_at=at)
    assert [d.reason for d in decide(at)] == ["budget_too_late"]
    assert trial(at - DAY, at + DAY) == [("skipped", "budget_too_late")]


def test_a_new_draft_comes_after_the_rules_that_are_there() -> None:
    free_budget(min_days_between=14)
    factories.TriggerRuleFactory(expires_after=40 * DAY)
    draft = factories.TriggerRuleFactory(survey=factories.SurveyFactory(key="z"), expires_after=40 * DAY)
    at = timezone.now() - 5 * DAY
    happen(occurred_at=at, received_at=at)
    assert [d.status for d in decide(at)] == ["scheduled", "deferred"]
    snapshot = versions.snapshot(draft, segments={})
    draft.delete()
    Outreach.objects.all().delete()
    run = dry_runs.start(title="x", days=30, now=timezone.now(), draft=snapshot)
    dry_runs.run_next(now=timezone.now(), clock=timezone.now)
    run.refresh_from_db()
    assert run.result["rule"]["reasons"] == [["deferred", "budget", 1]]
    assert not RuleVersion.objects.filter(rule=None, number__gt=1).exists()


def test_a_trial_without_rules_and_one_that_kills_its_workers_come_to_an_end() -> None:
    run = dry_runs.start(title="x", days=30, now=timezone.now(), budget={"min_days_between": 3})
    dry_runs.run_next(now=timezone.now(), clock=timezone.now)
    run.refresh_from_db()
    assert (run.status, run.result["events"]) == ("done", 0)
    run.status, run.attempts = "running", dry_runs.MAX_ATTEMPTS
    run.lease_until = timezone.now() - DAY
    run.save()
    assert dry_runs.run_next(now=timezone.now(), clock=timezone.now) == 1
    run.refresh_from_db()
    assert run.status == "failed"
    assert Survey.objects.count() == 0
