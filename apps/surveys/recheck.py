"""The same decision once more at the moment of sending, with the facts of this moment."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from apps.messaging import channels
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


class Books(NamedTuple):
    """What has been sent or shown, and with what is planned besides."""

    made: Book
    planned: Book


@dataclass(frozen=True, slots=True)
class Candidate:
    """An approach whose time has come: its place in the ledger, and what it knows against itself."""

    id: UUID
    contact: Contact | None
    own: Entry
    objection: Verdict | None = None


class Checked(NamedTuple):
    """What is to be done with each candidate, and all that was known for it."""

    verdicts: dict[UUID, Verdict]
    people: dict[UUID, Person]
    books: Books
    own: dict[UUID, Entry]


def check_again(due: Collection[Invitation], now: datetime) -> Checked:
    """What is to be done with each due invitation. Their contacts must be locked."""
    own = own_entries({f"invitation:{row.id}": row for row in due})
    return weigh_again(
        [Candidate(row.id, row.contact, own[f"invitation:{row.id}"], objection_to(row)) for row in due], now
    )


def own_entries(invitations: Mapping[str, Invitation]) -> dict[str, Entry]:
    """Each approach's place in the ledger; ``invitations`` are what they are about, by the approach's reason."""
    found = ledger.reserved(reasons=list(invitations))
    return {
        reason: replace(
            found.get(reason) or Entry(reason, row.send_at, f"survey:{row.survey_id}"), give_up_at=row.give_up_at
        )
        for reason, row in invitations.items()
    }


def weigh_again(candidates: Collection[Candidate], now: datetime) -> Checked:
    """What is to be done with approaches whose time has come. Their contacts must be locked.

    Whether one may go now is judged by what has been made: later reservations have already made way for it. One
    that may not looks for a new time among the reservations, too, and makes nobody give way again.
    """
    rows = {candidate.contact.id: candidate.contact for candidate in candidates if candidate.contact}
    policy = ledger.current_policy()
    reach = channels.reachable(rows.values())
    people = ledger.persons(
        rows.values(),
        with_basis=contacts.with_legal_basis(contact_ids=list(rows)),
        addresses=reach.addresses,
        suppressed=reach.blocked,
        policy=policy,
    )
    without = [candidate.own.reason for candidate in candidates]
    books = Books(
        made=ledger.open_book(people=people, policy=policy, now=now, made_only=True),
        planned=ledger.open_book(people=people, policy=policy, now=now, without=without),
    )
    countered = _countered([(c.contact.id, c.own.plan) for c in candidates if c.contact], rows)
    verdicts: dict[UUID, Verdict] = {}
    for candidate in sorted(candidates, key=lambda c: (-c.own.priority, c.own.at)):
        verdicts[candidate.id] = (
            candidate.objection
            or _counter_event(candidate, countered)
            or _decide(candidate.own, people[candidate.contact.id] if candidate.contact else None, books, now)
        )
    return Checked(verdicts, people, books, {candidate.id: candidate.own for candidate in candidates})


def objection_to(row: Invitation) -> Verdict | None:
    """What only the invitation itself knows."""
    if row.contact is None:
        return Verdict(BLOCKED, "contact_gone")
    if not row.survey.is_active:
        return Verdict(SKIPPED, "survey_inactive")
    if row.touchpoint and not row.touchpoint.is_active:
        return Verdict(BLOCKED, "touchpoint_inactive")
    return None


def _counter_event(candidate: Candidate, countered: Collection[tuple[UUID, Plan]]) -> Verdict | None:
    found = candidate.contact is not None and (candidate.contact.id, candidate.own.plan) in countered
    return Verdict(BLOCKED, "counter_event") if found else None


def _decide(own: Entry, person: Person | None, books: Books, now: datetime) -> Verdict:
    if person is None:
        return Verdict(BLOCKED, "contact_gone")
    # The day's cap was kept when it was planned; being late must not spread it again.
    plan = replace(own.plan, daily_cap=None)
    wanted = replace(own, at=now, plan=plan)
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
