"""Moving cases on: changes of one and of many, merging, notes. Opening them is :mod:`apps.cases.opening`'s."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from apps.cases import changing, mentions, owners, telling
from apps.cases.changing import CLOSED, UNSET, Changed, Changes
from apps.cases.errors import (
    CaseError,
    ChangedMeanwhileError,
    MergedError,
    MergeError,
    OutcomeMissingError,
    UnknownEntryError,
    UnknownOwnerError,
    UnknownStatusError,
)
from apps.cases.models import Case, CaseChange, CaseMail, CaseNote
from apps.cases.opening import open_by_hand, open_by_rules, open_cases, open_many_by_hand
from apps.cases.policy import current_terms

__all__ = [
    "CLOSED",
    "UNSET",
    "CaseError",
    "ChangedMeanwhileError",
    "Changes",
    "Many",
    "MergeError",
    "MergedError",
    "OutcomeMissingError",
    "UnknownEntryError",
    "UnknownOwnerError",
    "UnknownStatusError",
    "add_note",
    "change",
    "change_many",
    "merge",
    "open_by_hand",
    "open_by_rules",
    "open_cases",
    "open_many_by_hand",
]

MAX_AT_ONCE = 1_000
MAX_MERGED = 50
MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Many:
    """What became of a change of many cases."""

    changed: list[UUID] = field(default_factory=list)
    """Those that are as wanted now, also those that were so before."""
    refused: dict[UUID, str] = field(default_factory=dict)
    """Case → why not: ``missing``, or the code of a CaseError (``merged``, ``outcome_missing``)."""


@transaction.atomic
def change(
    *, case_id: UUID, revision: int | None, changes: Changes, by: AbstractBaseUser | None, now: datetime
) -> Case:
    """Change a case that was shown as of ``revision`` (None: however it is now).

    Closing stamps the time and stops its alarms; opening it again does the opposite, and gives it time anew if its
    time was over. Its first contact is stamped once. Raises Case.DoesNotExist, MergedError, ChangedMeanwhileError,
    UnknownStatusError, UnknownOwnerError, UnknownEntryError, or OutcomeMissingError.
    """
    changing.check(changes)
    case = changing.locked([case_id]).get()
    if case.merged_into_id is not None:
        raise MergedError(case)
    if revision is not None and revision != case.revision:
        raise ChangedMeanwhileError(case)
    changing.write([changing.apply(case, changes, terms=current_terms(), now=now)], by=by, now=now)
    return case


@transaction.atomic
def change_many(*, case_ids: Sequence[UUID], changes: Changes, by: AbstractBaseUser | None, now: datetime) -> Many:
    """Change up to 1,000 cases alike, set-wise; those that cannot be changed so are left, and why is returned.

    Raises ValueError for more, UnknownStatusError, UnknownOwnerError, or UnknownEntryError.
    """
    if len(case_ids) > MAX_AT_ONCE:
        raise ValueError(f"at most {MAX_AT_ONCE} cases at once")
    changing.check(changes)
    terms, found, done = current_terms(), Many(), []
    rows = {case.pk: case for case in changing.locked(case_ids)}
    for case_id in dict.fromkeys(case_ids):
        case = rows.get(case_id)
        if case is None or case.merged_into_id is not None:
            found.refused[case_id] = MISSING if case is None else MergedError.code
            continue
        try:
            done.append(changing.apply(case, changes, terms=terms, now=now))
        except CaseError as error:
            found.refused[case_id] = error.code
        else:
            found.changed.append(case_id)
    changing.write(done, by=by, now=now)
    return found


@transaction.atomic
def merge(*, into: UUID, others: Sequence[UUID], by: AbstractBaseUser | None, now: datetime) -> Case:
    """Make one case of several of the same contact or company; returns it.

    Notes and mails move along; the responses stay with the cases that went into it. It is due when the first of them
    was, as urgent as any, and keeps the earliest first contact. Raises Case.DoesNotExist, MergedError, or MergeError.
    """
    wanted = set(others) - {into}
    if not wanted or len(wanted) > MAX_MERGED:
        raise MergeError("others")
    rows = {case.pk: case for case in changing.locked([into, *wanted])}
    if rows.keys() != {into, *wanted}:
        raise Case.DoesNotExist
    case = rows.pop(into)
    _may_merge(case, list(rows.values()))
    # What went into one of these before goes along: one step leads to where everything is.
    Case.objects.filter(merged_into__in=wanted).update(merged_into=case)
    for moved in (CaseNote, CaseMail):
        moved._default_manager.filter(case__in=wanted).update(case=case)
    _take_over(case, list(rows.values()))
    terms = current_terms()
    changed = [Changed(case, [(CaseChange.Kind.MERGED, {"from": sorted(map(str, wanted))})])]
    for other in rows.values():
        other.merged_into = case
        changed.append(Changed(other, [(CaseChange.Kind.MERGED, {"into": str(case.pk)})]))
    for one in changed:
        terms.set_alarm(one.case, now=now)
    changing.write(changed, by=by, now=now)
    return case


def _may_merge(case: Case, others: Sequence[Case]) -> None:
    """Raises MergedError or MergeError if not."""
    for one in (case, *others):
        if one.merged_into_id is not None:
            raise MergedError(one)
    company = case.contact.company_id if case.contact else None
    for other in others:
        same_company = company is not None and other.contact is not None and other.contact.company_id == company
        if case.contact_id is None or (other.contact_id != case.contact_id and not same_company):
            raise MergeError("contact")
        if case.closed_at is not None and other.closed_at is None:
            raise MergeError("closed")


def _take_over(case: Case, others: Sequence[Case]) -> None:
    """What the case gets from those that go into it."""
    heard = [one.first_contact_at for one in (case, *others) if one.first_contact_at is not None]
    case.first_contact_at = min(heard, default=None)
    if heard and case.status == Case.Status.NEW:
        case.status = Case.Status.CONTACTED
    if case.closed_at is None:
        case.due_at = min([case.due_at, *(one.due_at for one in others if one.closed_at is None)])
        case.is_urgent = case.is_urgent or any(one.is_urgent for one in others)
        case.owner_id = next((one.owner_id for one in (case, *others) if one.owner_id is not None), None)


@transaction.atomic
def add_note(*, case_id: UUID, text: str, by: AbstractBaseUser | None, now: datetime) -> CaseNote:
    """Add a note, and tell those whom it mentions. Raises Case.DoesNotExist, MergedError, or ValueError if empty.

    Only who works here and may see cases is mentioned.
    """
    text = text.strip()
    if not text:
        raise ValueError("a note says something")
    case = changing.locked([case_id]).get()
    if case.merged_into_id is not None:
        raise MergedError(case)
    row = CaseNote.objects.create(case=case, author_id=by.pk if by else None, text=text, created_at=now)
    if "@" in text:
        people = owners.able(right="cases.view_case").values_list("pk", "username", "first_name", "last_name")
        found = [mentions.Person(pk, name, f"{first} {last}".strip()) for pk, name, first, last in people]
        ids = mentions.mentioned(text, mentions.names_of(found))
        row.mentions.add(*ids)
        telling.mentioned(row, case, ids, by=by, now=now)
    return row
