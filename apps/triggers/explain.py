"""“Why was she (not) asked?”: every rule, every check, what was found, and what would have to change."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.contacts import eligibility as contact_checks
from apps.contacts.book import Book
from apps.contacts.budget import breaks
from apps.contacts.models import Contact
from apps.touchpoints.claims import PendingEvent
from apps.touchpoints.models import Event
from apps.triggers import eligibility, versions
from apps.triggers.facts import Known, gather, rules_by_touchpoint
from apps.triggers.models import Decision, Segment, TriggerRule
from apps.triggers.rules import Rule, Snapshot
from apps.triggers.services import occasion_of


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of a rule's condition and what was found there."""

    field: str
    op: str
    value: Any
    found: Any
    passed: bool
    negated: bool


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check: ``reason`` is "" where it is content; ``at`` is the time it leads to, where it gives one."""

    name: str
    passed: bool
    reason: str = ""
    at: datetime | None = None
    part: str = ""
    """Which part of the contact budget is in the way: min_gap, cap, survey_gap, company, recent_answer."""
    comparisons: Sequence[Comparison] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """One rule: as it is now with all its checks; and what it decided then, as it was then."""

    rule: TriggerRule
    snapshot: Snapshot
    checks: Sequence[CheckResult]
    decision: Decision | None = None

    @property
    def passed(self) -> bool:
        """Whether the contact would be asked now."""
        return all(check.passed for check in self.checks)


def explain_event(*, event: Event, now: datetime) -> list[Explanation]:
    """Each rule of the event's touchpoint, checked with what is known now. Writes and locks nothing."""
    if event.contact is None:
        return []
    rules = _rules(TriggerRule.objects.filter(touchpoints=event.touchpoint_id))
    rows = event.decisions.select_related("rule_version", "invitation__email")
    decisions = {d.rule_id: d for d in rows.prefetch_related("invitation__reminders")}
    own = {f"invitation:{d.invitation_id}" for d in decisions.values() if d.invitation_id}
    as_sent = PendingEvent(
        event.id, event.touchpoint_id, event.source, event.occurred_at, event.contact_data, event.properties
    )
    return [
        Explanation(row, snapshot, checks, decisions.get(row.pk))
        for row, snapshot, checks in _check(rules, [as_sent], event.contact, now, without=own)
    ]


def explain_contact(*, contact: Contact, now: datetime) -> list[Explanation]:
    """Each rule, as if something happened to the contact now at the first of its touchpoints."""
    rules = _rules(TriggerRule.objects.all())
    imagined = [
        PendingEvent(contact.id, row.touchpoints.all()[0].pk, "", now, {}, {})
        for row, _s in rules
        if row.touchpoints.all()
    ]
    return [Explanation(*found) for found in _check(rules, imagined, contact, now, without=set())]


def _rules(rows: Iterable[TriggerRule]) -> list[tuple[TriggerRule, Snapshot]]:
    segments = {segment.key: segment for segment in Segment.objects.all()}
    found = rows.select_related("survey").prefetch_related("touchpoints", "revoked_by")  # type: ignore[attr-defined]
    return [(row, versions.snapshot(row, segments=segments)) for row in found]


def _check(
    rules: Sequence[tuple[TriggerRule, Snapshot]],
    events: Sequence[PendingEvent],
    contact: Contact,
    now: datetime,
    *,
    without: set[str],
) -> list[tuple[TriggerRule, Snapshot, list[CheckResult]]]:
    ready = {row.pk: versions.ready(snapshot, rule_id=row.pk) for row, snapshot in rules}
    touchpoints = {t.pk: t for row, _snapshot in rules for t in row.touchpoints.all()}
    known = gather([contact], rules=rules_by_touchpoint(ready.values()), touchpoints=touchpoints, now=now, lock=False)
    _forget(known.book, contact.id, without)
    result = []
    for row, snapshot in rules:
        rule = ready[row.pk]
        event = next((e for e in events if e.touchpoint_id in rule.touchpoint_ids), None)
        if event is not None:
            result.append((row, snapshot, _checks(rule, event, contact.id, known, now)))
    return result


def _forget(book: Book, contact_id: UUID, reasons: set[str]) -> None:
    """What the event itself led to does not stand in its own way, nor in its company's."""
    own = [entry for entry in book.entries[contact_id] if entry.reason in reasons]
    for entry in own:
        book.entries[contact_id].remove(entry)
        for times in book.companies.values():
            if entry.at in times:
                times.remove(entry.at)


def _checks(rule: Rule, event: PendingEvent, contact_id: UUID, known: Known, now: datetime) -> list[CheckResult]:
    occasion = occasion_of(event, contact_id, known)
    results = []
    for name, verdict in eligibility.objections(rule, occasion, now):
        comparisons = _comparisons(rule, occasion, now) if name == "condition" else ()
        results.append(CheckResult(name, verdict is None, verdict.reason if verdict else "", comparisons=comparisons))
    entry = eligibility.wanted_entry(rule, occasion)
    facts = known.book.facts(occasion.person, entry, now)
    for name, verdict in contact_checks.objections(facts, known.book.policy, now):
        passed = verdict is None or verdict.at is not None
        reason = verdict.reason if verdict and verdict.reason != "ok" else ""
        policy = known.book.policy.for_plan(entry.plan)
        part = breaks(max(entry.at, now), facts.claim, policy) if reason.startswith("budget") else ""
        results.append(CheckResult(name, passed, reason, verdict.at if verdict else None, part))
    return results


def _comparisons(rule: Rule, occasion: eligibility.Occasion, now: datetime) -> list[Comparison]:
    return [
        Comparison(
            leaf.field, str(leaf.op), eligibility.plain(leaf.value), eligibility.plain(leaf.found), leaf.passed,
            leaf.negated,
        )
        for leaf in rule.condition.explain(occasion.facts, now)
    ]  # fmt: skip
