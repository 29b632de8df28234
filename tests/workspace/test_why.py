import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django_tenants.utils import tenant_context

from apps.contacts.models import Contact, ContactBudget, LegalBasis, Outreach
from apps.messaging.models import Suppression
from apps.messaging.suppressions import suppress
from apps.touchpoints.models import Event
from apps.triggers import services
from apps.triggers.models import Decision, TriggerRule
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")
ADA: dict[str, Any] = {"external_id": "ada-1", "email": "ada@example.com", "name": "Ada Lovelace", "country": "CH"}
BIG = {"field": "event.total", "op": "ge", "value": 100}
NEAR = {"field": "contact.country", "op": "in", "value": ["DE", "AT"]}
TREE = {"all": [BIG, NEAR, {"not": {"field": "event.channel", "op": "eq", "value": "fair"}}]}


def decided(now: datetime, **values: Any) -> Event:
    """An event of Ada, decided."""
    event = factories.EventFactory(**{"contact_data": ADA, "occurred_at": now, "received_at": now, **values})
    services.evaluate_events(now=now)
    return Event.objects.get(pk=event.pk)


def page_of(client: Client, name: str, pk: object) -> str:
    answer = client.get(reverse(f"workspace:{name}", args=[pk]))
    assert answer.status_code == 200
    return words(answer.content.decode())


def words(html: str) -> str:
    """What is to be read on a page, without tags."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def found(client: Client, query: dict[str, str]) -> list[str]:
    context = client.get("/why/", query).context
    return [f"{context['shown']}:{row.external_id}" for row in context["page"].rows]


def test_contacts_and_events_are_found(client: Client, now: datetime) -> None:
    event = decided(now, external_id="order-1")
    other = decided(now - timedelta(hours=1), external_id="order-2")
    factories.ContactFactory(external_id="kim-2", name="Kim", email="kim@example.com")
    assert found(client, {}) == ["events:order-1", "events:order-2"]
    assert found(client, {"q": "lovel"}) == ["contacts:ada-1"]
    assert found(client, {"q": "KIM@"}) == ["contacts:kim-2"]
    assert found(client, {"q": "ada-1"}) == ["contacts:ada-1"]
    assert found(client, {"q": "order-2"}) == ["events:order-2"]
    assert found(client, {"q": str(other.pk)}) == ["events:order-2"]
    assert found(client, {"q": event.pk.hex, "kind": "events"}) == ["events:order-1"]
    assert found(client, {"q": "ada", "kind": "events"}) == []
    assert found(client, {"kind": "contacts"}) == ["contacts:kim-2", "contacts:ada-1"]
    html = client.get("/why/", {"q": "order-1"}).content.decode()
    assert reverse("workspace:why_event", args=[event.pk]) in html
    assert reverse("workspace:why_contact", args=[event.contact_id]) in html


def test_an_external_id_that_looks_like_an_id_is_found_too(client: Client, now: datetime) -> None:
    name = str(uuid4())
    decided(now, external_id=name)
    assert found(client, {"q": name}) == [f"events:{name}"]


def test_empty_results_say_what_was_looked_for(client: Client, now: datetime) -> None:
    assert "No event has arrived yet." in client.get("/why/").content.decode()
    assert "There is no contact yet." in client.get("/why/", {"kind": "contacts"}).content.decode()
    decided(now)
    page = client.get("/why/", {"q": "nobody"}).content.decode()
    assert "No contact has this name, e-mail address or external id." in page
    assert "Show all" in page
    assert "No event has this id or external id." in client.get("/why/", {"q": "x1", "kind": "events"}).content.decode()


def test_results_have_pages(client: Client, now: datetime) -> None:
    for number in range(26):
        factories.EventFactory(occurred_at=now - timedelta(minutes=number), external_id=f"order-{number}")
    first = client.get("/why/", {"q": "order"})
    assert "Next page" in first.content.decode()
    cursor = first.context["page"].next_cursor
    assert found(client, {"q": "order", "cursor": cursor}) == ["events:order-25"]


def test_an_event_shows_every_check_what_was_found_and_what_would_change_it(client: Client, now: datetime) -> None:
    factories.TriggerRuleFactory(name="Big orders", condition=TREE)
    event = decided(now, properties={"total": 80, "items": 3})
    LegalBasis.objects.update(revoked_at=now)
    page = page_of(client, "why_event", event.pk)
    for part in (
        "Skipped The rule's condition does not hold. total ≥ 100; found 80",
        "The condition holds No",
        "No total ≥ 100; found 80",
        "No country is one of DE or AT; found CH",
        "Yes not (channel is fair); found nothing",
        "The event or the contact would need other properties, or the rule another condition.",
        "There is a legal basis No There is no legal basis for writing to this contact.",
        "A consent, or a touchpoint that proves a purchase with notice given.",
        "There is an address Yes",
        "The rule as it was, version 1",
        "Ada Lovelace",
        "items 3",
    ):
        assert part in page, part


def test_the_rule_is_told_as_it_was_and_as_it_is(client: Client, now: datetime) -> None:
    rule = factories.TriggerRuleFactory(name="Big orders", condition=BIG)
    event = decided(now, properties={"total": 80})
    assert "The rule as it is today" not in page_of(client, "why_event", event.pk)
    TriggerRule.objects.update(condition={**BIG, "value": 50})
    page = page_of(client, "why_event", event.pk)
    assert re.search(r"if total ≥ 100, ask Order; pointless after 14 days\. The rule as it was, version 1", page)
    assert re.search(r"if total ≥ 50, ask Order; pointless after 14 days\. The rule as it is today", page)
    assert re.search(r"If it were decided now Yes would be asked \d", page)
    assert "Yes total ≥ 50; found 80" in page
    factories.TriggerRuleFactory(name="A new one")
    assert "This rule decided nothing then" in page_of(client, "why_event", event.pk)
    rule.delete()
    page = page_of(client, "why_event", event.pk)
    assert "Big orders Skipped The rule's condition does not hold. total ≥ 100; found 80" in page
    assert "The rule has been deleted since." in page


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ({"field": "segment", "op": "in_segment", "value": "gone"}, "if belongs to gone, ask Order"),
        ({"any": [{"op": "eq"}, 5]}, "This rule cannot be told in words."),
    ],
)
def test_a_broken_rule_is_explained_too(client: Client, now: datetime, condition: Any, told: str) -> None:
    factories.TriggerRuleFactory(condition=condition)
    event = decided(now)
    for page in (page_of(client, "why_event", event.pk), page_of(client, "why_contact", event.contact_id)):
        assert "The rule can be understood No The rule cannot be understood any more" in page
        assert told in page


def test_rules_that_listen_elsewhere_are_named_in_one_line(client: Client, now: datetime) -> None:
    factories.TriggerRuleFactory()
    event = decided(now)
    assert "does not listen" not in page_of(client, "why_event", event.pk)
    elsewhere = factories.TouchpointFactory(key="support", name={"en": "Support"})
    factories.TriggerRuleFactory(name="After support", touchpoints=[elsewhere])
    page = page_of(client, "why_event", event.pk)
    assert "1 other rule does not listen to this touchpoint After support" in page
    TriggerRule.objects.get(name="After the order").touchpoints.set([elsewhere])
    page = page_of(client, "why_event", event.pk)
    assert "The rule does not listen to this touchpoint any more." in page
    assert "2 other rules do not listen" in page


def test_it_is_said_which_part_of_the_budget_is_in_the_way_and_when_it_ends(client: Client, now: datetime) -> None:
    ContactBudget.objects.create(pk=1, min_days_between=10)
    factories.TriggerRuleFactory(delay=timedelta(0))
    event = decided(now)
    Outreach.objects.create(contact_id=event.contact_id, kind="invitation", reason="x", at=now, state="spent")
    Decision.objects.all().delete()
    page = page_of(client, "why_event", event.pk)
    assert "leave a time Later" in page
    assert "Another approach to this contact lies too close." in page
    assert "Fewer days between two approaches" in page
    assert f"{(now + timedelta(days=10)).day} " in page


def test_an_event_that_is_not_decided_says_so(client: Client, now: datetime) -> None:
    event = factories.EventFactory(contact_data=ADA)
    assert "Who it is about is found out then." in page_of(client, "why_event", event.pk)
    factories.TriggerRuleFactory()
    Event.objects.update(contact=factories.ContactFactory())
    page = page_of(client, "why_event", event.pk)
    assert "Below is what would be decided now." in page
    assert "If it were decided now" in page
    Event.objects.update(status="failed", error="ValueError: <b>twelve</b>")
    html = client.get(reverse("workspace:why_event", args=[event.pk])).content.decode()
    assert "This event could not be decided." in html
    assert "ValueError: &lt;b&gt;twelve&lt;/b&gt;" in html


def test_an_event_without_rule_or_contact_is_explained_as_far_as_it_goes(client: Client, now: datetime) -> None:
    event = decided(now)
    page = page_of(client, "why_event", event.pk)
    assert "No trigger rule belongs to this touchpoint. Make a trigger rule for this touchpoint." in page
    Contact.objects.all().delete()
    assert "the contact of this event is not known, or was deleted" in page_of(client, "why_event", event.pk)


def test_a_contact_shows_what_would_happen_and_what_it_was_sent(client: Client, now: datetime) -> None:
    ContactBudget.objects.create(pk=1, min_days_between=10, max_per_90_days=1, days_after_decline=0)
    rule = factories.TriggerRuleFactory(name="After the order")
    event = decided(now, external_id="order-7")
    Outreach.objects.create(
        contact_id=event.contact_id, kind="web_prompt", reason="y", at=now - timedelta(days=3), state="spent",
        outcome="declined", outcome_at=now, topic=f"survey:{rule.survey_id}",
    )  # fmt: skip
    page = page_of(client, "why_contact", event.contact_id)
    for part in (
        "If something happened now After the order",
        "At least 10 days between two approaches. At most 1 approach in 90 days.",
        "Existing customer, notice given",
        "order-7",
        "Planned Invitation Order",
        "Made Web prompt Order Declined",
        "not blocked",
    ):
        assert part in page, part
    assert "of rest" not in page
    suppress(emails=["ada@example.com"], reason=Suppression.Reason.COMPLAINED, source="x", now=now)
    page = page_of(client, "why_contact", event.contact_id)
    assert "blocked: complained" in page
    assert "This address must not be mailed" in page


def test_a_contact_nothing_is_known_of_has_empty_states(client: Client) -> None:
    contact = factories.ContactFactory(email=None)
    ContactBudget.objects.create(pk=1, min_days_between=0, days_after_decline=0)
    page = page_of(client, "why_contact", contact.pk)
    for part in ("There is no trigger rule yet.", "No event yet.", "nothing is planned", "Legal basis none",
                 "No limits are set.", "E-mail none"):  # fmt: skip
        assert part in page, part


def test_names_are_shown_as_text(client: Client, now: datetime) -> None:
    factories.TriggerRuleFactory(name="<script>rule</script>", condition=BIG)
    event = decided(now, properties={"total": "<script>total</script>"}, external_id="<script>id</script>",
                    contact_data={**ADA, "name": "<script>name</script>"})  # fmt: skip
    for url in ("/why/", "/why/?q=script", "/decisions/", reverse("workspace:why_event", args=[event.pk]),
                reverse("workspace:why_contact", args=[event.contact_id])):  # fmt: skip
        page = client.get(url).content.decode()
        assert "<script>" not in page, url
        assert "&lt;script&gt;" in page, url
        assert not re.search(r"\sstyle=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+=", page), url


def test_another_tenants_ids_are_not_found(client: Client, other_tenant: Any) -> None:
    with tenant_context(other_tenant):
        contact = factories.ContactFactory(name="Secret")
        event = factories.EventFactory(contact=contact, external_id="secret-1")
    assert client.get(reverse("workspace:why_event", args=[event.pk])).status_code == 404
    assert client.get(reverse("workspace:why_contact", args=[contact.pk])).status_code == 404
    assert found(client, {"q": "secret"}) == []
    assert found(client, {"q": str(event.pk)}) == []


def test_pages_cost_the_same_whatever_there_is(queries_of: Callable[[str], int], now: datetime) -> None:
    ContactBudget.objects.create(pk=1, min_days_between=1)
    factories.TriggerRuleFactory(condition=TREE)
    event = decided(now)
    Outreach.objects.create(contact_id=event.contact_id, kind="invitation", reason="o", at=now, topic="survey:1")
    urls = {
        "/why/": 5,  # Session, user, contacts, events, rows.
        reverse("workspace:why_event", args=[event.pk]): 20,
        reverse("workspace:why_contact", args=[event.contact_id]): 22,
    }
    for url, bound in urls.items():
        assert queries_of(url) <= bound, url
    before = {url: queries_of(url) for url in urls}
    for number in range(5):
        factories.TriggerRuleFactory(condition=TREE)
        decided(now - timedelta(days=number), properties={"total": 200})
        Outreach.objects.create(
            contact_id=event.contact_id, kind="invitation", reason=f"o{number}", at=now, topic="survey:1"
        )
    assert {url: queries_of(url) for url in urls} == before
