"""The contact budget's ledger in the database: read into a book, and written back."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from apps.common.bulk import copy_rows, fetch_rows
from apps.common.db import connection
from apps.common.schedule import Calendar, dump_windows, parse_windows, valid_zone
from apps.contacts.book import Book, Person
from apps.contacts.budget import NEVER, NO_PLAN, Entry, Limit, Plan, Policy
from apps.contacts.models import BusinessCalendar, Contact, ContactBudget, Outreach
from apps.contacts.preferences import wishes_of

ZONE_KEY = "home-zone"
"""Where the cache keeps the tenant's time zone for showing times."""
HORIZON = timedelta(days=731)
"""No clock of a survey runs longer."""
ONE_DAY = timedelta(days=1)
_ENTRIES = """
    SELECT contact_id, reason, at, state, topic, priority, give_up_at, plan::text FROM contacts_outreach
    WHERE state = ANY(%s) AND """
_LOCK_COMPANIES = "SELECT id FROM contacts_company WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
_COMPANY_TIMES = """
    SELECT c.company_id, o.at FROM contacts_outreach o JOIN contacts_contact c ON c.id = o.contact_id
    WHERE c.company_id = ANY(%s) AND o.at >= %s AND o.state = ANY(%s) AND o.reason <> ALL(%s) ORDER BY o.at
"""


def policy_of(budget: ContactBudget) -> Policy:
    """The contact budget as the pure rules know it."""
    caps = ((budget.max_per_90_days, 90), (budget.max_per_365_days, 365))
    company = budget.max_per_company
    return Policy(
        min_gap=timedelta(days=budget.min_days_between),
        caps=tuple(Limit(most, timedelta(days=days)) for most, days in caps if most),
        company=Limit(company, timedelta(days=budget.company_days)) if company else None,
        after_response=timedelta(days=budget.days_after_response),
        after_decline=timedelta(days=budget.days_after_decline),
    )


def current_policy() -> Policy:
    """The tenant's contact budget; without one, the model's default."""
    return policy_of(ContactBudget.objects.first() or ContactBudget())


def home_calendar() -> Calendar:
    """The tenant's own clock and holidays; UTC if nothing was set."""
    row = BusinessCalendar.objects.values_list("time_zone", "country", "region").first()
    return Calendar(row[0] if row[0] and valid_zone(row[0]) else "UTC", row[1], row[2]) if row else Calendar("UTC")


def calendar_for(contact: Any, home: Calendar) -> Calendar:
    """The clock and holidays of a contact: their own, else their company's, else the tenant's.

    ``contact`` has ``time_zone``, ``country``, ``region`` and a loaded ``company``.
    """
    company = contact.company
    own = (contact.time_zone, contact.country, contact.region)
    wider = (company.time_zone, company.country, company.region) if company else ("", "", "")
    return choose_calendar(own, wider, home)


@lru_cache(maxsize=4096)
def choose_calendar(own: tuple[str, str, str], company: tuple[str, str, str], home: Calendar) -> Calendar:
    """The narrowest that is known; a region counts only with the country it was given with."""
    # A zone that is none (any more) is passed over: one wrong row must not stop the others.
    zone = next((zone for zone in (own[0], company[0]) if zone and valid_zone(zone)), home.zone)
    for country, region in (own[1:], company[1:]):
        if country:
            return Calendar(zone, country, region)
    return Calendar(zone, home.country, home.region)


def persons(
    contacts: Iterable[Contact],
    *,
    with_basis: Collection[UUID],
    suppressed: Collection[str],
    policy: Policy,
    addresses: Mapping[UUID, str] | None = None,
) -> dict[UUID, Person]:
    """What deciding needs to know about each contact (with its company loaded). At most three queries.

    ``addresses`` is where each would be written to (None: by mail); ``suppressed`` are those that must not be.
    """
    rows = {contact.id: contact for contact in contacts}
    at = {row.id: row.email if addresses is None else addresses.get(row.id, "") for row in rows.values()}
    wishes = wishes_of(contact_ids=rows)
    home = home_calendar()
    outcomes = _last_outcomes(list(rows)) if policy.after_response or policy.after_decline else {}
    return {
        row.id: Person(
            id=row.id,
            company_id=row.company_id,
            has_address=bool(at[row.id]),
            is_suppressed=at[row.id] in suppressed,
            has_legal_basis=row.id in with_basis,
            calendar=calendar_for(row, home),
            last_response_at=outcomes.get((row.id, Outreach.Outcome.ANSWERED)),
            last_decline_at=outcomes.get((row.id, Outreach.Outcome.DECLINED)),
            refuses=wishes[row.id].refuses if row.id in wishes else frozenset(),
            own_gap=wishes[row.id].own_gap if row.id in wishes else NEVER,
        )
        for row in rows.values()
    }


def _last_outcomes(contact_ids: list[UUID]) -> dict[tuple[UUID, str], datetime]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT contact_id, outcome, max(outcome_at) FROM contacts_outreach"
            " WHERE contact_id = ANY(%s) AND outcome <> '' GROUP BY 1, 2",
            [contact_ids],
        )
        return {(contact_id, outcome): at for contact_id, outcome, at in cursor.fetchall()}


def open_book(
    *,
    people: Mapping[UUID, Person],
    policy: Policy,
    now: datetime,
    lock: bool = True,
    made_only: bool = False,
    without: Sequence[str] = (),
) -> Book:
    """The ledger of these contacts and their companies as a book.

    To spend from it, the contacts must be locked. Companies are locked after them, in id order, so that two
    batches never wait for each other in a circle. ``lock=False`` is for looking only; ``made_only`` leaves out
    what is merely reserved, ``without`` certain approaches.
    """
    book = Book(policy=policy, home=home_calendar())
    states = ["spent"] if made_only else ["spent", "reserved"]
    for contact_id, entry in _entries("contact_id = ANY(%s) AND at >= %s", [list(people), now - HORIZON], states):
        if entry.reason not in without:
            book.entries[contact_id].append(entry)
    companies = sorted({p.company_id for p in people.values() if p.company_id is not None})
    if companies and policy.company is not None:
        with connection.cursor() as cursor:
            if lock:
                cursor.execute(_LOCK_COMPANIES, [companies])
            cursor.execute(_COMPANY_TIMES, [companies, now - policy.company.within, states, list(without)])
            for company_id, at in cursor.fetchall():
                book.companies[company_id].append(at)
    return book


def _entries(where: str, params: list[Any], states: list[str]) -> Iterable[tuple[UUID, Entry]]:
    """Entries of the ledger with their contacts. ``where`` is ours, its values are parameters."""
    for contact_id, reason, at, state, topic, priority, give_up_at, plan in fetch_rows(
        _ENTRIES + where, [states, *params]
    ):
        spent = state == Outreach.State.SPENT
        yield contact_id, Entry(reason, at, topic, priority, give_up_at, read_plan(plan), spent)


def reserved(*, reasons: Sequence[str]) -> dict[str, Entry]:
    """Approaches that have not been made yet, by their reason."""
    return {entry.reason: entry for _contact, entry in _entries("reason = ANY(%s)", [list(reasons)], ["reserved"])}


def plans(*, reasons: Sequence[str]) -> dict[str, Plan]:
    """What approaches keep to, by their reason."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason, plan::text FROM contacts_outreach WHERE reason = ANY(%s)", [list(reasons)])
        return {reason: read_plan(plan) for reason, plan in cursor.fetchall()}


def write_plan(plan: Plan) -> dict[str, Any]:
    """A plan as JSON; what is as usual is left out."""
    values = {
        "windows": dump_windows(plan.windows),
        "skip_holidays": plan.skip_holidays,
        "origin": plan.origin,
        "daily_cap": plan.daily_cap,
        "revoked_by": sorted(plan.revoked_by),
        "match": plan.match,
        "match_value": plan.match_value,
        "cause_at": plan.cause_at.isoformat() if plan.cause_at and plan.revoked_by else None,
        "topic_gap": plan.topic_gap // ONE_DAY,
        "beyond_caps": plan.beyond_caps,
        "repeats": plan.repeats,
    }
    kept: dict[str, Any] = {name: value for name, value in values.items() if value}
    if plan.min_gap is not None:
        kept["min_gap"] = plan.min_gap // ONE_DAY
    return kept


@lru_cache(maxsize=8192)
def read_plan(text: str) -> Plan:
    """A plan from its JSON text."""
    if text == "{}":
        return NO_PLAN
    raw = json.loads(text)
    cause_at = raw.get("cause_at")
    min_gap = raw.get("min_gap")
    return Plan(
        windows=parse_windows(raw.get("windows", [])),
        skip_holidays=raw.get("skip_holidays", False),
        origin=raw.get("origin", ""),
        daily_cap=raw.get("daily_cap"),
        revoked_by=frozenset(raw.get("revoked_by", ())),
        match=raw.get("match", ""),
        match_value=raw.get("match_value", ""),
        cause_at=datetime.fromisoformat(cause_at) if cause_at else None,
        topic_gap=timedelta(days=raw["topic_gap"]) if "topic_gap" in raw else NEVER,
        min_gap=None if min_gap is None else timedelta(days=min_gap),
        beyond_caps=raw.get("beyond_caps", False),
        repeats=raw.get("repeats", ""),
    )


def enter(
    *,
    entries: Sequence[tuple[UUID, Entry]],
    kind: Outreach.Kind,
    state: Outreach.State = Outreach.State.RESERVED,
) -> None:
    """Write approaches (contact id, entry) into the ledger; one that is there already stays as it is."""
    rows = [
        Outreach(
            contact_id=contact_id, kind=kind, reason=entry.reason, at=entry.at, state=state, topic=entry.topic,
            priority=entry.priority, give_up_at=entry.give_up_at, plan=write_plan(entry.plan),
        )
        for contact_id, entry in entries
    ]  # fmt: skip
    Outreach.objects.bulk_create(rows, ignore_conflicts=True)


def copy_in(entries: Iterable[tuple[UUID, Entry]]) -> None:
    """Reserve places for invitations (contact id, entry) that cannot be in the ledger yet."""
    copy_rows(
        "contacts_outreach",
        ("contact_id", "kind", "reason", "at", "state", "topic", "priority", "give_up_at", "plan", "outcome"),
        (
            (contact_id, "invitation", e.reason, e.at, "reserved", e.topic, e.priority, e.give_up_at,
             json.dumps(write_plan(e.plan)), "")
            for contact_id, e in entries
        ),
    )  # fmt: skip


def spend(*, reasons: Collection[str], now: datetime) -> None:
    """The approaches happened now."""
    Outreach.objects.filter(reason__in=reasons).update(state=Outreach.State.SPENT, at=now)


def release(*, reasons: Collection[str], also_spent: bool = False) -> None:
    """The approaches will not happen; their place in the budget is free again.

    ``also_spent``: what was spent on handing it to delivery, but never left.
    """
    rows = Outreach.objects.filter(reason__in=reasons)
    if not also_spent:
        rows = rows.exclude(state=Outreach.State.SPENT)
    rows.update(state=Outreach.State.RELEASED)


def move(*, times: Mapping[str, datetime]) -> None:
    """Move reserved approaches (reason → time). One statement."""
    if not times:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contacts_outreach o SET at = m.at FROM unnest(%s::text[], %s::timestamptz[]) AS m(reason, at)"
            " WHERE o.reason = m.reason AND o.state = 'reserved'",
            [list(times), list(times.values())],
        )


def note_outcome(*, reason: str, outcome: Outreach.Outcome, now: datetime) -> None:
    """What became of an approach: the contact answered or refused. The first answer stays the time of rest."""
    rows = Outreach.objects.filter(reason=reason)
    if outcome == Outreach.Outcome.DECLINED:
        rows = rows.filter(outcome="")
    else:
        rows = rows.exclude(outcome=Outreach.Outcome.ANSWERED)
    rows.update(outcome=outcome, outcome_at=now)
