"""The past, read as it was: events in order, with what was known about their contacts at that time."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from apps.common.bulk import fetch_rows
from apps.contacts import ledger
from apps.contacts import services as contacts
from apps.contacts.book import Person
from apps.contacts.budget import NEVER, Entry, Policy
from apps.contacts.models import Contact, LegalBasis
from apps.contacts.preferences import wishes_of
from apps.messaging import channels, suppressions
from apps.touchpoints.models import Touchpoint
from apps.triggers.facts import History, company_facts, contact_facts, with_companies

CHUNK = 10_000
AT_HAND = 200_000
_EVENTS = """
    SELECT id, touchpoint_id, source, occurred_at, contact_id, properties::text FROM touchpoints_event
    WHERE occurred_at >= %s AND occurred_at < %s AND (occurred_at, id) > (%s, %s) AND status = 'decided'
      AND contact_id IS NOT NULL AND touchpoint_id = ANY(%s)
    ORDER BY occurred_at, id LIMIT %s
"""
_COUNT = """
    SELECT count(*) FROM touchpoints_event WHERE occurred_at >= %s AND occurred_at < %s AND status = 'decided'
      AND contact_id IS NOT NULL AND touchpoint_id = ANY(%s)
"""
_LEDGER = """
    SELECT contact_id, reason, at, topic, priority, plan::text FROM contacts_outreach
    WHERE contact_id = ANY(%s) AND at >= %s AND at < %s AND state = 'spent'
"""
_COMPANY_TIMES = """
    SELECT c.company_id, o.at FROM contacts_outreach o JOIN contacts_contact c ON c.id = o.contact_id
    WHERE c.company_id = ANY(%s) AND o.at >= %s AND o.at < %s AND o.state = 'spent' ORDER BY o.at
"""
_ANSWERS = """
    SELECT contact_id, answered_at, score FROM responses_response
    WHERE contact_id = ANY(%s) AND NOT is_suspected ORDER BY contact_id, answered_at, id
"""
_EVENT_COUNTS = """
    SELECT contact_id, touchpoint_id, count(*), min(occurred_at) FROM touchpoints_event
    WHERE contact_id = ANY(%s) AND occurred_at < %s AND status = 'decided' GROUP BY 1, 2
"""
_PEOPLE = """
    SELECT c.id, c.company_id, c.email, c.time_zone, c.country, c.region,
           COALESCE(o.time_zone, ''), COALESCE(o.country, ''), COALESCE(o.region, ''), c.phone
    FROM contacts_contact c LEFT JOIN contacts_company o ON o.id = c.company_id WHERE c.id = ANY(%s)
"""
_SUPPRESSIONS = "SELECT address_hash, created_at FROM messaging_suppression WHERE lifted_at IS NULL"
_BASES = """
    SELECT contact_id, CASE WHEN %s AND kind = 'consent' THEN COALESCE(confirmed_at, '9999-01-01') ELSE granted_at END,
           revoked_at FROM contacts_legalbasis WHERE contact_id = ANY(%s)
"""
_OUTCOMES = "SELECT contact_id, outcome, outcome_at FROM contacts_outreach WHERE contact_id = ANY(%s) AND outcome <> ''"
_read = msgspec.json.Decoder().decode


class PastEvent(NamedTuple):
    """An event that was decided. Times are aware."""

    id: UUID
    touchpoint_id: int
    source: str
    occurred_at: datetime
    contact_id: UUID
    properties: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the past: from ``since`` to before ``until``, at these touchpoints."""

    since: datetime
    until: datetime
    touchpoint_ids: Sequence[int]

    def count(self) -> int:
        """How many events lie in it."""
        return int(fetch_rows(_COUNT, [self.since, self.until, list(self.touchpoint_ids)])[0][0])

    def chunks(self, size: int = CHUNK) -> Iterator[list[PastEvent]]:
        """The events in the order in which they happened, a chunk at a time."""
        at, last = self.since, UUID(int=0)
        while True:
            rows = fetch_rows(_EVENTS, [at, self.until, at, last, list(self.touchpoint_ids), size])
            if not rows:
                return
            yield [PastEvent._make((*facts, _read(properties))) for *facts, properties in rows]
            at, last = rows[-1][3], rows[-1][0]


@dataclass(slots=True)
class Acquaintance:
    """One contact, and what changed about it in the course of time."""

    person: Person
    facts: tuple[dict[str, Any], dict[str, Any]] | None
    bases: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    outcomes: list[tuple[datetime, str]] = field(default_factory=list)
    answers: list[tuple[datetime, int | None]] = field(default_factory=list)
    """When, and the last score that had been given by then."""
    suppressed_since: datetime | None = None
    wishes_since: datetime | None = None
    """When the contact told us its wishes; what it wished before is not known."""
    always_allowed_from: datetime | None = None
    needs_confirmation: bool = False
    """Whether a consent counts only when it was confirmed by the link in a mail."""

    def at(self, moment: datetime, touchpoint: Touchpoint) -> Person:
        """The contact as it stood when something happened at a touchpoint."""
        since = self.always_allowed_from
        allowed = (since is not None and since <= moment) or self._is_allowed(moment, touchpoint)
        suppressed = self.suppressed_since is not None and self.suppressed_since <= moment
        known = self.person if self.wishes_since is None or self.wishes_since <= moment else self._without_wishes()
        if not self.outcomes and allowed == known.has_legal_basis and suppressed == known.is_suppressed:
            return known
        before = [found for found in self.outcomes if found[0] <= moment]
        return replace(
            known,
            is_suppressed=suppressed,
            has_legal_basis=allowed,
            last_response_at=max((t for t, outcome in before if outcome == "answered"), default=None),
            last_decline_at=max((t for t, outcome in before if outcome == "declined"), default=None),
        )

    def _without_wishes(self) -> Person:
        return replace(self.person, refuses=frozenset(), own_gap=NEVER)

    def _is_allowed(self, moment: datetime, touchpoint: Touchpoint) -> bool:
        if any(since <= moment and (end is None or end > moment) for since, end in self.bases):
            return True
        # What the event itself proves, unless the contact had objected before and this is no new consent.
        if touchpoint.legal_basis == LegalBasis.Kind.CONSENT:
            return not self.needs_confirmation
        return bool(touchpoint.legal_basis) and all(end is None or end > moment for _since, end in self.bases)

    def note_answers(self, history: History, moment: datetime) -> None:
        """Bring a history's answers up to a moment."""
        count = bisect_right(self.answers, moment, key=itemgetter(0))
        history.responses = count
        history.last_response_at, history.last_score = self.answers[count - 1] if count else (None, None)


def _addresses(rows: Iterable[tuple[UUID, str | None, str]]) -> dict[UUID, str]:
    """Where each contact (id, e-mail address, telephone number) would be written to today; "" for nowhere."""
    people = {contact_id: channels.Person(email or "", phone) for contact_id, email, phone in rows}
    return {contact_id: way.address for contact_id, way in channels.ways(people).items()}


@dataclass(slots=True)
class Memory:
    """Contacts at hand. Properties of contacts and companies are today's: no older ones are kept."""

    policy: Policy
    fields: frozenset[str]
    """What the rules' conditions speak of: only what is asked for is read."""
    known: dict[UUID, Acquaintance] = field(default_factory=dict)
    suppressions: dict[bytes, datetime] | None = None

    def meet(self, events: Sequence[PastEvent]) -> list[Acquaintance]:
        """Read those contacts of these events that are not at hand; returns them. A fixed number of queries."""
        wanted = {event.contact_id for event in events} - self.known.keys()
        if len(self.known) + len(wanted) > AT_HAND:
            self.known.clear()
            wanted = {event.contact_id for event in events}
        if not wanted:
            return []
        fresh = self._read(list(wanted))
        self._add_changes(fresh)
        self.known.update(fresh)
        return list(fresh.values())

    def _read(self, ids: list[UUID]) -> dict[UUID, Acquaintance]:
        with_facts = any(name.partition(".")[0] in {"contact", "company"} for name in self.fields)
        if with_facts or any(name.startswith("history.") for name in self.fields):
            rows = with_companies(Contact.objects.filter(id__in=ids))
            addresses = _addresses((row.id, row.email, row.phone) for row in rows.values())
            people = ledger.persons(
                rows.values(), with_basis=rows.keys(), suppressed=(), policy=Policy(), addresses=addresses
            )
            fresh = {
                pk: Acquaintance(people[pk], (contact_facts(row), company_facts(row.company)))
                for pk, row in rows.items()
            }
        else:
            home = ledger.home_calendar()
            found = fetch_rows(_PEOPLE, [ids])
            addresses = _addresses((row[0], row[2], row[9]) for row in found)
            fresh = {
                row[0]: Acquaintance(
                    Person(
                        row[0],
                        row[1],
                        bool(addresses[row[0]]),
                        calendar=ledger.choose_calendar(row[3:6], row[6:9], home),
                    ),
                    None,
                )
                for row in found
            }
        self._add_suppressions(fresh, addresses.items())
        return fresh

    def _add_suppressions(self, fresh: dict[UUID, Acquaintance], addresses: Iterable[tuple[UUID, str]]) -> None:
        if self.suppressions is None:
            self.suppressions = {bytes(address): at for address, at in fetch_rows(_SUPPRESSIONS, [])}
        if self.suppressions:
            for contact_id, address in addresses:
                if address:
                    fresh[contact_id].suppressed_since = self.suppressions.get(suppressions.address_hash(address))

    def _add_changes(self, fresh: dict[UUID, Acquaintance]) -> None:
        ids = list(fresh)
        for contact_id, wishes in wishes_of(contact_ids=ids).items():
            found = fresh[contact_id]
            found.wishes_since = wishes.changed_at
            found.person = replace(found.person, refuses=wishes.refuses, own_gap=wishes.own_gap)
        strict = contacts.needs_confirmation()
        for found in fresh.values() if strict else ():
            found.needs_confirmation = True
        for contact_id, granted_at, revoked_at in fetch_rows(_BASES, [strict, ids]):
            found = fresh[contact_id]
            found.bases.append((granted_at, revoked_at))
            if revoked_at is None:
                found.always_allowed_from = min(granted_at, found.always_allowed_from or granted_at)
        if self.policy.after_response or self.policy.after_decline:
            for contact_id, outcome, at in fetch_rows(_OUTCOMES, [ids]):
                fresh[contact_id].outcomes.append((at, outcome))
        if any(name.startswith("history.") for name in self.fields):
            for contact_id, at, score in fetch_rows(_ANSWERS, [ids]):
                earlier = fresh[contact_id].answers
                earlier.append((at, earlier[-1][1] if score is None and earlier else score))


def made_before(contact_ids: Sequence[UUID], since: datetime) -> Iterator[tuple[UUID, Entry]]:
    """The approaches these contacts had in the year before, from the ledger."""
    rows = fetch_rows(_LEDGER, [list(contact_ids), since - ledger.HORIZON, since])
    for contact_id, reason, at, topic, priority, plan in rows:
        yield contact_id, Entry(reason, at, topic, priority, None, ledger.read_plan(plan), is_spent=True)


def company_times_before(
    company_ids: Sequence[int], since: datetime, within: timedelta
) -> Iterator[tuple[int, datetime]]:
    """When contacts of these companies were approached shortly before, in order."""
    yield from fetch_rows(_COMPANY_TIMES, [list(company_ids), since - within, since])


def histories_before(people: Sequence[Acquaintance], since: datetime) -> dict[UUID, History]:
    """How many events each contact had before a moment."""
    found = {a.person.id: History(events={}, since=a.facts[0]["created_at"]) for a in people if a.facts is not None}
    for contact_id, touchpoint_id, count, first in fetch_rows(_EVENT_COUNTS, [list(found), since]):
        found[contact_id].events[touchpoint_id] = count
        found[contact_id].since = min(found[contact_id].since, first)
    return found
