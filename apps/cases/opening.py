"""Opening cases: by rules, by a campaign's step, by hand. A response has one case at most, whoever asks, and when."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, transaction

from apps.cases import alarms, announcements, changing, fitting, noting, owners, telling
from apps.cases.models import Case, CaseChange, CaseRule
from apps.cases.models.policy import LONGEST
from apps.cases.policy import Terms, current_terms
from apps.common.ids import uuid7
from apps.integrations.models import EventType
from apps.responses.models import Response
from apps.responses.selectors import visible


@dataclass(frozen=True, slots=True)
class _New:
    """A case to be opened."""

    response: Response
    contact_id: UUID | None
    rule: CaseRule | None


@transaction.atomic
def open_by_rules(*, responses: Sequence[Response], now: datetime) -> None:
    """Open cases for those responses that a rule wants; without any active rule, for every detractor's.

    A response that comes again because it changed keeps its case, which notes the change. A contact with an open case
    gets no second one unless the rule is urgent: the case notes that they answered again. What a machine probably
    gave, and what was imported, opens none. Set-wise: a bounded number of queries, and one per segment in use.
    """
    _open_or_note(responses, always=False, now=now)


@transaction.atomic
def open_cases(*, responses: Sequence[Response], now: datetime) -> None:
    """Open a case per response, whether a rule wants it or not; the rule that fits says whose it is and how urgent.

    Otherwise as :func:`open_by_rules`.
    """
    _open_or_note(responses, always=True, now=now)


@transaction.atomic
def open_by_hand(*, response_id: UUID, by: AbstractBaseUser | None, now: datetime) -> Case:
    """Open a case for a response, also beside an open one of its contact, or return the one it has (or went into).

    Where no rule says whose it is, it is theirs who open it. Raises Response.DoesNotExist, also for a response that
    must stay hidden.
    """
    response = visible(Response.objects.select_related("contact")).get(pk=response_id)
    there = Case.objects.filter(response=response).select_related("merged_into").first()
    if there is None:
        book = fitting.read([response], now=now)
        _open([_New(response, book.contact_of(response), book.first(response))], by=by, now=now)
        there = Case.objects.select_related("merged_into").get(response=response)
    return there.merged_into or there


@transaction.atomic
def open_many_by_hand(*, response_ids: Sequence[UUID], by: AbstractBaseUser | None, now: datetime) -> list[Case]:
    """Open a case for each of the responses that has none and whose contact has none open; returns those.

    What is suspected, must stay hidden, or is not there (any more) opens none. Set-wise, otherwise as
    :func:`open_by_hand`.
    """
    found = visible(Response.objects.filter(pk__in=response_ids, is_suspected=False).select_related("contact"))
    rows = list(found.filter(case=None).order_by("answered_at", "pk"))
    if not rows:
        return []
    book = fitting.read(rows, now=now)
    new = [_New(row, book.contact_of(row), book.first(row)) for row in rows]
    people = {one.contact_id for one in new if one.contact_id is not None}
    _lock_contacts(people)
    busy: set[UUID | None] = set(noting.open_case_ids(people))
    fresh = []
    for one in new:
        if one.contact_id not in busy:
            fresh.append(one)
            busy |= {one.contact_id} - {None}
    return _open(fresh, by=by, now=now)


def _answers(responses: Iterable[Response]) -> list[Response]:
    """Those that may open cases, in the order in which they were given."""
    found = {row.pk: row for row in responses if not row.is_suspected and row.channel != Response.Channel.IMPORT}
    return sorted(found.values(), key=lambda row: (row.answered_at, row.pk))


def _lock_contacts(contact_ids: Iterable[UUID]) -> None:
    """Let only one transaction at a time open cases for a contact; always in the same order."""
    numbers = sorted({int.from_bytes(pk.bytes[8:], "big", signed=True) for pk in contact_ids})
    if numbers:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(pg_advisory_xact_lock(number)) FROM unnest(%s::bigint[]) AS number", [numbers])


def _open_or_note(responses: Iterable[Response], *, always: bool, now: datetime) -> None:
    """Open what is wanted (``always``: all), or note it on the contact's open case.

    All cases are locked at once, in the order of their ids: nobody waits for each other in a circle.
    """
    found = _answers(responses)
    if not found:
        return
    book = fitting.read(found, now=now)
    people = {pk for row in found if (pk := book.contact_of(row)) is not None}
    _lock_contacts(people)
    known = noting.read(found)
    open_ids = noting.open_case_ids(people)
    differing = {row.pk: was for row in found if (was := known.differs(row)) is not None}
    ids = {*open_ids.values(), *(was.case_id for was in differing.values())}
    rows = {case.pk: case for case in changing.locked(ids)} if ids else {}
    notes: list[tuple[Case, Response, noting.Noted | None]] = []
    new: list[_New] = []
    for row in found:
        was = differing.get(row.pk)
        if was is not None and (row.pk in known.own or not rows[was.case_id].is_closed):
            notes.append((rows[was.case_id], row, was))
        elif row.pk in known.own or (row.pk in known.noted and was is None):
            continue
        elif always or book.wants(row):
            new.append(_New(row, book.contact_of(row), book.first(row)))
    # Whoever closed one meanwhile was first.
    there = {rows[pk].contact_id: rows[pk] for pk in open_ids.values() if pk in rows and not rows[pk].is_closed}
    opening, waiting = _sorted_out(new, there)
    opened = {case.contact_id: case for case in reversed(_open(opening, by=None, now=now))}
    cases = opened | there
    _note([*notes, *((cases[one.contact_id], one.response, None) for one in waiting if one.contact_id in cases)], now)


def _sorted_out(new: Sequence[_New], there: Container[UUID | None]) -> tuple[list[_New], list[_New]]:
    """What is to be opened, and what only belongs to a case that is there or is opened just now."""
    opening: list[_New] = []
    waiting: list[_New] = []
    begun: set[UUID] = set()
    for one in new:
        is_urgent = one.rule is not None and one.rule.is_urgent
        if one.contact_id is not None and not is_urgent and (one.contact_id in there or one.contact_id in begun):
            waiting.append(one)
            continue
        opening.append(one)
        if one.contact_id is not None:
            begun.add(one.contact_id)
    return opening, waiting


def _note(found: Iterable[tuple[Case, Response, noting.Noted | None]], now: datetime) -> None:
    """Note on cases what these responses say now, and tell the owners."""
    by_case: dict[UUID, changing.Changed] = {}
    for case, response, was in found:
        one = by_case.setdefault(case.pk, changing.Changed(case, []))
        one.entries += noting.answered(case, response, was).entries
    changing.write(list(by_case.values()), by=None, now=now)
    telling.answered((one.case for one in by_case.values()), now=now)


def _open(wanted: Sequence[_New], *, by: AbstractBaseUser | None, now: datetime) -> list[Case]:
    """Write these cases, give them to their owners, and tell of them. Returns those that were not there before."""
    if not wanted:
        return []
    terms = current_terms()
    rows = [_case(new, terms, now) for new in wanted]
    Case.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    # With what is told of them; those that somebody else opened at the same time are not among them.
    known = Case.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk")
    fresh = list(known.select_related("rule", "contact", "response"))
    owners.give(fresh, now=now)
    for case in fresh:
        if case.owner_id is None and by is not None:
            case.owner_id = by.pk
    Case.objects.bulk_update([case for case in fresh if case.owner_id is not None], ["owner"], batch_size=500)
    changing.note(
        (
            (case, CaseChange.Kind.OPENED,
             {"rule": case.rule_id, "owner": case.owner_id, "score": case.response.score})
            for case in fresh
        ),
        by=by,
        now=now,
    )  # fmt: skip
    announcements.publish(fresh, EventType.CASE_OPENED, now=now)
    telling.assigned(fresh, by=by, now=now)
    alarms.wake(fresh, now=now)
    return fresh


def _case(new: _New, terms: Terms, now: datetime) -> Case:
    """The case as it begins: when its contact is to hear from us, and when it is to be closed."""
    rule = new.rule
    contact_within = terms.contact_within if rule is None or rule.contact_within is None else rule.contact_within
    close_within = terms.close_within if rule is None or rule.close_within is None else rule.close_within
    case = Case(
        id=uuid7(),
        response=new.response,
        contact_id=new.contact_id,
        rule=rule,
        is_urgent=rule is not None and rule.is_urgent,
        opened_at=now,
        updated_at=now,
        # Longer than any form takes, it would be beyond all calendars.
        contact_due_at=terms.after(now, min(contact_within, LONGEST)) if contact_within else None,
        due_at=terms.after(now, min(close_within, LONGEST)),
    )
    terms.set_alarm(case, now=now)
    return case
