"""The ledger of approaches while a batch is decided: who takes a slot, and who makes way. Pure: no Django.

Deciding live, checking again at dispatch and trying rules against the past all keep the same book; they differ
in where it is read from and whether it is written back.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from apps.common.schedule import Calendar, local_day
from apps.contacts.budget import NEVER, Entry, Policy, breaks
from apps.contacts.eligibility import UTC_CALENDAR, Facts, Verdict, decide, place


@dataclass(frozen=True, slots=True)
class Person:
    """What deciding needs to know about a contact."""

    id: UUID
    company_id: int | None = None
    has_address: bool = True
    is_suppressed: bool = False
    has_legal_basis: bool = True
    calendar: Calendar = UTC_CALENDAR
    last_response_at: datetime | None = None
    last_decline_at: datetime | None = None
    refuses: frozenset[str] = frozenset()
    """Kinds of mails that the contact does not wish to get."""
    own_gap: timedelta = NEVER
    """The distance between two approaches that the contact wishes for."""


class Move(NamedTuple):
    """A reserved approach that makes way: its new time, or None if it has none within its expiry."""

    entry: Entry
    at: datetime | None
    came_from: datetime


class Decided(NamedTuple):
    """A verdict, and which reserved approaches make way for it."""

    verdict: Verdict
    moves: Sequence[Move]


@dataclass(slots=True)
class Book:
    """Approaches per contact and company, and how many are planned per rule and day."""

    policy: Policy
    home: Calendar = UTC_CALENDAR
    entries: dict[UUID, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    companies: dict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    per_day: dict[tuple[str, date], int] = field(default_factory=lambda: defaultdict(int))

    def facts(self, person: Person, wanted: Entry, now: datetime, *, by_mail: bool = True) -> Facts:
        """What is known for one wanted approach: ``wanted.at`` is when it should be, ``give_up_at`` its end."""
        held = self.entries.get(person.id)
        company = person.company_id
        return Facts(
            wanted_at=wanted.at,
            give_up_at=wanted.give_up_at or wanted.at,
            has_address=person.has_address,
            is_suppressed=person.is_suppressed,
            has_legal_basis=person.has_legal_basis,
            by_mail=by_mail,
            refuses=person.refuses,
            own_gap=person.own_gap,
            others=[e for e in held if not e.gives_way_to(wanted.priority, now)] if held else (),
            company_times=self.companies.get(company, ()) if company is not None else (),
            not_before=rest_until(person, self.policy),
            topic=wanted.topic,
            plan=wanted.plan,
            calendar=person.calendar,
            home=self.home,
            planned_per_day=self.per_day,
        )

    def decide(self, person: Person, wanted: Entry, now: datetime, *, by_mail: bool = True) -> Decided:
        """Decide one approach; if it gets a time, enter it and push back whoever has to make way for it."""
        verdict = decide(self.facts(person, wanted, now, by_mail=by_mail), self.policy, now)
        if verdict.at is None:
            return Decided(verdict, ())
        wanted.at = verdict.at
        return Decided(verdict, self.enter(person, wanted, now))

    def enter(self, person: Person, entry: Entry, now: datetime) -> Sequence[Move]:
        """Note an approach at its time; returns who makes way for it."""
        held = self.entries[person.id]
        weaker = [e for e in held if e.gives_way_to(entry.priority, now)] if held else ()
        held.append(entry)
        self._count(person, entry, 1)
        return self._make_way(person, weaker, now) if weaker else ()

    def drop(self, person: Person, entry: Entry) -> None:
        """Strike out an approach that will not happen."""
        self.entries[person.id].remove(entry)
        self._count(person, entry, -1)

    def _count(self, person: Person, entry: Entry, by: int) -> None:
        if person.company_id is not None and self.policy.company is not None:
            times = self.companies[person.company_id]
            if by > 0:
                insort(times, entry.at)
            elif entry.at in times:
                times.remove(entry.at)
        if entry.plan.daily_cap is not None:
            self.per_day[entry.plan.origin, local_day(entry.at, self.home)] += by

    def _make_way(self, person: Person, weaker: Sequence[Entry], now: datetime) -> list[Move]:
        """Weaker approaches look for a new time, the stronger of them first; those that fit stay where they are."""
        held = self.entries[person.id]
        for entry in weaker:
            held.remove(entry)
        moves: list[Move] = []
        for entry in sorted(weaker, key=lambda e: (-e.priority, e.at)):
            # The company's cap is kept by where the entry stood: it counted itself.
            claim = self.facts(person, entry, now).claim._replace(company_times=())
            if not breaks(entry.at, claim, self.policy.for_plan(entry.plan)):
                held.append(entry)
                continue
            came_from = entry.at
            self._count(person, entry, -1)
            at, _why = place(self.facts(person, entry, now), self.policy.for_plan(entry.plan), now)
            if at is not None and entry.give_up_at is not None and at > entry.give_up_at:
                at = None
            moves.append(Move(entry, at, came_from))
            if at is not None:
                entry.at = at
                held.append(entry)
                self._count(person, entry, 1)
        return moves


def rest_until(person: Person, policy: Policy) -> datetime | None:
    """When the rest after the contact's last answer or refusal ends; None if there was none."""
    ends = [
        last + rest
        for last, rest in (
            (person.last_response_at, policy.after_response),
            (person.last_decline_at, policy.after_decline),
        )
        if last is not None and rest
    ]
    return max(ends, default=None)
