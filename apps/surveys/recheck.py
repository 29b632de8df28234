"""The same decision once more at the moment of sending, with the facts of this moment."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from apps.common.bulk import fetch_rows
from apps.contacts import ledger
from apps.contacts import services as contacts
from apps.contacts.book import Book, Person
from apps.contacts.budget import NO_PLAN, CounterEvent, Entry, Plan
from apps.contacts.eligibility import BLOCKED, SKIPPED, Verdict, decide
from apps.contacts.models import Contact
from apps.messaging import services as messaging
from apps.surveys.models import Invitation

LOWEST = -(2**15) - 1
EVER = datetime(2000, 1, 1, tzinfo=UTC)
_DECIDED = """
    SELECT contact_id, id, touchpoint_id, occurred_at, properties::text FROM touchpoints_event
    WHERE touchpoint_id = ANY(%s) AND occurred_at >= %s AND contact_id = ANY(%s)
"""
_PENDING = """
    SELECT contact_data->>'external_id', lower(trim(contact_data->>'email')), id, touchpoint_id, occurred_at,
           properties::text FROM touchpoints_event
    WHERE status = 'pending' AND touchpoint_id = ANY(%s) AND occurred_at >= %s
      AND (contact_data->>'external_id' = ANY(%s) OR lower(trim(contact_data->>'email')) = ANY(%s))
"""


def check_again(due: Collection[Invitation], now: datetime) -> dict[UUID, Verdict]:
    """What is to be done with each due invitation. Their contacts must be locked.

    Whether one may go now is judged by what has been made: later reservations have already made way for it. One
    that may not looks for a new time among the reservations, too, and makes nobody give way again.
    """
    rows = {row.contact_id: row.contact for row in due if row.contact_id and row.contact}
    policy = ledger.current_policy()
    people = ledger.persons(
        rows.values(),
        with_basis=contacts.with_legal_basis(contact_ids=list(rows)),
        suppressed=messaging.suppressed(emails=[c.email for c in rows.values() if c.email]),
        policy=policy,
    )
    own = _own_entries(due)
    books = Books(
        made=ledger.open_book(people=people, policy=policy, now=now, made_only=True),
        planned=ledger.open_book(people=people, policy=policy, now=now, without=[e.reason for e in own.values()]),
    )
    countered = _countered([(row.contact_id, own[row.id].plan) for row in due if row.contact_id], rows)
    verdicts: dict[UUID, Verdict] = {}
    for row in sorted(due, key=lambda r: (-own[r.id].priority, r.send_at)):
        person = people.get(row.contact_id) if row.contact_id else None
        verdicts[row.id] = _objection(row, own[row.id], countered) or _decide(row, person, own[row.id], books, now)
    return verdicts


class Books(NamedTuple):
    """What has been sent or shown, and with what is planned besides."""

    made: Book
    planned: Book


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


def _decide(row: Invitation, person: Person | None, own: Entry, books: Books, now: datetime) -> Verdict:
    if person is None:
        return Verdict(BLOCKED, "contact_gone")
    # The day's cap was kept when it was planned; being late must not spread it again.
    plan = replace(own.plan, daily_cap=None)
    wanted = replace(own, at=now, give_up_at=row.give_up_at, plan=plan)
    verdict = decide(books.made.facts(person, wanted, now), books.made.policy, now)
    if verdict.at == now:
        for book in books:
            book.enter(person, replace(wanted, at=now, is_spent=True), now)
    elif verdict.at is not None:
        # Nothing is weaker than this: nobody has to make way.
        humble = replace(wanted, at=verdict.at, priority=LOWEST)
        later, _moves = books.planned.decide(person, humble, now)
        verdict = Verdict(
            verdict.status if later.at else later.status, verdict.reason if later.at else later.reason, later.at
        )
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
    events = counter_events(
        contacts=[rows[contact_id] for contact_id, _plan in wanted if contact_id in rows],
        touchpoint_ids={t for _contact, plan in wanted for t in plan.revoked_by},
        since=min((plan.cause_at for _contact, plan in wanted if plan.cause_at), default=None),
    )
    return {
        (contact_id, plan)
        for contact_id, plan in wanted
        if any(event.revokes(plan) for event in events.get(contact_id, ()))
    }


def counter_events(
    *,
    contacts: Iterable[Contact],
    touchpoint_ids: Collection[int],
    since: datetime | None,
    with_pending: bool = True,
) -> dict[UUID, list[CounterEvent]]:
    """Events of these contacts at these touchpoints from a moment on (None: ever). At most two queries.

    Those not decided yet belong to nobody so far: they are found by the identity they were sent with.
    """
    by_id = {contact.id: contact for contact in contacts}
    found: dict[UUID, list[CounterEvent]] = defaultdict(list)
    where = [list(touchpoint_ids), since or EVER]
    for contact_id, event_id, touchpoint_id, occurred_at, properties in fetch_rows(_DECIDED, [*where, list(by_id)]):
        found[contact_id].append(CounterEvent(touchpoint_id, occurred_at, json.loads(properties), event_id))
    if not with_pending:
        return found
    by_external_id = {c.external_id: c.id for c in by_id.values() if c.external_id}
    by_email = {c.email: c.id for c in by_id.values() if c.email}
    pending = fetch_rows(_PENDING, [*where, list(by_external_id), list(by_email)])
    for external_id, email, event_id, touchpoint_id, occurred_at, properties in pending:
        event = CounterEvent(touchpoint_id, occurred_at, json.loads(properties), event_id)
        for contact in {by_external_id.get(external_id), by_email.get(email)}:
            if contact is not None:
                found[contact].append(event)
    return found
