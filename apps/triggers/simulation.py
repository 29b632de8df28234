"""Rules and a contact budget tried against the past: the same decisions, nothing written. Memory stays bounded:
events stream by in chunks, and only the book of approaches is kept.
"""

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from apps.common.schedule import Calendar, local_day
from apps.contacts.book import Book, Move
from apps.contacts.budget import CounterEvent, Policy, property_text
from apps.contacts.eligibility import DEFERRED, SCHEDULED
from apps.touchpoints.models import Touchpoint
from apps.triggers import hours
from apps.triggers.eligibility import Occasion, Outcome, judge
from apps.triggers.facts import History, rules_by_touchpoint
from apps.triggers.hours import AnswerHours
from apps.triggers.past import (
    CHUNK,
    Acquaintance,
    Memory,
    PastEvent,
    Stretch,
    company_times_before,
    histories_before,
    made_before,
)
from apps.triggers.rules import Rule

EXAMPLES = 20
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Tally:
    """What one rule, or all the others together, came to."""

    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(status, reason) → number of decisions."""
    days: Counter[date] = field(default_factory=Counter)
    """Local day of the tenant → number of mails planned."""
    examples: dict[str, list[dict[str, str | None]]] = field(default_factory=lambda: defaultdict(list))

    def as_json(self) -> dict[str, Any]:
        """For the stored result."""
        return {
            "reasons": [[*key, count] for key, count in sorted(self.reasons.items(), key=lambda item: -item[1])],
            "asked": sum(n for (status, _why), n in self.reasons.items() if status in {SCHEDULED, DEFERRED}),
            "days": {day.isoformat(): count for day, count in sorted(self.days.items()) if count},
            "examples": dict(self.examples),
        }


@dataclass(slots=True)
class Simulation:
    """One trial. ``subject`` is the origin of the rule that is tried; the others are counted together."""

    rules: Sequence[Rule]
    policy: Policy
    home: Calendar
    stretch: Stretch
    subject: str
    on_decision: Callable[[PastEvent, Rule, Outcome], None] | None = None
    book: Book = field(init=False)
    memory: Memory = field(init=False)
    tallies: dict[bool, Tally] = field(default_factory=lambda: {True: Tally(), False: Tally()})
    histories: dict[UUID, History] | None = None
    counters: dict[UUID, list[CounterEvent]] = field(default_factory=lambda: defaultdict(list))
    planned: dict[str, tuple[bool, str, str]] = field(default_factory=dict)
    seen: set[UUID] = field(default_factory=set)
    companies_seen: set[int] = field(default_factory=set)
    by_touchpoint: dict[int, list[Rule]] = field(init=False)
    revoking: frozenset[int] = field(init=False)
    matches: frozenset[str] = field(init=False)
    may_change: bool = field(init=False)
    """Whether anything planned can be pushed back or taken back later."""
    touchpoints: dict[int, Touchpoint] = field(default_factory=dict)
    hours: AnswerHours | None = None
    """When contacts usually answered, as far as it was known when the stretch began."""

    def __post_init__(self) -> None:
        self.book = Book(policy=self.policy, home=self.home)
        self.memory = Memory(self.policy, frozenset().union(*(rule.fields for rule in self.rules)))
        self.by_touchpoint = rules_by_touchpoint(self.rules)
        self.revoking = frozenset(t for rule in self.rules for t in rule.plans[None].revoked_by)
        self.matches = frozenset(rule.plans[None].match for rule in self.rules) - {""}
        self.may_change = bool(self.revoking) or len({rule.priority for rule in self.rules}) > 1
        if any(rule.needs_history for rule in self.rules):
            self.histories = {}
        if any(rule.best_hour for rule in self.rules):
            self.hours = hours.read({}, before=self.stretch.since)

    def run(self, progress: Progress = lambda done, total: None, chunk: int = CHUNK) -> dict[str, Any]:
        """Go through the stretch; returns the result as JSON."""
        total, done = self.stretch.count(), 0
        self.touchpoints = Touchpoint.objects.in_bulk(list(self.stretch.touchpoint_ids))
        progress(0, total)
        for events in self.stretch.chunks(chunk):
            self._meet(events)
            known = self.memory.known
            for event in events:
                acquaintance = known.get(event.contact_id)
                if acquaintance is not None:
                    self._happen(event, acquaintance)
            done += len(events)
            progress(done, max(total, done))
        return {
            "events": done,
            **{name: self.tallies[key].as_json() for name, key in (("rule", True), ("others", False))},
        }

    def _meet(self, events: Sequence[PastEvent]) -> None:
        """Contacts seen for the first time bring along what they were sent in the year before."""
        people = self.memory.meet(events)
        if self.histories is not None:
            unknown = [a for a in people if a.person.id not in self.histories]
            self.histories.update(histories_before(unknown, self.stretch.since))
        if self.hours is not None:
            self.hours.meet({a.person.id: a.person for a in people})
        fresh = {a.person.id for a in people} - self.seen
        self.seen |= fresh
        for contact_id, entry in made_before(list(fresh), self.stretch.since):
            self.book.entries[contact_id].append(entry)
        limit = self.policy.company
        companies = {a.person.company_id for a in people if a.person.company_id is not None} - self.companies_seen
        if limit is not None and companies:
            self.companies_seen |= companies
            for company_id, at in company_times_before(list(companies), self.stretch.since, limit.within):
                # In front of what the trial itself has planned meanwhile.
                insort(self.book.companies[company_id], at)

    def _happen(self, event: PastEvent, about: Acquaintance) -> None:
        """One event: what it takes back, and what each rule decides."""
        touchpoint = self.touchpoints[event.touchpoint_id]
        person = about.at(event.occurred_at, touchpoint)
        if event.touchpoint_id in self.revoking:
            self._counter(event, person)
        rules = self.by_touchpoint.get(event.touchpoint_id, ())
        history = self._history(event, about)
        if not rules:
            return
        properties = event.properties if isinstance(event.properties, dict) else {}
        facts = {"event": {**properties, "touchpoint": touchpoint.key, "source": event.source}}
        if about.facts is not None:
            facts["contact"], facts["company"] = about.facts
        if history is not None:
            facts["history"] = history
        occasion = Occasion(
            event.id.bytes, person, event.touchpoint_id, touchpoint.is_active, event.occurred_at, facts,
            self.counters.get(event.contact_id, ()) if self.revoking else (), event_id=event.id,
            good_hours=self.hours.good(person, event.touchpoint_id) if self.hours else (),
        )  # fmt: skip
        for rule in rules:
            outcome = judge(rule, occasion, self.book, event.occurred_at, with_details=False)
            self._tally(event, rule, outcome)
            if self.on_decision is not None:
                self.on_decision(event, rule, outcome)

    def _history(self, event: PastEvent, about: Acquaintance) -> dict[str, Any] | None:
        if self.histories is None:
            return None
        history = self.histories[event.contact_id]
        history.count(event.touchpoint_id, event.occurred_at)
        about.note_answers(history, event.occurred_at)
        return history.facts(event.touchpoint_id, event.occurred_at)

    def _counter(self, event: PastEvent, person: Any) -> None:
        # Only what can ever be compared is kept: there may be many.
        kept = {name: value for name in self.matches if (value := property_text(event.properties, name))}
        counter = CounterEvent(event.touchpoint_id, event.occurred_at, kept, event.id)
        self.counters[event.contact_id].append(counter)
        for entry in list(self.book.entries.get(event.contact_id, ())):
            due = entry.is_spent or entry.at <= event.occurred_at
            if not due and entry.plan.revoked_by and counter.revokes(entry.plan):
                self.book.drop(person, entry)
                self._undo(entry.reason, entry.at, "skipped", "counter_event")

    def _tally(self, event: PastEvent, rule: Rule, outcome: Outcome) -> None:
        is_subject = rule.origin == self.subject
        tally, verdict = self.tallies[is_subject], outcome.verdict
        tally.reasons[verdict.status, verdict.reason] += 1
        if outcome.entry is not None:
            tally.days[local_day(outcome.entry.at, self.home)] += 1
            if self.may_change:
                self.planned[outcome.entry.reason] = (is_subject, verdict.status, verdict.reason)
        for move in outcome.moves:
            self._pushed(move)
        examples = tally.examples[verdict.reason] if is_subject else None
        if examples is not None and len(examples) < EXAMPLES:
            at = verdict.at.isoformat() if verdict.at else None
            examples.append({
                "event": str(event.id), "contact": str(event.contact_id), "occurred_at": event.occurred_at.isoformat(),
                "at": at,
            })  # fmt: skip

    def _pushed(self, move: Move) -> None:
        """Somebody made way: counted where it is now, under a reason of its own."""
        known = self.planned.get(move.entry.reason)
        if known is None:
            return
        status = DEFERRED if move.at is not None else "skipped"
        self._undo(move.entry.reason, move.came_from, status, "outranked")
        if move.at is not None:
            self.planned[move.entry.reason] = (known[0], status, "outranked")
            self.tallies[known[0]].days[local_day(move.at, self.home)] += 1

    def _undo(self, reason: str, at: datetime, status: str, why: str) -> None:
        known = self.planned.pop(reason, None)
        if known is None:
            return
        tally = self.tallies[known[0]]
        tally.reasons[known[1], known[2]] -= 1
        tally.reasons[status, why] += 1
        tally.days[local_day(at, self.home)] -= 1


def touchpoints_of(rules: Sequence[Rule]) -> list[int]:
    """Where something happens that concerns the rules: everywhere, if they count a contact's events."""
    if any(rule.needs_history for rule in rules):
        return list(Touchpoint.objects.order_by("pk").values_list("pk", flat=True))
    found = {t for rule in rules for t in rule.touchpoint_ids}
    return sorted(found | {t for rule in rules for t in rule.plans[None].revoked_by})
