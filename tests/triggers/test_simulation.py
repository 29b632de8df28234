"""Rules tried against the past decide as they decide live, and write nothing."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.contacts import ledger
from apps.contacts.models import Company, Contact, ContactBudget, LegalBasis, Outreach
from apps.messaging.models import Suppression
from apps.messaging.suppressions import suppress
from apps.responses.models import Response
from apps.surveys.models import Invitation, Survey
from apps.touchpoints.models import Event, Touchpoint
from apps.triggers import dry_runs, services, versions
from apps.triggers.models import Decision, DryRun, RuleVersion, Segment, TriggerRule
from apps.triggers.past import Stretch
from apps.triggers.simulation import Simulation, touchpoints_of
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")
START = datetime(2026, 3, 2, tzinfo=UTC)
OFFICE = [{"days": [0, 1, 2, 3, 4], "from": "09:00", "to": "17:00"}]
happenings = st.lists(
    st.tuples(
        st.integers(0, 24 * 30),
        st.sampled_from(["order", "support", "refund"]),
        st.integers(0, 3),
        st.integers(0, 200),
    ),
    min_size=1,
    max_size=14,
)
budgets = st.fixed_dictionaries({
    "min_days_between": st.integers(0, 14),
    "max_per_90_days": st.none() | st.integers(1, 3),
    "max_per_company": st.none() | st.integers(1, 3),
    "company_days": st.just(10),
})  # fmt: skip


def set_up() -> None:
    for model in (Decision, Invitation, Event, Outreach, LegalBasis, RuleVersion, TriggerRule, Segment):
        model.objects.all().delete()
    Contact.objects.all().delete()
    ContactBudget.objects.all().delete()
    points = {key: factories.TouchpointFactory(key=key) for key in ("order", "support", "refund")}
    order, other = factories.SurveyFactory(), factories.SurveyFactory(key="support", min_days_between=9)
    Segment.objects.create(key="big", name="Big", condition={"field": "history.events", "op": "ge", "value": 2})
    rule = factories.TriggerRuleFactory(
        name="order", touchpoints=[points["order"]], survey=order, windows=OFFICE, revoke_match="",
        condition={"field": "event.total", "op": "ge", "value": 50}, delay=timedelta(days=1), percent=80,
    )  # fmt: skip
    rule.revoked_by.add(points["refund"])
    factories.TriggerRuleFactory(
        name="support", touchpoints=[points["support"]], survey=other, delay=timedelta(hours=2), priority=4,
        expires_after=timedelta(days=30), daily_cap=2,
    )  # fmt: skip
    factories.TriggerRuleFactory(
        name="big", touchpoints=[points["order"], points["support"]], survey=other, delay=timedelta(hours=5),
        priority=-1, expires_after=timedelta(days=20),
        condition={"field": "segment", "op": "in_segment", "value": "big"},
    )  # fmt: skip


def live_through(found: list[tuple[int, str, int, int]]) -> dict[tuple[UUID, str], tuple[str, str, datetime | None]]:
    """Each event comes in and is decided at its own moment; what is due in between has been sent by then."""
    touchpoints = {point.key: point for point in Touchpoint.objects.all()}
    for n, (hour, key, person, total) in enumerate(sorted(found)):
        at = START + timedelta(hours=hour, seconds=n)
        event = factories.EventFactory(
            touchpoint=touchpoints[key], occurred_at=at, received_at=at, properties={"total": total},
            contact_data={"external_id": f"p{person}", "email": f"p{person}@x.example",
                          "company": {"external_id": f"co{person % 2}"}},
        )  # fmt: skip
        Outreach.objects.filter(at__lte=at, state="reserved").update(state="spent")
        Invitation.objects.filter(send_at__lte=at, status="scheduled").update(status="queued")
        services.evaluate_events(now=at, only=event.pk)
    decided = Decision.objects.exclude(rule=None).select_related("rule")
    return {(d.event_id, d.rule.name): (d.status, d.reason, d.until) for d in decided}  # type: ignore[union-attr,misc]


def loaded() -> list[Any]:
    rows = TriggerRule.objects.select_related("survey").prefetch_related("touchpoints", "revoked_by")
    return versions.load_rules(rules=rows, now=timezone.now())


def simulate(until: datetime | None = None, **changes: Any) -> tuple[dict[Any, Any], dict[str, Any]]:
    rules = loaded()
    seen: dict[Any, Any] = {}
    simulation = Simulation(
        rules=rules, policy=ledger.current_policy(), home=ledger.home_calendar(), subject=rules[0].origin,
        stretch=Stretch(START, until or START + timedelta(days=60), touchpoints_of(rules)),
        on_decision=lambda e, r, o: seen.update({(e.id, r.name): (o.verdict.status, o.verdict.reason, o.verdict.at)}),
        **changes,
    )  # fmt: skip
    return seen, simulation.run(chunk=7)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happenings, budgets)
def test_the_dry_run_and_the_live_run_agree_on_the_same_input(
    found: list[tuple[int, str, int, int]], budget: dict[str, Any]
) -> None:
    set_up()
    ContactBudget.objects.create(pk=1, **budget)
    live = live_through(found)
    Outreach.objects.all().delete()  # The trial starts from the world before: nobody had been asked.
    dry, result = simulate()
    # What was pushed back or taken back later is told by the live decision as it is now, by the trial as it was then.
    final = {key: value for key, value in live.items() if value[1] not in {"outranked", "counter_event"}}
    assert {key: dry[key] for key in final} == final
    parts = (result["rule"], result["others"])
    assert sum(count for part in parts for _status, _reason, count in part["reasons"]) == len(live)
    planned = Invitation.objects.filter(status__in=["scheduled", "queued"]).values_list("send_at", flat=True)
    expected = Counter(at.date().isoformat() for at in planned)
    assert sum((Counter(part["days"]) for part in parts), Counter()) == expected


def test_a_dry_run_writes_nothing_but_its_own_row() -> None:
    set_up()
    live_through([(hour, "order", hour % 4, 100) for hour in range(1, 30)])
    versions.record(rules=list(TriggerRule.objects.select_related("survey")), now=timezone.now())
    before = {m: m.objects.count() for m in (Event, Decision, Invitation, Outreach, Contact, LegalBasis, RuleVersion)}
    states = sorted(Outreach.objects.values_list("reason", "at", "state"))
    run = dry_runs.start(title="try", days=60, now=START + timedelta(days=40), budget={"min_days_between": 0})
    assert dry_runs.run_next(now=timezone.now(), clock=timezone.now) == 1
    run.refresh_from_db()
    assert (run.status, run.events_done, run.events_total, run.error) == ("done", 29, 29, "")
    assert run.result["others"]["asked"] > 0
    assert {m: m.objects.count() for m in before} == before
    assert sorted(Outreach.objects.values_list("reason", "at", "state")) == states
    assert dry_runs.run_next(now=timezone.now(), clock=timezone.now) == 0


def test_a_draft_is_tried_in_place_of_the_saved_rule_and_with_the_history_before() -> None:
    set_up()
    ContactBudget.objects.create(pk=1, min_days_between=14)
    live_through([(24 * day, "order", 0, 100) for day in (20, 21)])
    rule = TriggerRule.objects.get(name="order")
    draft = versions.snapshot(rule, segments={s.key: s for s in Segment.objects.all()}) | {
        "percent": 100,
        "windows": [],
    }
    Outreach.objects.all().delete()
    contact = Contact.objects.get()
    Outreach.objects.create(
        contact=contact, kind="invitation", reason="old", at=START + timedelta(days=15), state="spent"
    )
    run = dry_runs.start(title="try", days=12, now=START + timedelta(days=30), draft=draft, replaces=rule.pk)
    dry_runs.run_next(now=timezone.now(), clock=timezone.now)
    run.refresh_from_db()
    assert run.result["rule"]["reasons"] == [["deferred", "budget", 1], ["skipped", "budget_too_late", 1]]
    assert run.result["rule"]["days"] == {"2026-03-31": 1}
    [example] = run.result["rule"]["examples"]["budget"]
    assert example["contact"] == str(contact.pk)


def test_the_past_is_read_as_it_was() -> None:
    set_up()
    live_through([(24, "order", 0, 100), (24 * 10, "order", 0, 100), (24, "order", 1, 100), (24 * 10, "order", 1, 100)])
    Outreach.objects.all().delete()
    one, two = Contact.objects.order_by("external_id")
    moment = START + timedelta(days=5)
    suppress(emails=[one.email or ""], reason=Suppression.Reason.UNSUBSCRIBED, source="t", now=moment)
    LegalBasis.objects.filter(contact=two).update(revoked_at=moment)
    TriggerRule.objects.filter(name="order").update(percent=100)
    seen, _result = simulate()
    events = {(e.contact_id, e.occurred_at < moment): e.pk for e in Event.objects.all()}
    assert seen[events[one.pk, True], "order"][0] == "scheduled"
    assert seen[events[one.pk, False], "order"][1] == "suppressed"
    assert seen[events[two.pk, True], "order"][0] == "scheduled"
    assert seen[events[two.pk, False], "order"][1] == "no_legal_basis"


def test_scores_count_from_the_moment_they_were_given() -> None:
    set_up()
    rule = factories.TriggerRuleFactory(
        name="unhappy", touchpoints=[Touchpoint.objects.get(key="refund")],
        condition={"field": "history.last_score", "op": "le", "value": 6},
    )  # fmt: skip
    live_through([(24, "refund", 0, 1), (24 * 9, "refund", 0, 1)])
    at = START + timedelta(days=4)
    Response.objects.create(
        survey=Survey.objects.get(key="order"), contact=Contact.objects.get(), score=2, answered_at=at, updated_at=at
    )
    # Neither a machine's score nor an answer without one changes what the last score was.
    for later, score in ((5, 10), (6, None)):
        at = START + timedelta(days=later)
        Response.objects.create(
            survey=Survey.objects.get(key="order"), contact=Contact.objects.get(), score=score, answered_at=at,
            updated_at=at, is_suspected=score is not None,
        )  # fmt: skip
    seen, _result = simulate()
    order = [seen[pk, rule.name][1] for pk in Event.objects.order_by("occurred_at").values_list("pk", flat=True)]
    assert order == ["condition", "ok"]


def test_a_run_that_fails_says_why_and_one_that_was_abandoned_is_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up()
    run = dry_runs.start(title="try", days=7, now=timezone.now())

    def explode(*_: Any) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr(dry_runs, "_simulate", explode)
    with pytest.raises(ZeroDivisionError):
        dry_runs.run_next(now=timezone.now(), clock=timezone.now)
    run.refresh_from_db()
    assert (run.status, run.error) == ("failed", "ZeroDivisionError: boom")
    monkeypatch.undo()

    DryRun.objects.update(status="running", lease_until=timezone.now() - timedelta(seconds=1))
    due = dry_runs.next_due()
    assert due is not None
    assert due < timezone.now()
    assert dry_runs.run_next(now=timezone.now(), clock=timezone.now) == 1


def test_companies_limit_each_other_in_the_trial_as_they_do_live() -> None:
    set_up()
    ContactBudget.objects.create(pk=1, min_days_between=0, max_per_company=1, company_days=20)
    TriggerRule.objects.filter(name="order").update(percent=100, windows=[])
    live = live_through([(1, "order", 0, 100), (2, "order", 2, 100)])  # both of co0
    Outreach.objects.all().delete()
    dry, _result = simulate()
    assert dry == live
    assert Company.objects.count() == 1
