"""What the Why pages show: whom and what one can look for, and all that speaks for or against asking."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.contacts.models import Contact, ContactBudget, LegalBasis, Outreach
from apps.messaging import suppressions
from apps.messaging.models import Suppression
from apps.surveys.models import Survey
from apps.touchpoints.models import Event
from apps.triggers import explain
from apps.triggers.explain import Explanation
from apps.triggers.models import Decision, TriggerRule

EVENTS = 20
APPROACHES = 50


@dataclass(frozen=True, slots=True)
class AboutEvent:
    """One event: each rule that listens to it, decisions of rules that no longer do, and who never did."""

    event: Event
    explanations: Sequence[Explanation]
    bygone: Sequence[Decision]
    elsewhere: Sequence[str]


@dataclass(frozen=True, slots=True)
class AboutContact:
    """What speaks for and against asking a contact, whatever happens to it next."""

    events: Sequence[Event]
    approaches: Sequence[tuple[Outreach, Survey | None]]
    budget: ContactBudget
    bases: Sequence[LegalBasis]
    suppression: Suppression | None


def contacts(words: str) -> QuerySet[Contact]:
    """Contacts by name, e-mail address or external id."""
    found = Contact.objects.select_related("company")
    return found.filter(Q(name__icontains=words) | Q(email__icontains=words) | Q(external_id__icontains=words))


def events(words: str) -> QuerySet[Event]:
    """Events by id or external id; all of them if no words are given."""
    found = Event.objects.select_related("touchpoint", "contact").defer("properties", "contact_data")
    if not words:
        return found
    meant = Q(external_id__icontains=words)
    with suppress(ValueError):
        meant |= Q(pk=UUID(words))
    return found.filter(meant)


def event(pk: UUID) -> Event:
    """One event with its contact. Raises Event.DoesNotExist."""
    return Event.objects.select_related("touchpoint", "contact__company").get(pk=pk)


def about_event(of: Event, *, now: datetime) -> AboutEvent:
    """Every rule's answer to “why (not)?” for an event. A fixed number of queries."""
    explanations = explain.explain_event(event=of, now=now)
    listening = {explanation.rule.pk for explanation in explanations}
    decisions = of.decisions.select_related("rule", "rule_version", "invitation__email").order_by("decided_at", "pk")
    decisions = decisions.prefetch_related("invitation__reminders")
    elsewhere = TriggerRule.objects.exclude(touchpoints=of.touchpoint_id).values_list("name", flat=True)
    return AboutEvent(
        event=of,
        explanations=explanations,
        bygone=[decision for decision in decisions if decision.rule_id not in listening],
        elsewhere=list(elsewhere),
    )


def about_contact(of: Contact) -> AboutContact:
    """The contact's events, approaches, legal bases and whether its address is blocked. At most six queries."""
    approaches = list(of.outreaches.order_by("-at", "-pk")[:APPROACHES])
    surveys = Survey.objects.in_bulk({pk for row in approaches if (pk := _survey_id(row)) is not None})
    address = of.email or of.phone
    blocked = Suppression.objects.filter(address_hash=suppressions.address_hash(address), lifted_at=None)
    recent = of.events.select_related("touchpoint").defer("properties", "contact_data")
    return AboutContact(
        events=list(recent.order_by("-occurred_at", "-pk")[:EVENTS]),
        approaches=[(row, surveys.get(_survey_id(row) or 0)) for row in approaches],
        budget=ContactBudget.objects.first() or ContactBudget(),
        bases=list(of.legal_bases.order_by("granted_at")),
        suppression=blocked.first() if address else None,
    )


def _survey_id(approach: Outreach) -> int | None:
    kind, _colon, key = approach.topic.partition(":")
    return int(key) if kind == "survey" and key.isdecimal() else None
