"""What a change does to a case, and how it is written: history, alarms, webhooks, and who is told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import QuerySet

from apps.cases import alarms, announcements, listeners, telling
from apps.cases.errors import OutcomeMissingError, UnknownEntryError, UnknownOwnerError, UnknownStatusError
from apps.cases.models import Case, CaseChange, Outcome, RootCause
from apps.cases.policy import Terms
from apps.integrations.models import EventType

CLOSED = frozenset({Case.Status.SOLVED, Case.Status.LOST})
Kind = CaseChange.Kind
_KINDS = {
    "status": Kind.STATUS,
    "owner_id": Kind.OWNER,
    "is_urgent": Kind.URGENT,
    "due_at": Kind.DUE,
    "outcome": Kind.OUTCOME,
    "result_id": Kind.OUTCOME,
    "root_cause_id": Kind.ROOT_CAUSE,
}
SAVED = (
    "status", "owner", "is_urgent", "due_at", "outcome", "result", "root_cause", "first_contact_at", "closed_at",
    "alarm", "alarm_at", "merged_into", "updated_at", "revision",
)  # fmt: skip


class Unset(Enum):
    """Stands for what is not to be changed: None would be “nobody”."""

    UNSET = "unset"


UNSET = Unset.UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is to be different about a case; what is not named stays as it is."""

    status: str | Unset = UNSET
    owner_id: int | Unset | None = UNSET
    is_urgent: bool | Unset = UNSET
    due_at: datetime | Unset = UNSET
    outcome: str | Unset = UNSET
    result_id: int | Unset | None = UNSET
    root_cause_id: int | Unset | None = UNSET

    def given(self) -> dict[str, Any]:
        """What is named."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if value is not UNSET}


@dataclass(slots=True)
class Changed:
    """A case as it is now, and what about it is new: kinds of changes with keys and ids, no words."""

    case: Case
    entries: list[tuple[CaseChange.Kind, dict[str, Any]]]
    is_closing: bool = False
    is_given: bool = False
    """Whether it has a new owner."""


def locked(ids: Iterable[UUID]) -> QuerySet[Case]:
    """These cases in the order of their ids, locked, with what is told of them."""
    rows = Case.objects.filter(pk__in=list(ids)).select_for_update(of=("self",)).order_by("pk")
    return rows.select_related("contact", "response")


def check(changes: Changes) -> None:
    """Whether what is named exists. At most a query per reference.

    Raises UnknownStatusError, UnknownOwnerError, UnknownEntryError.
    """
    wanted = changes.given()
    if wanted.get("status", Case.Status.NEW) not in Case.Status.values:
        raise UnknownStatusError(wanted["status"])
    owner = wanted.get("owner_id")
    if owner is not None and not get_user_model()._default_manager.filter(pk=owner, is_active=True).exists():
        raise UnknownOwnerError(str(owner))
    for name, model in (("result_id", Outcome), ("root_cause_id", RootCause)):
        pk = wanted.get(name)
        if pk is not None and not model._default_manager.filter(pk=pk).exists():
            raise UnknownEntryError(name)


def apply(case: Case, changes: Changes, *, terms: Terms, now: datetime) -> Changed:
    """Set on the case what is to be different. Does not save.

    Raises OutcomeMissingError, and leaves the case as it is then.
    """
    wanted = changes.given()
    if isinstance(wanted.get("outcome"), str):
        wanted["outcome"] = wanted["outcome"].strip()
    then = {name: wanted.get(name, getattr(case, name)) for name in _KINDS}
    if then["status"] in CLOSED and not then["outcome"] and then["result_id"] is None:
        raise OutcomeMissingError
    was_closed = case.closed_at is not None
    if was_closed and then["status"] not in CLOSED and then["due_at"] <= now:
        then["due_at"] = terms.after(now, terms.close_within)  # Who opens it again needs time again.
    differing = {name: value for name, value in then.items() if value != getattr(case, name)}
    found = Changed(case, _entries(case, differing), is_given="owner_id" in differing)
    for name, value in differing.items():
        setattr(case, name, value)
    if "status" in differing:
        _stamp(case, now)
        found.is_closing = case.closed_at is not None and not was_closed
    if differing.keys() & {"status", "due_at"}:
        terms.set_alarm(case, now=now)
    return found


def _entries(case: Case, differing: dict[str, Any]) -> list[tuple[CaseChange.Kind, dict[str, Any]]]:
    found: dict[CaseChange.Kind, dict[str, Any]] = {}
    for name, value in differing.items():
        data = found.setdefault(_KINDS[name], {})
        if name != "outcome":  # Words are not kept twice.
            data.update({"from": _plain(getattr(case, name)), "to": _plain(value)})
    return list(found.items())


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _stamp(case: Case, now: datetime) -> None:
    """First contact, once, and when it was closed; opened again it is not closed."""
    if case.status != Case.Status.NEW and case.first_contact_at is None:
        case.first_contact_at = now
    if case.status in CLOSED:
        case.closed_at = case.closed_at or now
    else:
        case.closed_at = None


def write(changed: Sequence[Changed], *, by: AbstractBaseUser | None, now: datetime) -> None:
    """Save what is different, with its history, and tell whom it concerns. A bounded number of queries."""
    found = [one for one in changed if one.entries]
    if not found:
        return
    cases = [one.case for one in found]
    for case in cases:
        case.revision, case.updated_at = case.revision + 1, now
    Case.objects.bulk_update(cases, SAVED, batch_size=500)
    note(((one.case, kind, data) for one in found for kind, data in one.entries), by=by, now=now)
    closing = [one.case for one in found if one.is_closing]
    announcements.publish(closing, EventType.CASE_CLOSED, now=now)
    announcements.publish([one.case for one in found if not one.is_closing], EventType.CASE_UPDATED, now=now)
    telling.assigned((one.case for one in found if one.is_given and not one.case.is_closed), by=by, now=now)
    alarms.wake(cases, now=now)
    ended = [case.pk for case in cases if case.merged_into_id is not None]
    listeners.tell_closed(case_ids=[*(case.pk for case in closing), *ended], now=now)


def note(
    entries: Iterable[tuple[Case, CaseChange.Kind, dict[str, Any]]], *, by: AbstractBaseUser | None, now: datetime
) -> None:
    """Add to the history of cases."""
    CaseChange.objects.bulk_create(
        [CaseChange(case=case, kind=kind, data=data, at=now, by_id=by.pk if by else None)
         for case, kind, data in entries],
        batch_size=1000,
    )  # fmt: skip
