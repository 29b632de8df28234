"""What is known about a batch of events when it is decided. A fixed number of queries for any batch."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from apps.common.db import connection
from apps.contacts import ledger
from apps.contacts import services as contacts
from apps.contacts.book import Book, Person
from apps.contacts.budget import CounterEvent
from apps.contacts.models import Company, Contact
from apps.messaging import channels
from apps.surveys.recheck import counter_events
from apps.touchpoints.models import Touchpoint
from apps.triggers import hours
from apps.triggers.hours import AnswerHours
from apps.triggers.rules import Rule

_RESPONSES = """
    SELECT contact_id, (array_agg(score ORDER BY answered_at DESC, id DESC) FILTER (WHERE score IS NOT NULL))[1],
           max(answered_at), count(*) FROM responses_response
    WHERE contact_id = ANY(%s) AND answered_at <= %s AND NOT is_suspected GROUP BY contact_id
"""
_EVENTS = """
    SELECT contact_id, touchpoint_id, count(*), min(occurred_at) FROM touchpoints_event
    WHERE contact_id = ANY(%s) AND status = 'decided' GROUP BY 1, 2
"""

_LOCK_DAYS = "SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key"


@dataclass(slots=True)
class History:
    """What happened to one contact so far. ``events`` is per touchpoint and grows while a batch is decided.

    What a machine probably answered does not count; the last score may be older than the last response.
    """

    events: dict[int | None, int]
    since: datetime
    last_score: int | None = None
    last_response_at: datetime | None = None
    responses: int = 0

    def count(self, touchpoint_id: int | None, occurred_at: datetime) -> None:
        """One more event."""
        self.events[touchpoint_id] = self.events.get(touchpoint_id, 0) + 1
        self.since = min(self.since, occurred_at)

    def facts(self, touchpoint_id: int | None, at: datetime) -> dict[str, Any]:
        """As conditions see it."""
        last = self.last_response_at
        return {
            "last_score": self.last_score,
            "last_response_at": last,
            "days_since_response": (at - last).days if last is not None else None,
            "responses": self.responses,
            "events": sum(self.events.values()),
            "events_here": self.events.get(touchpoint_id, 0),
            "lifetime_days": max(0, (at - self.since).days),
        }


@dataclass(slots=True)
class Known:
    """Everything a batch is decided with."""

    book: Book
    people: dict[UUID, Person]
    contacts: dict[UUID, Contact]
    rules: dict[int, list[Rule]]
    touchpoints: dict[int, Touchpoint]
    counter_events: dict[UUID, list[CounterEvent]]
    histories: dict[UUID, History] | None
    facts_of: dict[UUID, tuple[dict[str, Any], dict[str, Any]]]
    hours: AnswerHours | None = None

    def contact_facts(self, contact_id: UUID) -> tuple[dict[str, Any], dict[str, Any]]:
        """The contact's and its company's properties as conditions see them."""
        found = self.facts_of.get(contact_id)
        if found is None:
            contact = self.contacts[contact_id]
            found = self.facts_of[contact_id] = (contact_facts(contact), company_facts(contact.company))
        return found

    def good_hours(self, contact_id: UUID, touchpoint_id: int | None) -> Sequence[int]:
        """When the contact usually answers, the best hour first; () if no rule asks for it."""
        return self.hours.good(self.people[contact_id], touchpoint_id) if self.hours else ()


def contact_facts(contact: Contact) -> dict[str, Any]:
    """A contact as conditions see it: its own columns win over properties of the same name."""
    properties = contact.properties if isinstance(contact.properties, dict) else {}
    return {
        **properties,
        "email": contact.email,
        "external_id": contact.external_id,
        "name": contact.name,
        "locale": contact.locale,
        "country": contact.country or _text(properties.get("country")),
        "region": contact.region or _text(properties.get("region")),
        "time_zone": contact.time_zone,
        "created_at": contact.created_at,
    }


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def company_facts(company: Company | None) -> dict[str, Any]:
    """A company as conditions see it."""
    if company is None:
        return {}
    properties = company.properties if isinstance(company.properties, dict) else {}
    named = {"name": company.name, "external_id": company.external_id}
    return {**properties, **named, "country": company.country or _text(properties.get("country"))}


def with_companies(rows: Iterable[Contact]) -> dict[UUID, Contact]:
    """The contacts by id, each with its company loaded. One query, or none if nobody has a company."""
    found = {row.id: row for row in rows}
    wanted = {row.company_id for row in found.values() if row.company_id is not None}
    companies = Company.objects.in_bulk(wanted) if wanted else {}
    for row in found.values():
        if row.company_id is not None:
            row.company = companies.get(row.company_id)
    return found


def gather(
    rows: Iterable[Contact],
    *,
    rules: dict[int, list[Rule]],
    touchpoints: dict[int, Touchpoint],
    now: datetime,
    since: datetime | None = None,
    lock: bool = True,
) -> Known:
    """What is known about these contacts, who must be locked; ``lock=False`` is for looking only.

    ``since``: when the first event of the batch happened; no older event takes anything back.
    """
    found = with_companies(rows)
    policy = ledger.current_policy()
    reach = channels.reachable(found.values())
    people = ledger.persons(
        found.values(),
        with_basis=contacts.with_legal_basis(contact_ids=list(found)),
        addresses=reach.addresses,
        suppressed=reach.blocked,
        policy=policy,
    )
    every = [rule for some in rules.values() for rule in some]
    revoking = {t for rule in every for t in rule.plans[None].revoked_by}
    return Known(
        book=_with_daily_counts(
            ledger.open_book(people=people, policy=policy, now=now, lock=lock), every, now, lock=lock
        ),
        people=people,
        contacts=found,
        rules=rules,
        touchpoints=touchpoints,
        counter_events=counter_events(contacts=found.values(), touchpoint_ids=revoking, since=since, with_pending=False)
        if revoking
        else {},
        histories=read_histories(found, now=now) if any(rule.needs_history for rule in every) else None,
        facts_of={},
        hours=hours.read(people, before=now) if any(rule.best_hour for rule in every) else None,
    )


def _with_daily_counts(book: Book, rules: Collection[Rule], now: datetime, *, lock: bool) -> Book:
    """The book with how many invitations each capped rule has planned per day of the tenant's calendar.

    Those whose entries may be pushed to another day count as well. Their days are locked first, so that two
    workers do not fill the same one: not their rows, for a cadence's row is locked before its contacts.
    """
    origins = {rule.origin for rule in rules if rule.plans[None].daily_cap is not None}
    origins |= {e.plan.origin for held in book.entries.values() for e in held if e.plan.daily_cap and not e.is_spent}
    if not origins:
        return book
    with connection.cursor() as cursor:
        if lock:
            cursor.execute(_LOCK_DAYS, [sorted(_key(origin) for origin in origins)])
        read_daily_counts(cursor, book, list(origins), now)
    return book


def _key(origin: str) -> int:
    """The number under which PostgreSQL locks the days of one rule or cadence of this tenant."""
    name = f"{connection.schema_name}:{origin}".encode()
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big", signed=True)


def read_daily_counts(cursor: Any, book: Book, origins: Sequence[str], now: datetime) -> None:
    """Add how many approaches of these origins are planned or made on each day from yesterday on."""
    cursor.execute(
        "SELECT plan->>'origin', (at AT TIME ZONE %s)::date, count(*) FROM contacts_outreach"
        " WHERE plan->>'origin' = ANY(%s) AND plan ? 'daily_cap' AND at >= %s::timestamptz - interval '2 days'"
        " AND state <> 'released' GROUP BY 1, 2",
        [book.home.zone, list(origins), now],
    )
    for origin, day, count in cursor.fetchall():
        book.per_day[origin, day] += count


def read_histories(rows: Mapping[UUID, Contact], *, now: datetime) -> dict[UUID, History]:
    """What happened to each contact up to now. Two queries."""
    histories = {pk: History(events={}, since=contact.created_at) for pk, contact in rows.items()}
    with connection.cursor() as cursor:
        cursor.execute(_RESPONSES, [list(rows), now])
        for contact_id, score, answered_at, count in cursor.fetchall():
            found = histories[contact_id]
            found.last_score, found.last_response_at, found.responses = score, answered_at, count
        cursor.execute(_EVENTS, [list(rows)])
        for contact_id, touchpoint_id, count, first in cursor.fetchall():
            histories[contact_id].events[touchpoint_id] = count
            histories[contact_id].since = min(histories[contact_id].since, first)
    return histories


def rules_by_touchpoint(rules: Iterable[Rule]) -> dict[int, list[Rule]]:
    """Rules by the touchpoints they listen to, the higher priority first."""
    found: dict[int, list[Rule]] = defaultdict(list)
    for rule in sorted(rules, key=lambda r: (-r.priority, r.rule_id or 2**63)):
        for touchpoint_id in rule.touchpoint_ids:
            found[touchpoint_id].append(rule)
    return found
