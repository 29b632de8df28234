"""Deciding: which pending events lead to an invitation, and why the others don't."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Min, QuerySet

from apps.common import agenda
from apps.common.batches import SINGLES, sentence, together_or_singly
from apps.contacts import services as contacts
from apps.contacts.budget import CounterEvent
from apps.contacts.eligibility import SKIPPED, Verdict
from apps.contacts.identity import resolve_contacts
from apps.contacts.models import Contact, LegalBasis
from apps.surveys import services as surveys
from apps.touchpoints.claims import PendingEvent, claim_pending, mark_decided
from apps.touchpoints.models import Event, Touchpoint
from apps.touchpoints.services import DECIDE_QUEUE
from apps.triggers import versions
from apps.triggers.eligibility import Occasion, judge
from apps.triggers.facts import Known, gather, rules_by_touchpoint
from apps.triggers.models import Decision, TriggerRule
from apps.triggers.rules import Rule
from apps.triggers.rulings import Ruling, Rulings

MAX_ATTEMPTS = 5
BATCH = 1000
_NOBODY = Verdict(SKIPPED, "unreadable_event")
_NO_RULE = Verdict(SKIPPED, "no_rule")


def next_decision_due() -> datetime | None:
    """When the oldest pending event came in; None if all are decided."""
    found = Event.objects.filter(status=Event.Status.PENDING).aggregate(at=Min("received_at"))
    return found["at"]  # type: ignore[no-any-return]


def decide_pending(*, now: datetime) -> int:
    """Decide a batch of pending events; returns how many were looked at.

    If one of them breaks the batch, they are decided one by one: the others go through, the broken
    one is put aside with its error after a few tries.
    """
    return together_or_singly(
        together=lambda: evaluate_events(now=now),
        waiting=lambda: _pending().values_list("id", flat=True)[:SINGLES],
        single=lambda event_id: evaluate_events(now=now, only=event_id),
        put_aside=_put_aside,
    )


def decide_again(*, event_ids: Collection[UUID], now: datetime) -> int:
    """Give failed events another chance; returns how many there were."""
    failed = Event.objects.filter(id__in=event_ids, status=Event.Status.FAILED)
    count = failed.update(status=Event.Status.PENDING, attempts=0, error="")
    if count:
        agenda.wake(queue=DECIDE_QUEUE, due_at=now, now=now)
    return count


def withdraw(*, rule_ids: Collection[int]) -> int:
    """Take back what rules have scheduled and not sent yet, for they were switched off or go; returns how many."""
    decisions = Decision.objects.filter(rule_id__in=rule_ids, invitation__status="scheduled")
    ids = list(decisions.values_list("invitation_id", flat=True))
    return surveys.revoke_scheduled(invitation_ids=ids, reason="rule_inactive")


def _pending() -> QuerySet[Event]:
    return Event.objects.filter(status=Event.Status.PENDING).order_by("received_at")


def _put_aside(event_id: UUID, error: Exception) -> None:
    pending = Event.objects.filter(pk=event_id, status=Event.Status.PENDING)  # Another worker may have decided it.
    pending.update(attempts=F("attempts") + 1, error=sentence(error))
    pending.filter(attempts__gte=MAX_ATTEMPTS).update(status=Event.Status.FAILED)


def evaluate_events(*, now: datetime, limit: int = BATCH, only: UUID | None = None) -> int:
    """Decide a batch of pending events, or one of them; returns how many there were.

    Set-wise: a fixed number of queries for any batch. Contacts are created or updated from the
    events, locked in id order, and each decision is stored with the invitation it leads to. The rules are
    read before, so that nobody waits for a new version of one while holding contacts.
    """
    if not _pending().exists():
        return 0
    rules = versions.load_rules(rules=all_rules(), now=now)
    return _evaluate(rules, now, limit, only)


def all_rules() -> QuerySet[TriggerRule]:
    """Every rule, with what a version of it needs."""
    return TriggerRule.objects.select_related("survey").prefetch_related("touchpoints", "revoked_by")


@transaction.atomic
def _evaluate(rules: Sequence[Rule], now: datetime, limit: int, only: UUID | None) -> int:
    events = claim_pending(limit=limit, only=only)
    if not events:
        return 0
    people = resolve_contacts(people=[event.contact_data for event in events], now=now)
    touchpoints = Touchpoint.objects.in_bulk({event.touchpoint_id for event in events})
    _record_bases(events, people, touchpoints)
    listening = {t: found for t, found in rules_by_touchpoint(rules).items() if t in touchpoints}
    since = min(event.occurred_at for event in events)
    known = gather([c for c in people if c], rules=listening, touchpoints=touchpoints, now=now, since=since)
    _note_counter_events(events, people, known)
    rulings = Rulings(now=now)
    for event, contact in zip(events, people, strict=True):
        decide_event(event, contact, known, rulings, now)
    rulings.store()
    mark_decided(events=[(e.id, c.id if c else None) for e, c in zip(events, people, strict=True)])
    return len(events)


def decide_event(event: PendingEvent, contact: Contact | None, known: Known, rulings: Rulings, now: datetime) -> None:
    """At least one decision per event, so that “why was she not asked?” always has an answer."""
    if contact is None:
        rulings.add(Ruling(event.id, None, None, _NOBODY))
        return
    if known.histories is not None:
        known.histories[contact.id].count(event.touchpoint_id, event.occurred_at)
    rulings.revoke(event, known, contact.id)
    rules = known.rules.get(event.touchpoint_id)
    if not rules:
        rulings.add(Ruling(event.id, contact.id, None, _NO_RULE))
        return
    occasion = occasion_of(event, contact.id, known)
    for rule in rules:
        rulings.add(Ruling(event.id, contact.id, rule, *judge(rule, occasion, known.book, now)), occasion)


def occasion_of(event: PendingEvent, contact_id: UUID, known: Known) -> Occasion:
    """One event as the rules see it."""
    about_contact, about_company = known.contact_facts(contact_id)
    touchpoint = known.touchpoints[event.touchpoint_id]
    properties = event.properties if isinstance(event.properties, dict) else {}
    facts = {
        "event": {**properties, "touchpoint": touchpoint.key, "source": event.source},
        "contact": about_contact,
        "company": about_company,
    }
    if known.histories is not None:
        facts["history"] = known.histories[contact_id].facts(event.touchpoint_id, event.occurred_at)
    return Occasion(
        key=event.id.bytes,
        person=known.people[contact_id],
        touchpoint_id=event.touchpoint_id,
        touchpoint_is_active=touchpoint.is_active,
        occurred_at=event.occurred_at,
        facts=facts,
        counter_events=known.counter_events.get(contact_id, ()),
        event_id=event.id,
        good_hours=known.good_hours(contact_id, event.touchpoint_id),
    )


def _note_counter_events(events: Sequence[PendingEvent], people: Sequence[Contact | None], known: Known) -> None:
    """Events of this very batch take back what others of it would lead to, whichever came first."""
    revoking = {t for rules in known.rules.values() for rule in rules for t in rule.plans[None].revoked_by}
    for event, contact in zip(events, people, strict=True):
        if contact is not None and event.touchpoint_id in revoking:
            counter = CounterEvent(event.touchpoint_id, event.occurred_at, event.properties, event.id)
            known.counter_events.setdefault(contact.id, []).append(counter)


def _record_bases(
    events: Sequence[PendingEvent], people: Sequence[Contact | None], touchpoints: dict[int, Touchpoint]
) -> None:
    """What the touchpoint proves about the contact: bought something, was given notice."""
    bases: dict[tuple[UUID, str, str], LegalBasis] = {}
    for event, contact in zip(events, people, strict=True):
        touchpoint = touchpoints[event.touchpoint_id]
        if contact and touchpoint.legal_basis:
            kind, source = touchpoint.legal_basis, f"touchpoint:{touchpoint.key}"
            bases.setdefault(
                (contact.id, kind, source),
                LegalBasis(contact=contact, kind=kind, source=source, granted_at=event.occurred_at),
            )
    contacts.record_legal_bases(bases=list(bases.values()))
