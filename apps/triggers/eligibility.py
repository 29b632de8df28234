"""What a rule decides for one occasion. Pure: deciding live, trying rules out and explaining all come here.

First what only the rule knows (is it on, does its condition hold, is the contact in its share), then what
the contact decides (:mod:`apps.contacts.eligibility`). The first objection wins.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from apps.common.ids import uuid7
from apps.contacts.best_hour import shift_to_good_hour
from apps.contacts.book import Book, Move, Person
from apps.contacts.budget import CounterEvent, Entry
from apps.contacts.eligibility import SKIPPED, Verdict, decide
from apps.triggers.rules import LEARNED, Rule, extra_wait

Facts = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Occasion:
    """One event of one contact, or one turn of a cadence."""

    key: bytes
    person: Person
    touchpoint_id: int | None
    touchpoint_is_active: bool
    occurred_at: datetime
    facts: Facts
    """What conditions are about: event, contact, company, history."""
    counter_events: Sequence[CounterEvent] = ()
    by_mail: bool = True
    event_id: UUID | None = None
    """The event itself takes nothing of its own back."""
    good_hours: Sequence[int] = ()
    """When the contact usually answers, the best hour first; () if that is not known."""


class Outcome(NamedTuple):
    """What was decided; with the approach that was entered into the book and those that make way for it."""

    verdict: Verdict
    entry: Entry | None = None
    moves: Sequence[Move] = ()
    details: dict[str, Any] | None = None


Check = Callable[[Rule, Occasion, datetime], Verdict | None]
_BROKEN = Verdict(SKIPPED, "rule_broken")
_INACTIVE = Verdict(SKIPPED, "rule_inactive")
_PERIOD = Verdict(SKIPPED, "outside_period")
_CONDITION = Verdict(SKIPPED, "condition")
_COUNTERED = Verdict(SKIPPED, "counter_event")
_NOT_SAMPLED = Verdict(SKIPPED, "not_sampled")


def _readable(rule: Rule, occasion: Occasion, now: datetime) -> Verdict | None:
    return _BROKEN if rule.is_broken else None


def _active(rule: Rule, occasion: Occasion, now: datetime) -> Verdict | None:
    return None if rule.is_active and occasion.touchpoint_is_active else _INACTIVE


def _period(rule: Rule, occasion: Occasion, now: datetime) -> Verdict | None:
    if rule.active_from is not None and occasion.occurred_at < rule.active_from:
        return _PERIOD
    return _PERIOD if rule.active_until is not None and occasion.occurred_at >= rule.active_until else None


def _condition(rule: Rule, occasion: Occasion, now: datetime) -> Verdict | None:
    return None if rule.condition.test(occasion.facts, now) else _CONDITION


def _counter_event(rule: Rule, occasion: Occasion, now: datetime) -> Verdict | None:
    if not occasion.counter_events:
        return None
    plan = rule.plan_for(occasion.touchpoint_id, occasion.occurred_at, occasion.facts.get("event"))
    others = (event for event in occasion.counter_events if event.event_id != occasion.event_id)
    return _COUNTERED if any(event.revokes(plan) for event in others) else None


def _sample(rule: Rule, occasion: Occasion, now: datetime) -> Verdict | None:
    return None if rule.percent >= 100 or rule.samples(occasion.key) else _NOT_SAMPLED


CHECKS: tuple[Check, ...] = (_readable, _active, _period, _condition, _counter_event, _sample)


def judge(rule: Rule, occasion: Occasion, book: Book, now: datetime, *, with_details: bool = True) -> Outcome:
    """Decide one occasion; what is decided to be asked is in the book afterwards."""
    verdict, entry = weigh(rule, occasion, book, now)
    if verdict.at is not None and entry is not None:
        entry.at = verdict.at
        return Outcome(verdict, entry, book.enter(occasion.person, entry, now))
    return Outcome(verdict, details=_details(rule, occasion, now) if with_details and verdict is _CONDITION else None)


def weigh(rule: Rule, occasion: Occasion, book: Book, now: datetime) -> tuple[Verdict, Entry | None]:
    """What would be decided, and the approach that was wanted; the book stays as it is."""
    for check in CHECKS:
        verdict = check(rule, occasion, now)
        if verdict is not None:
            return verdict, None
    entry = wanted_entry(rule, occasion)
    return decide(book.facts(occasion.person, entry, now, by_mail=occasion.by_mail), book.policy, now), entry


def wanted_entry(rule: Rule, occasion: Occasion) -> Entry:
    """The approach a rule wants, at the time it wants it."""
    calendar = occasion.person.calendar
    about = occasion.facts.get("event")
    wanted = rule.wanted_at(occasion.occurred_at, calendar) + extra_wait(about)
    give_up_at = wanted + rule.expires_after
    plan = rule.plan_for(occasion.touchpoint_id, occasion.occurred_at, about)
    if hour_arm(rule, occasion) == LEARNED:
        wanted = shift_to_good_hour(
            wanted, occasion.good_hours, plan.windows, calendar, give_up_at, skip_holidays=plan.skip_holidays
        )
    return Entry(
        reason=f"invitation:{uuid7()}",
        at=wanted,
        topic=f"survey:{rule.survey_id}",
        priority=rule.priority,
        give_up_at=give_up_at,
        plan=plan,
    )


def hour_arm(rule: Rule, occasion: Occasion) -> str:
    """Whether the hour is the learnt one, the usual one for comparison, or "": nothing learnt, nothing compared."""
    if not rule.best_hour or not occasion.by_mail or not occasion.good_hours:
        return ""
    return rule.hour_arm(occasion.person.id.bytes)


def objections(rule: Rule, occasion: Occasion, now: datetime) -> list[tuple[str, Verdict | None]]:
    """Every check of the rule with what it says: name → verdict, None where it is content."""
    return [(check.__name__.strip("_"), check(rule, occasion, now)) for check in CHECKS]


def _details(rule: Rule, occasion: Occasion, now: datetime) -> dict[str, Any] | None:
    """Which part of the condition did not hold, and what was found there."""
    leaf = rule.condition.missing_part(occasion.facts, now)
    if leaf is None:
        return None
    found = {"field": leaf.field, "op": str(leaf.op), "value": plain(leaf.value), "found": plain(leaf.found)}
    return {**found, "negated": True} if leaf.negated else found


def plain(value: Any) -> Any:
    """A value as JSON keeps it, cut to a readable length."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return value[:200]
    if isinstance(value, list):
        return [plain(part) for part in value[:20]]
    if isinstance(value, dict):
        return str(value)[:200]
    return value
