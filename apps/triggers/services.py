"""Deciding: which pending events lead to an invitation, and why the others don't."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Min, QuerySet

from apps.common import agenda
from apps.common.batches import SINGLES, sentence, together_or_singly
from apps.common.ids import uuid7
from apps.contacts import services as contacts
from apps.contacts.eligibility import DEFERRED, SCHEDULED, SKIPPED, Facts, Policy, Verdict, decide
from apps.contacts.identity import resolve_contacts
from apps.contacts.models import Contact, LegalBasis
from apps.messaging import services as messaging
from apps.surveys import services as surveys
from apps.surveys.services import BUDGET_HORIZON, InvitationRequest
from apps.touchpoints.models import Event
from apps.touchpoints.services import DECIDE_QUEUE
from apps.triggers.models import Decision, TriggerRule

MAX_ATTEMPTS = 5


@dataclass(slots=True)
class _Known:
    """What is known about the contacts of one batch. ``ledger`` grows while the batch is decided."""

    policy: Policy
    ledger: dict[UUID, dict[str, datetime]]
    with_basis: set[UUID]
    suppressed: set[str]


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


def withdraw(*, rule_id: int) -> int:
    """Take back what a rule has scheduled and not sent yet, for it was switched off; returns how many."""
    decisions = Decision.objects.filter(rule_id=rule_id, invitation__status="scheduled")
    ids = list(decisions.values_list("invitation_id", flat=True))
    return surveys.revoke_scheduled(invitation_ids=ids, reason="rule_inactive")


def _pending() -> QuerySet[Event]:
    return Event.objects.filter(status=Event.Status.PENDING).order_by("received_at")


def _put_aside(event_id: UUID, error: Exception) -> None:
    pending = Event.objects.filter(pk=event_id, status=Event.Status.PENDING)  # Another worker may have decided it.
    pending.update(attempts=F("attempts") + 1, error=sentence(error))
    pending.filter(attempts__gte=MAX_ATTEMPTS).update(status=Event.Status.FAILED)


@transaction.atomic
def evaluate_events(*, now: datetime, limit: int = 500, only: UUID | None = None) -> int:
    """Decide a batch of pending events, or one of them; returns how many there were.

    Set-wise: a fixed number of queries for any batch. Contacts are created or updated from the
    events, locked in id order, and each decision is stored with the invitation it leads to.
    """
    pending = _pending().filter(pk=only) if only else _pending()
    events = list(pending.select_related("touchpoint").select_for_update(skip_locked=True, of=("self",))[:limit])
    if not events:
        return 0
    people = resolve_contacts(people=[event.contact_data for event in events], now=now)
    _record_bases(events, people)
    rules = _rules_by_touchpoint({event.touchpoint_id for event in events})
    known = _gather([contact for contact in people if contact], now)
    decisions: list[Decision] = []
    requests: list[InvitationRequest] = []
    for event, contact in zip(events, people, strict=True):
        event.contact, event.status = contact, Event.Status.DECIDED
        for decision, request in _decide_event(event, contact, rules[event.touchpoint_id], known, now):
            decisions.append(decision)
            if request:
                requests.append(request)
    _store(events, decisions, requests, now)
    return len(events)


def _decide_event(
    event: Event, contact: Contact | None, rules: Sequence[TriggerRule], known: _Known, now: datetime
) -> list[tuple[Decision, InvitationRequest | None]]:
    """At least one decision per event, so that “why was she not asked?” always has an answer."""
    if contact is None:
        return [(_decision(event, None, None, Verdict(SKIPPED, "unreadable_event"), now), None)]
    if not rules:
        return [(_decision(event, contact, None, Verdict(SKIPPED, "no_rule"), now), None)]
    result: list[tuple[Decision, InvitationRequest | None]] = []
    for rule in rules:
        if not (rule.is_active and rule.survey.is_active and event.touchpoint.is_active):
            result.append((_decision(event, contact, rule, Verdict(SKIPPED, "rule_inactive"), now), None))
            continue
        wanted_at = event.occurred_at + rule.delay
        request_reason = f"event:{event.id}:rule:{rule.pk}"
        facts = Facts(
            wanted_at=wanted_at,
            give_up_at=wanted_at + rule.expires_after,
            has_address=bool(contact.email),
            is_suppressed=contact.email in known.suppressed,
            has_legal_basis=contact.id in known.with_basis,
            outreaches=list(known.ledger.get(contact.id, {}).values()),
        )
        verdict = decide(facts, known.policy, now)
        request = None
        if verdict.at is not None:
            known.ledger.setdefault(contact.id, {})[request_reason] = verdict.at
            request = InvitationRequest(
                contact_id=contact.id,
                survey_id=rule.survey_id,
                touchpoint_id=event.touchpoint_id,
                event_id=event.id,
                reason=request_reason,
                send_at=verdict.at,
                give_up_at=facts.give_up_at,
            )
        result.append((_decision(event, contact, rule, verdict, now), request))
    return result


def _decision(
    event: Event, contact: Contact | None, rule: TriggerRule | None, verdict: Verdict, now: datetime
) -> Decision:
    return Decision(
        id=uuid7(),
        event=event,
        contact=contact,
        rule=rule,
        status=verdict.status,
        reason=verdict.reason,
        until=verdict.at if verdict.status in (SCHEDULED, DEFERRED) else None,
        decided_at=now,
    )


def _store(
    events: Sequence[Event], decisions: Sequence[Decision], requests: Sequence[InvitationRequest], now: datetime
) -> None:
    invitations = surveys.schedule_invitations(requests=requests, now=now)
    for decision in decisions:
        decision.invitation_id = invitations.get(f"event:{decision.event_id}:rule:{decision.rule_id}")
    Decision.objects.bulk_create(decisions)
    Event.objects.bulk_update(events, ["contact", "status"], batch_size=500)


def _rules_by_touchpoint(touchpoint_ids: set[int]) -> dict[int, list[TriggerRule]]:
    rules: dict[int, list[TriggerRule]] = defaultdict(list)
    for rule in TriggerRule.objects.filter(touchpoint_id__in=touchpoint_ids).select_related("survey"):
        rules[rule.touchpoint_id].append(rule)
    return rules


def _gather(people: Sequence[Contact], now: datetime) -> _Known:
    contact_ids = sorted({contact.id for contact in people})
    return _Known(
        policy=contacts.current_policy(),
        ledger=contacts.outreach_times(contact_ids=contact_ids, since=now - BUDGET_HORIZON),
        with_basis=contacts.with_legal_basis(contact_ids=contact_ids),
        suppressed=messaging.suppressed(emails={contact.email for contact in people if contact.email}),
    )


def _record_bases(events: Sequence[Event], people: Sequence[Contact | None]) -> None:
    """What the touchpoint proves about the contact: bought something, was given notice."""
    bases: dict[tuple[UUID, str, str], LegalBasis] = {}
    for event, contact in zip(events, people, strict=True):
        kind = event.touchpoint.legal_basis
        if contact and kind:
            source = f"touchpoint:{event.touchpoint.key}"
            bases.setdefault(
                (contact.id, kind, source),
                LegalBasis(contact=contact, kind=kind, source=source, granted_at=event.occurred_at),
            )
    contacts.record_legal_bases(bases=list(bases.values()))
