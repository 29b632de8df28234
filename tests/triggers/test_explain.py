"""“Why was she (not) asked?”"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone, translation

from apps.contacts.models import ContactBudget, LegalBasis
from apps.touchpoints.models import Event
from apps.triggers import services, versions
from apps.triggers.explain import CheckResult, Explanation, explain_contact, explain_event
from apps.triggers.models import Decision, Segment, TriggerRule
from apps.triggers.reasons import CHANGES, CHECKS, SENTENCES, change, sentence
from apps.triggers.sentences import sentence as in_words
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")
ADA: dict[str, Any] = {"external_id": "ada", "email": "ada@x.example", "country": "DE"}
TREE = {
    "all": [{"field": "event.total", "op": "ge", "value": 100}, {"field": "contact.country", "op": "eq", "value": "DE"}]
}


def decided(**values: Any) -> Event:
    event = factories.EventFactory(contact_data=ADA, **values)
    services.evaluate_events(now=timezone.now())
    return Event.objects.select_related("contact__company").get(pk=event.pk)


def by_name(explanation: Explanation) -> dict[str, CheckResult]:
    return {check.name: check for check in explanation.checks}


def test_every_check_of_every_rule_is_shown_not_just_the_first_that_failed() -> None:
    factories.TriggerRuleFactory(condition=TREE, is_active=False)
    factories.TriggerRuleFactory(name="second")
    event = decided(properties={"total": 80})
    LegalBasis.objects.update(revoked_at=timezone.now())
    first, second = explain_event(event=event, now=timezone.now())
    checks = by_name(first)
    failed = {name for name, check in checks.items() if not check.passed}
    assert failed == {"active", "condition", "legal_basis"}
    assert set(checks) == set(CHECKS)
    total, country = checks["condition"].comparisons
    assert (total.field, total.value, total.found, total.passed) == ("event.total", 100, 80, False)
    assert country.passed
    assert first.decision is not None
    assert first.decision.reason == "rule_inactive"
    assert {name for name, check in by_name(second).items() if not check.passed} == {"legal_basis"}


def test_what_the_event_led_to_does_not_stand_in_its_own_way() -> None:
    ContactBudget.objects.create(pk=1, min_days_between=14)
    factories.TriggerRuleFactory()
    [explanation] = explain_event(event=decided(), now=timezone.now())
    assert explanation.passed
    assert by_name(explanation)["time"].at is not None


def test_it_names_the_part_of_the_budget_that_is_in_the_way() -> None:
    ContactBudget.objects.create(pk=1, min_days_between=14)
    factories.TriggerRuleFactory(delay=timedelta(days=1), expires_after=timedelta(days=3))
    decided()
    [explanation] = explain_event(event=decided(), now=timezone.now())
    time = by_name(explanation)["time"]
    assert (time.passed, time.reason, time.part) == (False, "budget_too_late", "min_gap")


def test_a_contact_is_explained_as_if_something_happened_now() -> None:
    factories.TriggerRuleFactory()
    event = decided()
    assert event.contact is not None
    [explanation] = explain_contact(contact=event.contact, now=timezone.now())
    assert by_name(explanation)["legal_basis"].passed


def test_explaining_writes_and_locks_nothing(django_assert_max_num_queries: Any) -> None:
    ContactBudget.objects.create(pk=1, max_per_company=1)
    factories.TriggerRuleFactory(condition=TREE, daily_cap=5)
    event = decided(properties={"total": 120})
    before = Decision.objects.count()
    with connection.execute_wrapper(_refuse_locks), django_assert_max_num_queries(22):
        explain_event(event=event, now=timezone.now())
    assert Decision.objects.count() == before


def _refuse_locks(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    assert "FOR UPDATE" not in sql
    assert sql.lstrip().startswith("SELECT")
    return execute(sql, params, many, context)


def test_every_reason_has_a_sentence_and_most_say_what_would_change_it() -> None:
    assert set(CHANGES) <= set(SENTENCES)
    assert str(sentence("budget")).startswith("The contact was")
    assert change("ok") == ""
    assert sentence("unheard_of") == "unheard_of"


def test_a_rule_is_told_as_a_sentence() -> None:
    Segment.objects.create(key="vip", name="VIP", condition={})
    tree = {"all": [*TREE["all"], {"not": {"field": "segment", "op": "in_segment", "value": "vip"}}]}
    windows = [{"days": [0, 1, 2, 3, 4, 6], "from": "09:00", "to": "18:00"}]
    rule = factories.TriggerRuleFactory(
        condition=tree, percent=20, skip_holidays=True, revoke_match="order_id", windows=windows
    )
    rule.revoked_by.add(factories.TouchpointFactory(key="refunded", name={"en": "Refund", "de": "Erstattung"}))
    rule = TriggerRule.objects.get()
    told = in_words(versions.snapshot(rule, segments={s.key: s for s in Segment.objects.all()}))
    assert told == (
        "3 days after Order received, if total ≥ 100 and country is DE and not (belongs to VIP), ask Order; "
        "at most 20%; only Mon–Fri, Sun 09:00–18:00; not on public holidays; "
        "taken back by Refund with the same order_id; pointless after 14 days."
    )


def test_waits_are_told_in_their_own_words() -> None:
    rule = factories.TriggerRuleFactory(delay=timedelta(0), expires_after=timedelta(days=1))
    start = in_words(versions.snapshot(rule, segments={}))
    assert start == "Right after Order received, ask Order; pointless after 1 day."
    rule.wait = "working_days"
    assert in_words(versions.snapshot(rule, segments={})).startswith("3 working days after Order received")
    rule.wait = "morning"
    assert in_words(versions.snapshot(rule, segments={})).startswith("On the morning after Order received at 09:00")
    with translation.override("de"):
        assert in_words(versions.snapshot(rule, segments={}))
