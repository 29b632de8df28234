"""May this contact be asked, and when? Pure: the same function decides live and checks again at dispatch.

``decide`` runs an ordered tuple of small checks; the first one with an objection wins.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

SCHEDULED = "scheduled"
DEFERRED = "deferred"
SKIPPED = "skipped"
BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known about one contact and one wanted approach. Times are aware."""

    wanted_at: datetime
    give_up_at: datetime
    has_address: bool
    is_suppressed: bool
    has_legal_basis: bool
    outreaches: Sequence[datetime] = ()
    """Other approaches to this contact, past and reserved, in any order."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The tenant's contact budget."""

    min_gap: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided, the machine-readable reason, and the time to approach (None: not at all)."""

    status: str
    reason: str
    at: datetime | None = None


Check = Callable[[Facts, Policy, datetime], Verdict | None]


def earliest_free(wanted: datetime, taken: Sequence[datetime], gap: timedelta) -> datetime:
    """The earliest time at or after ``wanted`` that keeps ``gap`` to every taken time on both sides."""
    at = wanted
    if gap <= timedelta(0):
        return at
    for other in sorted(taken):
        if abs(at - other) < gap:
            at = other + gap
    return at


def _address(facts: Facts, policy: Policy, now: datetime) -> Verdict | None:
    return None if facts.has_address else Verdict(BLOCKED, "no_address")


def _suppression(facts: Facts, policy: Policy, now: datetime) -> Verdict | None:
    return Verdict(BLOCKED, "suppressed") if facts.is_suppressed else None


def _legal_basis(facts: Facts, policy: Policy, now: datetime) -> Verdict | None:
    return None if facts.has_legal_basis else Verdict(BLOCKED, "no_legal_basis")


def _too_old(facts: Facts, policy: Policy, now: datetime) -> Verdict | None:
    return Verdict(SKIPPED, "too_old") if now > facts.give_up_at else None


def _budget(facts: Facts, policy: Policy, now: datetime) -> Verdict | None:
    wanted = max(facts.wanted_at, now)
    at = earliest_free(wanted, facts.outreaches, policy.min_gap)
    if at == wanted:
        return None
    if at > facts.give_up_at:
        return Verdict(SKIPPED, "budget_too_late")
    return Verdict(DEFERRED, "budget", at)


CHECKS: tuple[Check, ...] = (_address, _suppression, _legal_basis, _too_old, _budget)


def decide(facts: Facts, policy: Policy, now: datetime) -> Verdict:
    """The verdict for one approach."""
    for check in CHECKS:
        verdict = check(facts, policy, now)
        if verdict is not None:
            return verdict
    return Verdict(SCHEDULED, "ok", max(facts.wanted_at, now))
