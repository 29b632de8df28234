from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from apps.contacts.models import Contact, ContactBudget, LegalBasis, Outreach
from apps.messaging.models import Suppression
from apps.messaging.suppressions import suppress
from apps.surveys.models import Invitation
from apps.touchpoints.claims import PendingEvent
from apps.touchpoints.models import Event
from apps.triggers import services
from apps.triggers.models import Decision
from apps.triggers.services import decide_again, decide_pending, evaluate_events
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")


def decide_all() -> list[Decision]:
    evaluate_events(now=timezone.now())
    return list(Decision.objects.order_by("event__received_at"))


def test_an_event_is_scheduled_after_the_rules_delay() -> None:
    rule = factories.TriggerRuleFactory(delay=timedelta(days=3))
    event = factories.EventFactory()
    [decision] = decide_all()
    assert (decision.status, decision.reason, decision.rule) == ("scheduled", "ok", rule)
    invitation = Invitation.objects.get()
    assert decision.invitation == invitation
    assert invitation.send_at == event.occurred_at + timedelta(days=3) == decision.until
    assert Outreach.objects.get().state == "reserved"


def test_the_second_event_within_the_budgets_gap_is_deferred_not_lost() -> None:
    factories.TriggerRuleFactory(delay=timedelta(days=1), expires_after=timedelta(days=30))
    ContactBudget.objects.create(pk=1, min_days_between=14)
    data = {"external_id": "a", "email": "a@x.example"}
    first = factories.EventFactory(contact_data=data)
    factories.EventFactory(contact_data=data, occurred_at=first.occurred_at + timedelta(minutes=1))
    one, two = decide_all()
    assert (one.status, two.status, two.reason) == ("scheduled", "deferred", "budget")
    assert one.until is not None
    assert two.until == one.until + timedelta(days=14)
    assert Invitation.objects.count() == 2


def test_events_that_lead_nowhere_say_why() -> None:
    rule = factories.TriggerRuleFactory()
    silent = factories.TouchpointFactory(key="newsletter", legal_basis="")
    factories.TriggerRuleFactory(touchpoints=[silent], name="newsletter")
    bare = factories.TouchpointFactory(key="product_page")
    suppress(emails=["gone@x.example"], reason=Suppression.Reason.UNSUBSCRIBED, source="test", now=timezone.now())
    long_ago = timezone.now() - timedelta(days=100)
    wanted = {
        factories.EventFactory(
            touchpoint=rule.touchpoints.get(), contact_data={"external_id": "mute"}
        ).id: "no_address",
        factories.EventFactory(
            touchpoint=rule.touchpoints.get(), contact_data={"email": "Gone@x.example"}
        ).id: "suppressed",
        factories.EventFactory(touchpoint=silent).id: "no_legal_basis",
        factories.EventFactory(touchpoint=bare).id: "no_rule",
        factories.EventFactory(touchpoint=rule.touchpoints.get(), occurred_at=long_ago).id: "too_old",
        factories.EventFactory(touchpoint=rule.touchpoints.get(), contact_data={"name": "?"}).id: "unreadable_event",
    }
    assert {d.event_id: d.reason for d in decide_all()} == wanted
    assert not Invitation.objects.exists()


def test_the_touchpoint_proves_the_legal_basis() -> None:
    factories.TriggerRuleFactory()
    event = factories.EventFactory()
    decide_all()
    basis = LegalBasis.objects.get()
    assert (basis.kind, basis.source, basis.granted_at) == (
        "existing_customer",
        "touchpoint:order_received",
        event.occurred_at,
    )


def test_a_revoked_legal_basis_is_not_revived_by_the_next_event() -> None:
    factories.TriggerRuleFactory()
    factories.EventFactory(contact_data={"email": "a@x.example"})
    decide_all()
    LegalBasis.objects.update(revoked_at=timezone.now())
    factories.EventFactory(contact_data={"email": "a@x.example"})
    assert decide_all()[-1].reason == "no_legal_basis"


def test_a_hundred_events_cost_as_many_queries_as_ten(django_assert_max_num_queries: Any) -> None:
    factories.TriggerRuleFactory()
    for count in (10, 100):
        factories.EventFactory.create_batch(count)
        with django_assert_max_num_queries(33):
            assert evaluate_events(now=timezone.now()) == count
    assert Contact.objects.count() == 110
    assert not Event.objects.filter(status="pending").exists()


def test_an_event_that_breaks_is_put_aside_and_its_neighbours_go_through(monkeypatch: Any) -> None:
    factories.TriggerRuleFactory()
    poison, *others = factories.EventFactory.create_batch(4)
    whole = services.decide_event

    def break_on_poison(event: PendingEvent, *rest: Any) -> Any:
        if event.id == poison.pk:
            raise ZeroDivisionError("poison")
        return whole(event, *rest)

    monkeypatch.setattr(services, "decide_event", break_on_poison)
    for _ in range(services.MAX_ATTEMPTS):
        assert decide_pending(now=timezone.now()) > 0
    assert decide_pending(now=timezone.now()) == 0
    poison.refresh_from_db()
    assert (poison.status, poison.error) == ("failed", "ZeroDivisionError: poison")
    assert Event.objects.filter(status="decided").count() == len(others)

    monkeypatch.setattr(services, "decide_event", whole)
    assert decide_again(event_ids=[poison.pk], now=timezone.now()) == 1
    decide_pending(now=timezone.now())
    poison.refresh_from_db()
    assert poison.status == "decided"


def test_trouble_with_the_database_is_not_the_events_fault(monkeypatch: Any) -> None:
    factories.TriggerRuleFactory()
    event = factories.EventFactory()

    def deadlock(**_: Any) -> None:
        raise OperationalError("deadlock detected")

    monkeypatch.setattr(services, "resolve_contacts", deadlock)
    for _ in range(services.MAX_ATTEMPTS + 1):
        with pytest.raises(OperationalError):
            decide_pending(now=timezone.now())
    event.refresh_from_db()
    assert (event.status, event.attempts) == ("pending", 0)


def test_a_touchpoint_switched_off_before_deciding_asks_nobody() -> None:
    rule = factories.TriggerRuleFactory()
    factories.EventFactory()
    rule.touchpoints.update(is_active=False)
    assert [d.reason for d in decide_all()] == ["rule_inactive"]


def test_rules_can_be_deleted_and_their_decisions_stay() -> None:
    first = factories.TriggerRuleFactory()
    second = factories.TriggerRuleFactory(name="second")
    factories.EventFactory()
    assert len(decide_all()) == 2
    first.delete()
    second.delete()
    assert Decision.objects.filter(rule=None).count() == 2


def test_a_rule_switched_off_takes_back_what_it_planned() -> None:
    rule = factories.TriggerRuleFactory()
    factories.EventFactory.create_batch(2)
    decide_all()
    assert services.withdraw(rule_ids=[rule.pk]) == 2
    assert set(Invitation.objects.values_list("status", "status_reason")) == {("revoked", "rule_inactive")}
    assert set(Outreach.objects.values_list("state", flat=True)) == {"released"}
    assert services.withdraw(rule_ids=[rule.pk]) == 0
