"""The same decision once more at the moment of sending, with the facts of this moment."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from apps.common.db import connection
from apps.contacts import ledger
from apps.contacts import services as contacts
from apps.contacts.book import Book, Person
from apps.contacts.budget import NO_PLAN, CounterEvent, Entry, Plan
from apps.contacts.eligibility import BLOCKED, SKIPPED, Verdict
from apps.contacts.models import Contact
from apps.messaging import services as messaging
from apps.surveys.models import Invitation


def check_again(due: Collection[Invitation], now: datetime) -> dict[UUID, Verdict]:
    """What is to be done with each due invitation. Locks their contacts."""
    rows = {row.contact_id: row.contact for row in due if row.contact_id and row.contact}
    contacts.lock(contact_ids=sorted(rows))
    policy = ledger.current_policy()
    people = ledger.persons(
        rows.values(),
        with_basis=contacts.with_legal_basis(contact_ids=list(rows)),
        suppressed=messaging.suppressed(emails=[c.email for c in rows.values() if c.email]),
        policy=policy,
    )
    # What is merely reserved does not count against one that is due: later reservations have already made way
    # for it, and earlier ones that are still waiting will be decided after it, when it is in the book.
    book = ledger.open_book(people=people, policy=policy, now=now, made_only=True)
    own = _own_entries(due)
    countered = _countered([(row.contact_id, own[row.id].plan) for row in due if row.contact_id], rows)
    verdicts: dict[UUID, Verdict] = {}
    for row in sorted(due, key=lambda r: (-own[r.id].priority, r.send_at)):
        person = people.get(row.contact_id) if row.contact_id else None
        verdicts[row.id] = _objection(row, own[row.id], countered) or _decide(row, person, own[row.id], book, now)
    return verdicts


def _own_entries(due: Collection[Invitation]) -> dict[UUID, Entry]:
    """Each invitation's place in the ledger."""
    found = ledger.reserved(reasons=[f"invitation:{row.id}" for row in due])
    return {
        row.id: found.get(f"invitation:{row.id}")
        or Entry(f"invitation:{row.id}", row.send_at, f"survey:{row.survey_id}")
        for row in due
    }


def _objection(row: Invitation, own: Entry, countered: Collection[tuple[UUID, Plan]]) -> Verdict | None:
    """What only the invitation itself knows."""
    if row.contact is None:
        return Verdict(BLOCKED, "contact_gone")
    if not row.survey.is_active:
        return Verdict(SKIPPED, "survey_inactive")
    if row.touchpoint and not row.touchpoint.is_active:
        return Verdict(BLOCKED, "touchpoint_inactive")
    return Verdict(BLOCKED, "counter_event") if (row.contact.id, own.plan) in countered else None


def _decide(row: Invitation, person: Person | None, own: Entry, book: Book, now: datetime) -> Verdict:
    if person is None:
        return Verdict(BLOCKED, "contact_gone")
    # The day's cap was kept when it was planned; being late must not spread it again.
    plan = replace(own.plan, daily_cap=None)
    wanted = replace(own, at=now, give_up_at=row.give_up_at, plan=plan)
    verdict, _moves = book.decide(person, wanted, now)
    return verdict


def countered_invitations(*, invitation_ids: Sequence[UUID]) -> set[UUID]:
    """Those invitations whose cause an event has taken back meanwhile, decided or still waiting."""
    owners = dict(Invitation.objects.filter(id__in=invitation_ids).values_list("id", "contact_id"))
    plans = {pk: plan for pk, plan in plans_of(invitation_ids=invitation_ids).items() if plan.revoked_by}
    concerned = {pk: owner for pk, owner in owners.items() if owner is not None and pk in plans}
    rows = {row.id: row for row in Contact.objects.filter(id__in=concerned.values())} if concerned else {}
    found = _countered([(owner, plans[pk]) for pk, owner in concerned.items()], rows)
    return {pk for pk, owner in concerned.items() if (owner, plans[pk]) in found}


def plans_of(*, invitation_ids: Sequence[UUID]) -> dict[UUID, Plan]:
    """What each invitation keeps to, by its id."""
    reasons = {f"invitation:{pk}": pk for pk in invitation_ids}
    return {reasons[reason]: plan for reason, plan in ledger.plans(reasons=list(reasons)).items()}


def revocable(plan: Plan | None) -> Plan:
    """The part of an invitation's plan that what follows from it shares: which events take it back."""
    if plan is None or not plan.revoked_by:
        return NO_PLAN
    return Plan(revoked_by=plan.revoked_by, match=plan.match, match_value=plan.match_value, cause_at=plan.cause_at)


def _countered(plans: Sequence[tuple[UUID, Plan]], rows: Mapping[UUID, Contact]) -> set[tuple[UUID, Plan]]:
    wanted = [(contact_id, plan) for contact_id, plan in plans if plan.revoked_by]
    if not wanted:
        return set()
    events = counter_events(contacts=[rows[contact_id] for contact_id, _plan in wanted if contact_id in rows],
                            touchpoint_ids={t for _contact, plan in wanted for t in plan.revoked_by})  # fmt: skip
    return {
        (contact_id, plan)
        for contact_id, plan in wanted
        if any(event.revokes(plan) for event in events.get(contact_id, ()))
    }


def counter_events(*, contacts: Iterable[Contact], touchpoint_ids: Collection[int]) -> dict[UUID, list[CounterEvent]]:
    """Events of these contacts at these touchpoints. Two queries.

    Those not decided yet belong to nobody so far: they are found by the identity they were sent with.
    """
    by_id = {contact.id: contact for contact in contacts}
    found: dict[UUID, list[CounterEvent]] = defaultdict(list)
    by_external_id = {c.external_id: c.id for c in by_id.values() if c.external_id}
    by_email = {c.email: c.id for c in by_id.values() if c.email}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT contact_id, touchpoint_id, occurred_at, properties::text FROM touchpoints_event"
            " WHERE contact_id = ANY(%s) AND touchpoint_id = ANY(%s)",
            [list(by_id), list(touchpoint_ids)],
        )
        for contact_id, touchpoint_id, occurred_at, properties in cursor.fetchall():
            found[contact_id].append(CounterEvent(touchpoint_id, occurred_at, json.loads(properties)))
        cursor.execute(
            "SELECT contact_data->>'external_id', lower(trim(contact_data->>'email')), touchpoint_id, occurred_at,"
            " properties::text FROM touchpoints_event WHERE status = 'pending' AND touchpoint_id = ANY(%s)"
            " AND (contact_data->>'external_id' = ANY(%s) OR lower(trim(contact_data->>'email')) = ANY(%s))",
            [list(touchpoint_ids), list(by_external_id), list(by_email)],
        )
        for external_id, email, touchpoint_id, occurred_at, properties in cursor.fetchall():
            event = CounterEvent(touchpoint_id, occurred_at, json.loads(properties))
            for contact_id in {by_external_id.get(external_id), by_email.get(email)}:
                if contact_id is not None:
                    found[contact_id].append(event)
    return found
