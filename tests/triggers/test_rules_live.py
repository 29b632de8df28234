"""Everything a rule can say, decided live: conditions, waits, windows, shares, caps, counter-events, priorities."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from apps.contacts.models import BusinessCalendar, Company, ContactBudget, Outreach
from apps.messaging.models import OutgoingEmail
from apps.responses.models import Response
from apps.surveys.models import Invitation
from apps.surveys.services import dispatch_due
from apps.touchpoints.models import Touchpoint
from apps.triggers import services, versions
from apps.triggers.facts import read_histories
from apps.triggers.models import Decision, RuleVersion, Segment, TriggerRule
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")
BERLIN = ZoneInfo("Europe/Berlin")
ADA: dict[str, Any] = {"external_id": "ada", "email": "ada@x.example", "name": "Ada"}


def event(touchpoint: Touchpoint | None = None, *, person: dict[str, Any] | None = None, **values: Any) -> Any:
    values.setdefault("touchpoint", touchpoint or factories.TouchpointFactory())
    return factories.EventFactory(contact_data=person or ADA, **values)


def decide(now: datetime | None = None) -> list[Decision]:
    before = set(Decision.objects.values_list("pk", flat=True))
    services.evaluate_events(now=now or timezone.now())
    return list(Decision.objects.exclude(pk__in=before).order_by("event__received_at", "rule_id"))


def outcome(decision: Decision) -> tuple[str, str]:
    return decision.status, decision.reason


def test_a_condition_that_does_not_hold_says_which_part_and_what_was_found() -> None:
    tree = {
        "all": [
            {"field": "event.total", "op": "ge", "value": 100},
            {"field": "contact.country", "op": "eq", "value": "DE"},
        ]
    }
    factories.TriggerRuleFactory(condition=tree)
    event(properties={"total": 80}, person={**ADA, "country": "de"})
    event(properties={"total": 120}, person={**ADA, "country": "de"})
    too_small, fits = decide()
    assert outcome(too_small) == ("skipped", "condition")
    assert too_small.details == {"field": "event.total", "op": "ge", "value": 100, "found": 80}
    assert outcome(fits) == ("scheduled", "ok")


def test_history_counts_the_event_itself_and_what_came_before() -> None:
    factories.TriggerRuleFactory(condition={"field": "history.events_here", "op": "ge", "value": 2})
    factories.TriggerRuleFactory(
        name="after a low score", condition={"field": "history.last_score", "op": "le", "value": 6}
    )
    event()
    first = decide()
    assert [outcome(d) for d in first] == [("skipped", "condition")] * 2
    contact = first[0].contact
    survey = factories.SurveyFactory()
    Response.objects.create(
        survey=survey, contact=contact, score=3, answered_at=timezone.now(), updated_at=timezone.now()
    )
    event()
    assert [d.status for d in decide()] == ["scheduled", "deferred"]


def test_the_last_score_is_the_last_that_a_human_gave() -> None:
    contact, now = factories.ContactFactory(), timezone.now()
    told: dict[str, Any] = {"survey": factories.SurveyFactory(), "contact": contact, "updated_at": now}
    for days, score, is_suspected in ((9, 8, False), (5, 3, False), (2, None, False), (1, 10, True)):
        Response.objects.create(**told, answered_at=now - timedelta(days=days), score=score, is_suspected=is_suspected)
    history = read_histories({contact.pk: contact}, now=now)[contact.pk]
    assert (history.last_score, history.responses) == (3, 3)
    assert history.last_response_at == now - timedelta(days=2)
    history = read_histories({contact.pk: contact}, now=now - timedelta(days=6))[contact.pk]
    assert (history.last_score, history.responses) == (8, 1)


def test_a_segment_can_be_part_of_a_condition_and_its_wording_is_kept_with_the_version() -> None:
    segment = Segment.objects.create(
        key="vip", name="VIP", condition={"field": "contact.plan", "op": "eq", "value": "gold"}
    )
    factories.TriggerRuleFactory(condition={"field": "segment", "op": "in_segment", "value": "vip"})
    event(person={**ADA, "properties": {"plan": "gold"}})
    event(person={"external_id": "bob", "email": "bob@x.example", "properties": {"plan": "basic"}})
    gold, basic = decide()
    assert (gold.status, basic.reason) == ("scheduled", "condition")
    segment.condition = {"field": "contact.plan", "op": "eq", "value": "basic"}
    segment.save()
    event(person={"external_id": "cem", "email": "cem@x.example", "properties": {"plan": "basic"}})
    [cem] = decide()
    assert cem.status == "scheduled"
    assert gold.rule_version is not None
    assert cem.rule_version is not None
    assert gold.rule_version.snapshot["segments"]["vip"]["condition"]["value"] == "gold"
    assert cem.rule_version.number == gold.rule_version.number + 1


def test_working_days_and_mornings_follow_the_contacts_own_clock_and_holidays() -> None:
    BusinessCalendar.objects.create(pk=1, time_zone="Europe/Berlin", country="DE")
    ContactBudget.objects.create(pk=1, min_days_between=0)
    factories.TriggerRuleFactory(wait=TriggerRule.Wait.WORKING_DAYS, working_days=1, expires_after=timedelta(days=60))
    factories.TriggerRuleFactory(name="morning", wait=TriggerRule.Wait.MORNING, expires_after=timedelta(days=60))
    at = datetime(2026, 1, 5, 13, tzinfo=UTC)  # The next day is a holiday in Bavaria, not in Berlin.
    event(occurred_at=at, received_at=at, person={**ADA, "country": "DE", "region": "BY"})
    berliner_abroad = {"time_zone": "America/New_York", "country": "DE", "region": "BE"}
    event(
        occurred_at=at,
        received_at=at + timedelta(seconds=1),
        person={"external_id": "ny", "email": "ny@x.example", **berliner_abroad},
    )
    bavaria, bavaria_morning, new_york, new_york_morning = decide(at)
    assert bavaria.until == datetime(2026, 1, 7, 14, tzinfo=BERLIN)
    assert bavaria_morning.until == datetime(2026, 1, 6, 9, tzinfo=BERLIN)
    assert new_york.until == datetime(2026, 1, 6, 13, tzinfo=UTC)
    assert new_york_morning.until == datetime(2026, 1, 6, 9, tzinfo=ZoneInfo("America/New_York"))


def test_a_companys_clock_stands_in_for_a_contact_without_one() -> None:
    window = [{"days": [0, 1, 2, 3, 4, 5, 6], "from": "09:00", "to": "10:00"}]
    factories.TriggerRuleFactory(delay=timedelta(0), windows=window)
    at = datetime(2026, 5, 4, 12, tzinfo=UTC)
    person = {**ADA, "company": {"external_id": "acme", "name": "Acme", "time_zone": "Asia/Tokyo"}}
    event(occurred_at=at, received_at=at, person=person)
    [decision] = decide(at)
    assert (decision.status, decision.until) == ("scheduled", datetime(2026, 5, 5, 0, tzinfo=UTC))
    assert Company.objects.get().name == "Acme"


def test_dispatch_waits_for_the_window_to_open_again() -> None:
    window = [{"days": [0, 1, 2, 3, 4], "from": "09:00", "to": "17:00"}]
    BusinessCalendar.objects.create(pk=1, time_zone="Europe/Berlin")
    factories.TriggerRuleFactory(delay=timedelta(0), windows=window)
    friday = datetime(2026, 5, 8, 10, tzinfo=BERLIN)
    event(occurred_at=friday, received_at=friday)
    decide(friday)
    saturday = friday + timedelta(days=1)
    dispatch_due(now=saturday, base_url="http://x.test")
    invitation = Invitation.objects.get()
    assert (invitation.status, invitation.send_at) == ("scheduled", datetime(2026, 5, 11, 9, tzinfo=BERLIN))
    dispatch_due(now=invitation.send_at, base_url="http://x.test")
    invitation.refresh_from_db()
    assert invitation.status == "queued"


def test_only_a_share_is_asked_and_the_same_one_each_time() -> None:
    factories.TriggerRuleFactory(percent=20)
    for n in range(300):
        event(person={"external_id": f"p{n}", "email": f"p{n}@x.example"})
    reasons = [d.reason for d in decide()]
    assert 30 < reasons.count("ok") < 95
    assert reasons.count("ok") + reasons.count("not_sampled") == 300


def test_a_daily_cap_defers_to_the_next_days() -> None:
    factories.TriggerRuleFactory(delay=timedelta(0), daily_cap=3, expires_after=timedelta(days=2))
    now = datetime(2026, 5, 4, 6, tzinfo=UTC)
    for part in (2, 8):  # two batches: what the first one planned is read back
        for n in range(part):
            event(person={"external_id": f"p{part}-{n}", "email": f"p{part}-{n}@x.example"}, occurred_at=now)
        decide(now)
    days = [at.date().day for at in Invitation.objects.order_by("send_at").values_list("send_at", flat=True)]
    assert days == [4, 4, 4, 5, 5, 5, 6, 6, 6]
    assert Decision.objects.filter(reason="daily_cap_too_late").count() == 1


def test_outside_the_rules_time_nobody_is_asked() -> None:
    now = timezone.now()
    factories.TriggerRuleFactory(active_from=now - timedelta(days=2), active_until=now - timedelta(days=1))
    event(occurred_at=now - timedelta(days=3))
    event(occurred_at=now - timedelta(hours=36))
    event(occurred_at=now)
    assert [d.reason for d in decide()] == ["outside_period", "ok", "outside_period"]


def refund_rule(**values: Any) -> tuple[Touchpoint, Touchpoint]:
    order, refund = factories.TouchpointFactory(), factories.TouchpointFactory(key="refunded")
    rule = factories.TriggerRuleFactory(**values)
    rule.revoked_by.add(refund)
    return order, refund


def test_a_counter_event_takes_back_what_was_planned() -> None:
    order, refund = refund_rule()
    event(order)
    decide()
    event(refund)
    assert [d.reason for d in decide()] == ["no_rule"]
    invitation = Invitation.objects.get()
    assert (invitation.status, invitation.status_reason) == ("revoked", "counter_event")
    assert Outreach.objects.get().state == "released"


@pytest.mark.parametrize("refund_first", [True, False])
def test_order_and_refund_in_one_batch_ask_nobody(refund_first: bool) -> None:
    order, refund = refund_rule()
    now = timezone.now()
    times = {order: now - timedelta(hours=2), refund: now - timedelta(hours=1)}
    for touchpoint in (refund, order) if refund_first else (order, refund):
        event(touchpoint, occurred_at=times[touchpoint])
    decide()
    assert not Invitation.objects.filter(status="scheduled").exists()
    assert Decision.objects.get(rule__isnull=False).reason == "counter_event"


def test_an_older_refund_or_one_of_another_order_takes_nothing_back() -> None:
    order, refund = refund_rule(revoke_match="order_id")
    now = timezone.now()
    event(refund, occurred_at=now - timedelta(days=9), properties={"order_id": 1})
    event(order, occurred_at=now - timedelta(days=1), properties={"order_id": 1})
    decide()
    event(refund, properties={"order_id": 2})
    event(refund, properties={})
    decide()
    assert Invitation.objects.get().status == "scheduled"
    event(refund, properties={"order_id": "1"})
    decide()
    assert Invitation.objects.get().status == "revoked"


def test_a_refund_that_nobody_has_decided_yet_stops_the_mail_at_the_moment_of_sending() -> None:
    order, refund = refund_rule(delay=timedelta(0))
    event(order)
    decide()
    event(refund, person={"email": "ADA@x.example"})
    dispatch_due(now=timezone.now() + timedelta(seconds=1), base_url="http://x.test")
    invitation = Invitation.objects.get()
    assert (invitation.status, invitation.status_reason) == ("revoked", "counter_event")
    assert not OutgoingEmail.objects.exists()


def test_a_mail_in_the_outbox_is_taken_back_too_unless_a_worker_is_sending_it() -> None:
    order, refund = refund_rule(delay=timedelta(0))
    for name in ("ada", "bob"):
        event(order, person={"external_id": name, "email": f"{name}@x.example"})
    decide()
    dispatch_due(now=timezone.now() + timedelta(seconds=1), base_url="http://x.test")
    OutgoingEmail.objects.filter(to_email="bob@x.example").update(status="sending")
    for name in ("ada", "bob"):
        event(refund, person={"external_id": name})
    decide()
    states = dict(OutgoingEmail.objects.values_list("to_email", "status"))
    assert states == {"ada@x.example": "revoked", "bob@x.example": "sending"}
    assert set(Outreach.objects.values_list("state", flat=True)) == {"released", "spent"}
    assert set(Invitation.objects.values_list("status", flat=True)) == {"revoked", "queued"}


def test_a_cancellation_beats_the_yearly_survey_that_was_planned_before() -> None:
    ContactBudget.objects.create(pk=1, min_days_between=14)
    yearly, cancelled = factories.TouchpointFactory(key="yearly"), factories.TouchpointFactory(key="cancelled")
    factories.TriggerRuleFactory(touchpoints=[yearly], delay=timedelta(days=3), expires_after=timedelta(days=60))
    factories.TriggerRuleFactory(name="bye", touchpoints=[cancelled], delay=timedelta(days=1), priority=9)
    now = timezone.now()
    event(yearly, occurred_at=now)
    [weak] = decide(now)
    event(cancelled, occurred_at=now)
    [strong] = decide(now)
    weak.refresh_from_db()
    assert outcome(strong) == ("scheduled", "ok")
    assert outcome(weak) == ("deferred", "outranked")
    assert weak.until == strong.until + timedelta(days=14)  # type: ignore[operator]
    assert Invitation.objects.get(pk=weak.invitation_id).send_at == weak.until
    assert Outreach.objects.get(reason=f"invitation:{weak.invitation_id}").at == weak.until


def test_an_exceptional_touchpoint_may_ask_within_the_gap() -> None:
    ContactBudget.objects.create(pk=1, min_days_between=14)
    bye = factories.TouchpointFactory(key="cancelled", exception_days=0)
    factories.TriggerRuleFactory(delay=timedelta(days=1))
    factories.TriggerRuleFactory(name="bye", touchpoints=[bye], delay=timedelta(days=2))
    event()
    event(bye)
    assert [d.status for d in decide()] == ["scheduled", "scheduled"]


def test_what_a_company_was_promised_is_kept_at_dispatch_and_no_more() -> None:
    ContactBudget.objects.create(pk=1, min_days_between=0, max_per_company=1, company_days=10)
    factories.TriggerRuleFactory(delay=timedelta(hours=1), expires_after=timedelta(days=30))
    acme = {"company": {"external_id": "acme"}}
    now = timezone.now()
    for name in ("ada", "bob"):
        event(person={"external_id": name, "email": f"{name}@x.example", **acme}, occurred_at=now)
    first, second = decide(now)
    assert (first.status, second.status) == ("scheduled", "deferred")
    due = now + timedelta(hours=1)
    assert second.until == due + timedelta(days=10)
    for moment in (due, second.until - timedelta(minutes=1), second.until):
        dispatch_due(now=moment, base_url="http://x.test")
    assert list(Invitation.objects.order_by("send_at").values_list("status", flat=True)) == ["queued", "queued"]
    assert [row.at for row in Outreach.objects.order_by("at")] == [due, second.until]


def test_of_two_that_became_due_together_the_stronger_goes_first() -> None:
    ContactBudget.objects.create(pk=1, min_days_between=14)
    factories.TriggerRuleFactory(delay=timedelta(0), expires_after=timedelta(days=60))
    strong = factories.TriggerRuleFactory(name="strong", delay=timedelta(0), expires_after=timedelta(days=60))
    now = timezone.now()
    event(occurred_at=now)
    weak_one, strong_one = decide(now)
    Outreach.objects.filter(reason=f"invitation:{strong_one.invitation_id}").update(priority=5)
    later = now + timedelta(days=40)
    dispatch_due(now=later, base_url="http://x.test")
    states = dict(Invitation.objects.values_list("pk", "status"))
    assert (states[strong_one.invitation_id], states[weak_one.invitation_id]) == ("queued", "scheduled")
    assert Invitation.objects.get(pk=weak_one.invitation_id).send_at == later + timedelta(days=14)
    assert strong_one.rule == strong


def test_after_an_answer_the_contact_has_rest() -> None:
    ContactBudget.objects.create(pk=1, min_days_between=0, days_after_response=30)
    factories.TriggerRuleFactory(delay=timedelta(0), expires_after=timedelta(days=90))
    event()
    decide()
    now = timezone.now()
    Outreach.objects.update(outcome="answered", outcome_at=now, state="spent")
    event()
    [later] = decide(now)
    assert (later.status, later.until) == ("deferred", now + timedelta(days=30))


def test_a_changed_rule_gets_a_new_version_and_an_unchanged_one_does_not() -> None:
    rule = factories.TriggerRuleFactory()
    event()
    [first] = decide()
    event(person={"external_id": "bob", "email": "b@x.example"})
    [second] = decide()
    assert first.rule_version == second.rule_version
    rule.percent = 50
    rule.save()
    [version] = versions.record(rules=[rule], now=timezone.now(), by="kim")
    assert (version.number, version.created_by, version.snapshot["percent"]) == (2, "kim", 50)
    assert RuleVersion.objects.get(number=1).snapshot["percent"] == 100


def test_a_rule_whose_segment_was_deleted_asks_nobody_and_its_neighbours_go_on() -> None:
    segment = Segment.objects.create(key="vip", name="VIP", condition={})
    factories.TriggerRuleFactory(condition={"field": "segment", "op": "in_segment", "value": "vip"})
    factories.TriggerRuleFactory(name="neighbour")
    segment.delete()
    event()
    assert [outcome(d) for d in decide()] == [("skipped", "rule_broken"), ("scheduled", "ok")]


def test_a_rule_listens_to_several_touchpoints() -> None:
    points = [factories.TouchpointFactory(key=key) for key in ("one", "two")]
    factories.TriggerRuleFactory(touchpoints=points)
    for n, point in enumerate(points):
        event(point, person={"external_id": f"p{n}", "email": f"p{n}@x.example"})
    assert [d.status for d in decide()] == ["scheduled", "scheduled"]
