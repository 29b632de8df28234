"""Why a contact stands in a list of people, and what to do next: read for a page of rows at once."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.cases.models import Case
from apps.cases.selectors import visible
from apps.contacts.models import Contact
from apps.insights import people
from apps.messaging.suppressions import reasons_of
from apps.responses.models import Response
from apps.surveys.models import Invitation
from apps.touchpoints.models import Touchpoint

ASKED_OFTEN = 5
UNANSWERED = "unanswered"

# What to do next.
GO_ON, OPEN_CASE, WIN_BACK, ASK_AGAIN, CALL = "work_on_case", "open_case", "win_back", "ask_again", "call"
ASK_REVIEW, THANK_BY_CALL = "ask_for_review", "thank_by_call"
OTHER_CHANNEL, OTHER_TIME, ASK_LESS, NOTHING = "other_channel", "other_time", "ask_less", "nothing"
ACTIONS = (
    GO_ON, OPEN_CASE, WIN_BACK, ASK_AGAIN, CALL, ASK_REVIEW, THANK_BY_CALL, OTHER_CHANNEL, OTHER_TIME, ASK_LESS,
    NOTHING,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reason:
    """One sign, with its figure and its time."""

    code: str
    at: datetime
    score: int | None = None
    before: int | None = None
    """The score before."""
    number: int | None = None
    """Days a case is overdue, or invitations that were not answered."""
    touchpoint: Touchpoint | None = None
    case_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A contact in a list."""

    contact: Contact
    reasons: Sequence[Reason]
    action: str
    at: datetime
    """Of the last score, or of the last invitation."""
    response: Response | None = None
    """The last score."""
    case: Case | None = None
    """The open case that is due first; else the one that was lost last; else the one of the last score."""
    blocked: str = ""
    """Why we may not write to them; "" if we may."""
    weight: int = 0


@dataclass(frozen=True, slots=True)
class _Known:
    """What belongs to the contacts of some rows."""

    cases: Mapping[UUID | None, Sequence[Case]]
    blocked: Mapping[str, str]

    def why_blocked(self, contact: Contact) -> str:
        """Why we may not write to them; an address decides, and a number where there is none."""
        return self.blocked.get(contact.email or contact.phone, "")

    def first_due(self, row: Response) -> Case | None:
        """The open case that is due first."""
        found = [case for case in self.cases.get(row.contact_id, ()) if not case.is_closed]
        return min(found, key=lambda case: (due_of(case), case.pk), default=None)

    def last_lost(self, row: Response) -> Case | None:
        """The case that was lost last."""
        found = [
            (case.closed_at, case)
            for case in self.cases.get(row.contact_id, ())
            if case.status == Case.Status.LOST and case.closed_at is not None
        ]
        return max(found, key=lambda one: (one[0], one[1].pk))[1] if found else None

    def own(self, row: Response) -> Case | None:
        """The case of the score itself."""
        return next((case for case in self.cases.get(row.contact_id, ()) if case.response_id == row.pk), None)


def due_of(case: Case) -> datetime:
    """When something has to have happened: the first contact until there was one, then the close."""
    first = case.contact_due_at if case.first_contact_at is None else None
    return case.due_at if first is None else min(first, case.due_at)


def read_at_risk(rows: Sequence[Response], *, now: datetime) -> list[Person]:
    """Rows of :func:`people.at_risk` with their reasons, the heaviest first. At most two queries."""
    known = _known([_contact(row) for row in rows], with_cases=True)
    return [_at_risk(row, known, now) for row in rows]


def read_advocates(rows: Sequence[Response], *, now: datetime) -> list[Person]:
    """Rows of :func:`people.advocates` with their reasons. At most one query."""
    known = _known([_contact(row) for row in rows])
    return [_advocate(row, known) for row in rows]


def read_silent(rows: Sequence[Invitation], *, now: datetime) -> list[Person]:
    """Rows of :func:`people.silent` with their reasons. At most one query."""
    known = _known([_contact(row) for row in rows])
    return [_silent(row, known) for row in rows]


def _contact(row: Response | Invitation) -> Contact:
    assert row.contact is not None  # noqa: S101 - only rows of contacts are in these lists
    return row.contact


def _known(contacts: Sequence[Contact], *, with_cases: bool = False) -> _Known:
    addresses = {address for row in contacts for address in (row.email, row.phone) if address}
    cases: dict[UUID | None, list[Case]] = defaultdict(list)
    if with_cases and contacts:
        for case in visible().filter(contact__in=[row.pk for row in contacts]).select_related("owner"):
            cases[case.contact_id].append(case)
    return _Known(cases, reasons_of(emails=addresses))


def _at_risk(row: Any, known: _Known, now: datetime) -> Person:
    open_case, lost, own = known.first_due(row), known.last_lost(row), known.own(row)
    reasons = []
    if row.case_overdue and open_case is not None:
        since = due_of(open_case)
        reasons.append(Reason(people.CASE_OVERDUE, since, number=(now - since).days, case_id=open_case.pk))
    if row.score <= people.LOW:
        reasons.append(Reason(people.LOW_SCORE, row.answered_at, score=row.score, touchpoint=row.touchpoint))
    if row.fell:
        reasons.append(Reason(people.FELL, row.answered_at, row.score, row.score_before, touchpoint=row.touchpoint))
    if row.case_lost and lost is not None and lost.closed_at is not None:
        reasons.append(Reason(people.CASE_LOST, lost.closed_at, case_id=lost.pk))
    contact, blocked = _contact(row), known.why_blocked(_contact(row))
    if open_case is not None:
        action = GO_ON
    elif blocked:
        action = CALL if _has_free_phone(contact, known) else NOTHING
    elif own is None:
        action = OPEN_CASE
    else:
        action = WIN_BACK if row.case_lost else ASK_AGAIN
    case = open_case or (lost if row.case_lost else None) or own
    weight = people.weight_of(row.urgency)
    return Person(contact, reasons, action, row.answered_at, row, case, blocked, weight)


def _advocate(row: Any, known: _Known) -> Person:
    reasons = []
    at = {"at": row.answered_at, "score": row.score, "touchpoint": row.touchpoint}
    if row.score_before is not None and row.score_before >= people.HIGH:
        reasons.append(Reason(people.TWICE_HIGH, before=row.score_before, **at))
    if row.comment:
        reasons.append(Reason(people.HIGH_WITH_WORDS, **at))
    contact, blocked = _contact(row), known.why_blocked(_contact(row))
    action = ASK_REVIEW
    if blocked:
        action = THANK_BY_CALL if _has_free_phone(contact, known) else NOTHING
    return Person(contact, reasons, action, row.answered_at, row, blocked=blocked)


def _silent(row: Any, known: _Known) -> Person:
    contact, blocked = _contact(row), known.why_blocked(_contact(row))
    reason = Reason(UNANSWERED, row.send_at, number=row.asks, touchpoint=row.touchpoint)
    if blocked:
        action = NOTHING
    elif row.asks >= ASKED_OFTEN:
        action = ASK_LESS
    else:
        action = OTHER_CHANNEL if contact.phone and contact.email else OTHER_TIME
    return Person(contact, [reason], action, row.send_at, blocked=blocked)


def _has_free_phone(contact: Contact, known: _Known) -> bool:
    return bool(contact.phone) and contact.phone not in known.blocked


READERS: Mapping[str, Callable[..., list[Person]]] = {
    people.AT_RISK: read_at_risk,
    people.ADVOCATES: read_advocates,
    people.SILENT: read_silent,
}
"""How the rows of each list are read."""
