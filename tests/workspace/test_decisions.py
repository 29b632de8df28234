from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from apps.contacts.models import ContactBudget
from apps.touchpoints.models import Event
from apps.triggers import services
from apps.triggers.models import Cadence, Decision, RuleVersion
from apps.workspace.explaining import budget_in_words, failed_comparison
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")
BIG = {"field": "event.total", "op": "ge", "value": 100}


def rule_decision(now: datetime, number: int = 0, *, condition: Any = BIG, **properties: Any) -> Decision:
    """A decision of a rule of its own about an event."""
    rule = factories.TriggerRuleFactory(name=f"Rule {number}", condition=condition)
    event = factories.EventFactory(
        properties=properties, received_at=now, occurred_at=now, external_id=f"order-{number}"
    )
    services.evaluate_events(now=now)
    return Decision.objects.select_related("rule_version").get(rule=rule, event=event)


def cadence_decision(now: datetime, number: int = 0, **values: Any) -> Decision:
    """A decision of a cadence, which has no event."""
    cadence = Cadence.objects.create(
        name=f"Cadence {number}", survey=factories.SurveyFactory(),
        touchpoint=factories.TouchpointFactory(key=f"pulse-{number}", name={"en": f"Pulse {number}"}),
    )  # fmt: skip
    contact = factories.ContactFactory(name=f"Kim {number}")
    return Decision.objects.create(
        **{"cadence": cadence, "contact": contact, "status": "blocked", "reason": "no_legal_basis", "decided_at": now,
           "occurrence": f"{number}", **values}
    )  # fmt: skip


def shown(client: Client, query: dict[str, str]) -> list[str]:
    return [str(row.rule or row.cadence) for row in client.get("/decisions/", query).context["page"].rows]


def test_decisions_of_rules_and_cadences_stand_side_by_side(client: Client, now: datetime) -> None:
    of_rule, of_cadence = rule_decision(now, total=80), cadence_decision(now + timedelta(hours=1))
    page = client.get("/decisions/").content.decode()
    assert "total ≥ 100; found 80" in page
    assert "Cadence 0 · cadence" in page
    assert "Pulse 0" in page
    assert reverse("workspace:why_event", args=[of_rule.event_id]) in page
    assert reverse("workspace:why_contact", args=[of_cadence.contact_id]) in page
    Decision.objects.filter(pk=of_cadence.pk).update(contact=None, cadence=None)
    assert client.get("/decisions/").status_code == 200


def test_decisions_are_found_by_reason_rule_and_touchpoint(client: Client, now: datetime) -> None:
    first, cadence = rule_decision(now, 1, total=80), cadence_decision(now - timedelta(hours=1), 2)
    assert shown(client, {}) == ["Rule 1", "Cadence 2"]
    assert shown(client, {"reason": "condition"}) == ["Rule 1"]
    assert shown(client, {"reason": "no_legal_basis"}) == ["Cadence 2"]
    assert shown(client, {"rule": f"rule:{first.rule_id}"}) == ["Rule 1"]
    assert shown(client, {"rule": f"cadence:{cadence.cadence_id}"}) == ["Cadence 2"]
    assert shown(client, {"touchpoint": "pulse-2"}) == ["Cadence 2"]
    assert shown(client, {"touchpoint": "order_received"}) == ["Rule 1"]
    assert shown(client, {"rule": f"rule:{first.rule_id}", "reason": "budget"}) == []
    assert shown(client, {"rule": "rule:999", "reason": "nonsense"}) == ["Rule 1", "Cadence 2"]


@pytest.mark.parametrize(
    ("condition", "properties", "text"),
    [
        (BIG, {"total": 80}, "total ≥ 100; found 80"),
        (BIG, {}, "total ≥ 100; found nothing"),
        (
            {"not": {"field": "event.shop", "op": "eq", "value": "fair"}},
            {"shop": "fair"},
            "not (shop is fair); found fair",
        ),
        ({"not": {"not": BIG}}, {"total": 80}, "total ≥ 100; found 80"),
        ({"field": "event.shop", "op": "in", "value": ["a", "b"]}, {"shop": "c"}, "shop is one of a or b; found c"),
        ({"field": "event.total", "op": "between", "value": [5, 9]}, {"total": 3}, "total is from 5 to 9; found 3"),
        ({"field": "event.shop", "op": "exists"}, {}, "shop is given"),
    ],
)
def test_the_failed_comparison_is_told(now: datetime, condition: Any, properties: dict[str, Any], text: str) -> None:
    assert failed_comparison(rule_decision(now, condition=condition, **properties)) == text


def test_what_cannot_be_told_any_more_is_left_out(now: datetime) -> None:
    decision = rule_decision(now, total=80)
    with translation.override("de"):
        assert "80" in failed_comparison(decision)
    RuleVersion.objects.update(snapshot={**decision.rule_version.snapshot, "condition": {}})  # type: ignore[union-attr]
    decision.refresh_from_db()
    assert failed_comparison(decision) == "total; found 80"
    RuleVersion.objects.all().delete()
    decision.refresh_from_db()
    assert failed_comparison(decision) == ""
    assert failed_comparison(Decision(reason="condition", details={})) == ""
    assert failed_comparison(Decision(reason="budget", details={"field": "event.total", "op": "ge"})) == ""


def test_a_contact_leads_to_its_why_page(client: Client, now: datetime) -> None:
    decision = cadence_decision(now)
    page = client.get(reverse("workspace:contact", args=[decision.contact_id])).content.decode()
    assert page.count(reverse("workspace:why_contact", args=[decision.contact_id])) == 2
    assert "Why?" in page


def test_a_property_may_be_called_items(client: Client) -> None:
    contact = factories.ContactFactory(properties={"items": 3})
    page = client.get(reverse("workspace:contact", args=[contact.pk])).content.decode()
    assert "<dt>items</dt><dd>3</dd>" in page


def test_the_list_costs_the_same_for_one_row_and_for_many(queries_of: Callable[[str], int], now: datetime) -> None:
    rule_decision(now, total=80)
    cadence_decision(now)
    # Session and user; touchpoints, rules, cadences, count, rows, undecided.
    assert queries_of("/decisions/") == 8
    for number in range(1, 8):
        rule_decision(now - timedelta(days=number), number, total=number)
        cadence_decision(now - timedelta(days=number), number)
    assert queries_of("/decisions/") == 8
    assert Event.objects.filter(status="pending").count() == 0


def test_the_budget_is_told_limit_by_limit() -> None:
    budget = ContactBudget(
        min_days_between=1, max_per_90_days=2, max_per_365_days=1, max_per_company=3, company_days=7,
        days_after_response=1, days_after_decline=0,
    )  # fmt: skip
    assert budget_in_words(budget) == [
        "At least 1 day between two approaches.",
        "At most 2 approaches in 90 days.",
        "At most 1 approach in 365 days.",
        "At most 3 approaches to all contacts of a company within 7 days.",
        "1 day of rest after an answer.",
    ]
