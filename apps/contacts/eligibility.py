"""May this contact be asked, and when? Pure: the same function decides live and checks again at dispatch.

``decide`` runs an ordered tuple of small checks; the first one with an objection wins. What only moves the time
(windows, the daily cap, the contact budget) comes last.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from apps.common.schedule import Calendar, closes_at, local_day, next_open, start_of_day
from apps.contacts.budget import NEVER, NO_PLAN, Claim, Entry, Plan, Policy, within_budget

SCHEDULED = "scheduled"
DEFERRED = "deferred"
SKIPPED = "skipped"
BLOCKED = "blocked"
SURVEYS = "surveys"
FOLLOW_UPS = "follow_ups"
"""What a contact may wish to get or not: kinds of mails."""
MAX_MOVES = 1000
ONE_DAY = timedelta(days=1)
UTC_CALENDAR = Calendar("UTC")
_GOLDEN = 0.618033988749895


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known about one contact and one wanted approach. Times are aware."""

    wanted_at: datetime
    give_up_at: datetime
    has_address: bool = True
    is_suppressed: bool = False
    has_legal_basis: bool = True
    by_mail: bool = True
    """False for what is shown on a page: it needs neither an address nor a legal basis for mail."""
    kind: str = SURVEYS
    refuses: frozenset[str] = frozenset()
    """Kinds of mails that the contact does not wish to get."""
    own_gap: timedelta = NEVER
    """The distance between two approaches that the contact wishes for."""
    others: Sequence[Entry] = ()
    """Other approaches to this contact, past and reserved, that don't make way, in any order."""
    company_times: Sequence[datetime] = ()
    """Approaches to all contacts of the company, sorted."""
    not_before: datetime | None = None
    """End of the rest after the last answer or refusal."""
    topic: str = ""
    plan: Plan = NO_PLAN
    calendar: Calendar = UTC_CALENDAR
    home: Calendar = UTC_CALENDAR
    """The tenant's own calendar: its days are the daily cap's days."""
    planned_per_day: Mapping[tuple[str, date], int] | None = None

    @property
    def claim(self) -> Claim:
        """What the contact budget judges."""
        return Claim(
            self.topic,
            self.plan.topic_gap,
            self.others,
            self.company_times,
            self.not_before,
            self.plan.repeats,
            self.own_gap,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided, the machine-readable reason, and the time to approach (None: not at all)."""

    status: str
    reason: str
    at: datetime | None = None


Check = Callable[[Facts, Policy, datetime], Verdict | None]

_NO_ADDRESS = Verdict(BLOCKED, "no_address")
_SUPPRESSED = Verdict(BLOCKED, "suppressed")
_NO_LEGAL_BASIS = Verdict(BLOCKED, "no_legal_basis")
_PREFERENCE = Verdict(BLOCKED, "preference")
_TOO_OLD = Verdict(SKIPPED, "too_old")


def _address(facts: Facts, policy: Policy, now: datetime) -> Verdict | None:
    return _NO_ADDRESS if facts.by_mail and not facts.has_address else None


def _suppression(facts: Facts, policy: Policy, now: datetime) -> Verdict | None:
    return _SUPPRESSED if facts.by_mail and facts.is_suppressed else None


def _legal_basis(facts: Facts, policy: Policy, now: datetime) -> Verdict | None:
    return _NO_LEGAL_BASIS if facts.by_mail and not facts.has_legal_basis else None


def _preference(facts: Facts, policy: Policy, now: datetime) -> Verdict | None:
    return _PREFERENCE if facts.by_mail and facts.kind in facts.refuses else None


def _too_old(facts: Facts, policy: Policy, now: datetime) -> Verdict | None:
    return _TOO_OLD if now > facts.give_up_at else None


def _time(facts: Facts, policy: Policy, now: datetime) -> Verdict | None:
    at, moved_by = place(facts, policy, now)
    if at is None or at > facts.give_up_at:
        return Verdict(SKIPPED, f"{moved_by or 'window'}_too_late")
    if moved_by in {"budget", "preference_gap", "daily_cap"}:
        return Verdict(DEFERRED, moved_by, at)
    return Verdict(SCHEDULED, "ok", at)


CHECKS: tuple[Check, ...] = (_address, _suppression, _legal_basis, _preference, _too_old, _time)


def decide(facts: Facts, policy: Policy, now: datetime) -> Verdict:
    """The verdict for one approach under the tenant's policy, with the exceptions of its plan."""
    policy = policy.for_plan(facts.plan)
    for check in CHECKS:
        verdict = check(facts, policy, now)
        if verdict is not None:
            return verdict
    raise AssertionError("the last check always has a verdict")


def objections(facts: Facts, policy: Policy, now: datetime) -> list[tuple[str, Verdict | None]]:
    """Every check with what it says, for the answer to “why (not)?”: name → verdict, None where it is content."""
    policy = policy.for_plan(facts.plan)
    return [(check.__name__.strip("_"), check(facts, policy, now)) for check in CHECKS]


def place(facts: Facts, policy: Policy, now: datetime) -> tuple[datetime | None, str]:
    """The earliest time that budget, windows and daily cap all allow, and what moved it there last.

    Each of the three only ever moves the time forward to the next one that suits it; the first time that
    none of them moves is the earliest one that suits all. The search ends at the expiry.
    """
    at, moved_by = max(facts.wanted_at, now), ""
    plan, claim = facts.plan, facts.claim
    for _ in range(MAX_MOVES):
        free = within_budget(at, claim, policy)
        if free > at:
            at, moved_by = free, _mover(at, free, claim, policy)
        opened = next_open(at, plan.windows, facts.calendar, skip_holidays=plan.skip_holidays)
        if opened is None or opened > facts.give_up_at:
            return None, moved_by or "window"
        if plan.daily_cap is not None and _is_full(opened, facts):
            at, moved_by = start_of_day(local_day(opened, facts.home) + ONE_DAY, facts.home), "daily_cap"
        elif opened == at:
            # A page asks now or not at all.
            spreads = plan.daily_cap is not None and facts.by_mail
            return (_spread(at, facts, policy) if spreads else at), moved_by
        else:
            at = opened
    return None, moved_by


def _mover(at: datetime, free: datetime, claim: Claim, policy: Policy) -> str:
    """Whether the tenant's budget would have moved it as far, or only the contact's own wish did."""
    if claim.own_gap <= policy.min_gap:
        return "budget"
    without = within_budget(at, claim._replace(own_gap=NEVER), policy)
    return "budget" if without == free else "preference_gap"


def _is_full(at: datetime, facts: Facts) -> bool:
    planned = facts.planned_per_day or {}
    return planned.get((facts.plan.origin, local_day(at, facts.home)), 0) >= (facts.plan.daily_cap or 0)


def _spread(at: datetime, facts: Facts, policy: Policy) -> datetime:
    """Spread a capped day's approaches over the hours that are open, whatever their number turns out to be.

    Multiples of the golden ratio, taken modulo one, lie evenly in the day at any count
    (Knuth, The Art of Computer Programming 3, 6.4).
    """
    planned = facts.planned_per_day or {}
    count = planned.get((facts.plan.origin, local_day(at, facts.home)), 0)
    end = min(closes_at(at, facts.plan.windows, facts.calendar), facts.give_up_at)
    end = min(end, start_of_day(local_day(at, facts.home) + ONE_DAY, facts.home))
    later = at + (end - at) * ((count + 1) * _GOLDEN % 1.0)
    later = later.replace(microsecond=0)
    return later if later > at and within_budget(later, facts.claim, policy) == later else at
