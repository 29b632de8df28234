"""When may a contact be approached again? The contact budget over everything that is sent or shown. Pure: no Django.

An approach may be placed where, together with all others, no limit is broken: “at most ``most`` within any
``within``”. Two approaches with a minimum distance are the limit “at most one within that distance”.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from apps.common.schedule import Window

NEVER = timedelta(0)
MAX_MATCH = 200
_THREADED = frozenset({"invitation", "reminder"})


class Limit(NamedTuple):
    """At most ``most`` approaches within any stretch shorter than ``within``."""

    most: int
    within: timedelta


@dataclass(frozen=True, slots=True)
class Policy:
    """A tenant's contact budget."""

    min_gap: timedelta = NEVER
    caps: tuple[Limit, ...] = ()
    company: Limit | None = None
    after_response: timedelta = NEVER
    after_decline: timedelta = NEVER
    limits: tuple[Limit, ...] = field(init=False)
    """What holds between any two approaches to one contact."""

    def __post_init__(self) -> None:
        gap = (Limit(1, self.min_gap),) if self.min_gap > NEVER else ()
        object.__setattr__(self, "limits", gap + self.caps)

    def for_plan(self, plan: "Plan") -> "Policy":
        """This policy with the plan's exceptions."""
        if plan.min_gap is None and not plan.beyond_caps:
            return self
        return replace(
            self,
            min_gap=self.min_gap if plan.min_gap is None else plan.min_gap,
            caps=() if plan.beyond_caps else self.caps,
            company=None if plan.beyond_caps else self.company,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What an approach has to keep to besides the budget, and what takes it back. Copied from its rule."""

    windows: tuple[Window, ...] = ()
    skip_holidays: bool = False
    origin: str = ""
    daily_cap: int | None = None
    revoked_by: frozenset[int] = frozenset()
    """Touchpoints whose events take the approach back."""
    match: str = ""
    """Name of the event property that has to be the same (an order's number); "" if any event will do."""
    match_value: str = ""
    cause_at: datetime | None = None
    """When the event happened that this approach is about; an earlier event takes nothing back."""
    topic_gap: timedelta = NEVER
    """Minimum distance between two approaches with the same topic."""
    min_gap: timedelta | None = None
    """Exception from the policy's minimum distance; None: no exception."""
    beyond_caps: bool = False
    """Exception: the policy's maximum numbers don't hold this approach back."""
    repeats: str = ""
    """The thread that a reminder belongs to: how far it keeps from its own invitation is for its delay to say."""

    def is_revoked_by(self, touchpoint_id: int, occurred_at: datetime, value: str) -> bool:
        """Whether an event at this touchpoint takes the approach back; ``value`` is its ``match`` property."""
        if touchpoint_id not in self.revoked_by or (self.cause_at and occurred_at < self.cause_at):
            return False
        return not self.match or (value != "" and value == self.match_value)


NO_PLAN = Plan()


class CounterEvent(NamedTuple):
    """An event that may take approaches back; ``properties`` as sent."""

    touchpoint_id: int
    occurred_at: datetime
    properties: Mapping[str, Any]
    event_id: UUID | None = None

    def revokes(self, plan: Plan) -> bool:
        """Whether it takes an approach with this plan back."""
        value = property_text(self.properties, plan.match) if plan.match else ""
        return plan.is_revoked_by(self.touchpoint_id, self.occurred_at, value)


def property_text(properties: object, name: str) -> str:
    """A property of an event as text, "" if it has none: 4711 and “4711” are the same order."""
    value = properties.get(name) if isinstance(properties, Mapping) else None
    return "" if value is None or isinstance(value, dict | list) else str(value)[:MAX_MATCH]


@dataclass(slots=True)
class Entry:
    """One approach in the ledger. Times are aware."""

    reason: str
    at: datetime
    topic: str = ""
    """What is asked, e.g. ``survey:3``: each survey has a clock of its own."""
    priority: int = 0
    give_up_at: datetime | None = None
    plan: Plan = NO_PLAN
    is_spent: bool = False

    @property
    def thread(self) -> str:
        """What an invitation and its reminders have in common: ``invitation:7`` and ``reminder:7:1`` are ``7``."""
        kind, _colon, rest = self.reason.partition(":")
        return rest.partition(":")[0] if kind in _THREADED else ""

    def gives_way_to(self, priority: int, now: datetime) -> bool:
        """True if an approach of this priority may push it back: it is weaker, and its time has not come yet."""
        return self.priority < priority and not self.is_spent and self.at > now and self.give_up_at is not None


def free_from(wanted: datetime, taken: Sequence[datetime], limit: Limit) -> datetime:
    """The earliest time at or after ``wanted`` that breaks the limit neither backward nor forward.

    ``taken`` is sorted. What is taken may break the limit already; that is not held against the newcomer
    unless it makes the crowd larger.
    """
    most, within = limit
    if len(taken) < most or within <= NEVER:
        return wanted
    if _fits(wanted, taken, most, within):
        return wanted
    for other in taken:
        at = other + within
        if at > wanted and _fits(at, taken, most, within):
            return at
    return max(wanted, taken[-1] + within)


def _fits(at: datetime, taken: Sequence[datetime], most: int, within: timedelta) -> bool:
    """Every ``most + 1`` neighbours that include ``at`` must span at least ``within``."""
    place = bisect_left(taken, at)
    around = [*taken[max(0, place - most) : place], at, *taken[place : place + most]]
    return all(around[i + most] - around[i] >= within for i in range(len(around) - most))


class Claim(NamedTuple):
    """One approach that looks for its time: what it is about, and what else is taken."""

    topic: str
    topic_gap: timedelta
    others: Sequence[Entry]
    company_times: Sequence[datetime]
    not_before: datetime | None
    repeats: str = ""
    own_gap: timedelta = NEVER
    """The distance that the contact wishes for; no exception from the policy's goes below it."""

    @property
    def strangers(self) -> Sequence[Entry]:
        """The others without those of the approach's own thread."""
        return [entry for entry in self.others if entry.thread != self.repeats] if self.repeats else self.others


def within_budget(wanted: datetime, claim: Claim, policy: Policy) -> datetime:
    """The earliest time at or after ``wanted`` that the budget allows."""
    at = wanted
    if claim.not_before is not None and at < claim.not_before:
        at = claim.not_before
    others, company = claim.others, policy.company if claim.company_times else None
    if not others and company is None:
        return at
    limits = _limits(claim, policy)
    same = sorted(e.at for e in others if e.topic == claim.topic) if claim.topic_gap > NEVER and claim.topic else []
    while True:
        before = at
        for limit, times in limits:
            at = free_from(at, times, limit)
        if same:
            at = free_from(at, same, Limit(1, claim.topic_gap))
        if company is not None:
            at = free_from(at, claim.company_times, company)
        if at == before:
            return at


def _limits(claim: Claim, policy: Policy) -> list[tuple[Limit, list[datetime]]]:
    """Each limit with the times it counts: every approach fills the caps, the distance is kept from strangers."""
    times = sorted(entry.at for entry in claim.others)
    apart = sorted(entry.at for entry in claim.strangers) if claim.repeats else times
    found = [(limit, apart if _is_gap(limit, policy) else times) for limit in policy.limits]
    return [*found, (Limit(1, claim.own_gap), apart)] if claim.own_gap > policy.min_gap else found


def _is_gap(limit: Limit, policy: Policy) -> bool:
    return limit.most == 1 and limit.within == policy.min_gap


def breaks(at: datetime, claim: Claim, policy: Policy) -> str:
    """Which part of the budget forbids this very time: a code, or "" if none does."""
    if claim.not_before is not None and at < claim.not_before:
        return "recent_answer"
    for limit, times in _limits(claim, policy):
        if free_from(at, times, limit) != at:
            return "min_gap" if limit.most == 1 and limit.within in (policy.min_gap, claim.own_gap) else "cap"
    same = sorted(entry.at for entry in claim.others if claim.topic and entry.topic == claim.topic)
    if same and claim.topic_gap > NEVER and free_from(at, same, Limit(1, claim.topic_gap)) != at:
        return "survey_gap"
    if policy.company and claim.company_times and free_from(at, claim.company_times, policy.company) != at:
        return "company"
    return ""
