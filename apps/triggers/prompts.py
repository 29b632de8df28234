"""May a survey show itself on a page? The same rules, the same budget, answered at once."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.common.ids import uuid7
from apps.contacts import ledger
from apps.contacts.book import Book, Person
from apps.contacts.budget import Entry
from apps.contacts.eligibility import SCHEDULED
from apps.contacts.identity import ContactData, resolve_contacts
from apps.contacts.models import Outreach
from apps.touchpoints.claims import PendingEvent
from apps.touchpoints.models import Touchpoint
from apps.triggers import versions
from apps.triggers.eligibility import Occasion, weigh
from apps.triggers.facts import gather, rules_by_touchpoint
from apps.triggers.models import TriggerRule
from apps.triggers.rules import Rule
from apps.triggers.services import occasion_of


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at the page: a contact the page names, a first-party id, or nobody known.

    ``visitor_id`` is used only with ``consent`` (TDDDG §25): without it nothing is stored about the visitor and
    nothing can be counted.
    """

    contact: ContactData = field(default_factory=dict)  # type: ignore[assignment]
    visitor_id: str = ""
    consent: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """The answer: show this survey (``reason`` names the approach in the ledger) or don't, and why."""

    show: bool
    why: str
    survey_id: int | None = None
    reason: str = ""
    contact_id: UUID | None = None


def may_show(*, touchpoint: Touchpoint, visitor: Visitor, properties: dict[str, Any], now: datetime) -> Prompt:
    """Decide whether a page may ask now; what may is entered in the contact budget at once.

    The highest rule of the touchpoint whose checks all pass wins. A page cannot wait: what would have to be
    deferred is not shown.
    """
    rules = rules_by_touchpoint(_rules(touchpoint, now)).get(touchpoint.pk, [])
    if not rules:
        return Prompt(False, "no_rule")
    return _decide(rules, touchpoint, visitor, properties, now)


@transaction.atomic
def _decide(
    rules: list[Rule], touchpoint: Touchpoint, visitor: Visitor, properties: dict[str, Any], now: datetime
) -> Prompt:
    event = PendingEvent(uuid7(), touchpoint.pk, "web", now, {}, properties)
    identity = _identity(visitor)
    if not identity:
        return _for_nobody(rules, event, touchpoint)
    [contact] = resolve_contacts(people=[identity], now=now)
    if contact is None:
        return Prompt(False, "no_consent")
    known = gather([contact], rules={touchpoint.pk: rules}, touchpoints={touchpoint.pk: touchpoint}, now=now)
    # The same visitor falls into the same share on every view of the page.
    occasion = replace(occasion_of(event, contact.id, known), key=contact.id.bytes)
    prompt, entry = _first(rules, occasion, known.book, now)
    if entry is not None:
        ledger.enter(entries=[(contact.id, entry)], kind=Outreach.Kind.WEB_PROMPT, state=Outreach.State.SPENT)
    return prompt


def decline(*, reason: str, now: datetime) -> None:
    """The visitor closed the question unanswered: the budget's rest after a refusal begins."""
    ledger.note_outcome(reason=reason, outcome=Outreach.Outcome.DECLINED, now=now)


def _identity(visitor: Visitor) -> ContactData:
    if visitor.contact.get("external_id") or visitor.contact.get("email"):
        return visitor.contact
    if visitor.consent and visitor.visitor_id:
        return ContactData(external_id=f"visitor:{visitor.visitor_id}"[:200])
    return ContactData()


def _rules(touchpoint: Touchpoint, now: datetime) -> list[Rule]:
    rows = TriggerRule.objects.filter(touchpoints=touchpoint, is_active=True).select_related("survey")
    return versions.load_rules(rules=rows.prefetch_related("touchpoints", "revoked_by"), now=now)


def _first(rules: list[Rule], occasion: Occasion, book: Book, now: datetime) -> tuple[Prompt, Entry | None]:
    """The first rule that may ask now, with its approach."""
    why = "no_rule"
    for rule in rules:
        at_once = replace(rule, wait="duration", delay=timedelta(0))
        verdict, entry = weigh(at_once, replace(occasion, by_mail=False), book, now)
        if verdict.status == SCHEDULED and verdict.at == now and entry is not None:
            entry.reason = f"prompt:{uuid7()}"
            return Prompt(True, "ok", rule.survey_id, entry.reason, occasion.person.id), entry
        why = verdict.reason if verdict.reason != "ok" else "window_too_late"
    return Prompt(False, why), None


def _for_nobody(rules: list[Rule], event: PendingEvent, touchpoint: Touchpoint) -> Prompt:
    """Nobody is recognised: what the page says about itself decides, and nothing is stored or counted."""
    facts = {"event": {**event.properties, "touchpoint": touchpoint.key, "source": event.source}}
    person = Person(id=event.id)
    occasion = Occasion(
        event.id.bytes, person, touchpoint.pk, touchpoint.is_active, event.occurred_at, facts, by_mail=False
    )
    prompt, _entry = _first(rules, occasion, Book(ledger.current_policy(), ledger.home_calendar()), event.occurred_at)
    return replace(prompt, reason="", contact_id=None)
