"""Cases of the demo: who took care, how fast, and how it ended. Pure: no Django."""

from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID

from apps.cases import hours
from apps.common.schedule import Calendar, Window
from apps.workspace.demo.mailing import Person
from apps.workspace.demo.records import CaseChangeRow, CaseRow, ResponseRow
from apps.workspace.demo.tale import Tale

OFFICE = (Window(frozenset(range(5)), 9 * 60, 17 * 60),)
GERMANY = Calendar("Europe/Berlin", "DE")
CONTACT_WITHIN, CLOSE_WITHIN = timedelta(hours=8), timedelta(hours=40)
URGENT_WITHIN = timedelta(hours=2)
ALARMING = ("cancel", "lawyer", "refund", "anwalt", "kündig", "erstattung")
A_MOMENT = timedelta(minutes=5)
SOLVED, LOST = slice(0, 5), slice(5, None)
"""Which of the usual outcomes go with which status."""


def working(at: datetime, amount: timedelta) -> datetime:
    """So much working time later."""
    return hours.add_working_time(at, amount, OFFICE, GERMANY, skip_holidays=True)


class Fate(NamedTuple):
    """What became of a case."""

    id: UUID
    status: str
    owner_id: int | None
    outcome: str
    closed_at: datetime | None


class Care:
    """Opens cases and plays what became of them. Nobody is reminded of made-up cases: they have no alarms."""

    def __init__(self, tale: Tale) -> None:
        self.tale, self.ids = tale, tale.wiring.cases

    def open(self, person: Person, response: ResponseRow, opened_at: datetime) -> None:
        """A case, and what became of it."""
        fate = self._fate(opened_at)
        # Of its own, so that what is drawn here leaves the rest of the year as it is.
        rng = Random(str(response.id))  # noqa: S311 - made-up people, not secrets
        is_urgent = any(word in response.comment.lower() for word in ALARMING)
        is_new, is_closed = fate.status == "new", fate.closed_at is not None
        row = CaseRow(
            id=fate.id,
            response_id=response.id,
            contact_id=person.id,
            owner_id=fate.owner_id,
            rule_id=self.ids.urgent_rule if is_urgent else self.ids.rule,
            status=fate.status,
            is_urgent=is_urgent,
            outcome=fate.outcome,
            result_id=self._result(rng, fate.status) if is_closed else None,
            root_cause_id=self._root_cause(rng, response) if is_closed and rng.random() < 0.92 else None,
            opened_at=opened_at,
            contact_due_at=working(opened_at, URGENT_WITHIN if is_urgent else CONTACT_WITHIN),
            due_at=working(opened_at, CLOSE_WITHIN),
            first_contact_at=None if is_new else self._first_contact(rng, opened_at, fate),
            closed_at=fate.closed_at,
            updated_at=fate.closed_at or opened_at,
            revision=int(is_closed),
        )
        self.tale.records.cases.append(row)
        self._remember(row, response)

    def _fate(self, opened_at: datetime) -> Fate:
        """Fresh cases are new, old ones mostly solved, some lost."""
        rng, end = self.tale.rng, self.tale.window.end
        age = end - opened_at
        if age < timedelta(days=8):
            status = rng.choice(("new", "new", "contacted", "solved"))
        elif age < timedelta(days=25):
            status = rng.choice(("new", "contacted", "contacted", "solved", "solved"))
        else:
            status = rng.choices(("contacted", "solved", "lost"), (4, 78, 18))[0]
        closed_at = None
        if status in self.tale.brand.outcomes:
            closed_at = min(opened_at + timedelta(hours=rng.randint(5, 96)), end - A_MOMENT)
        case_id, owners = self.tale.new_id(opened_at), self.tale.wiring.owners
        owner_id = rng.choice(owners) if owners and status != "new" else None
        return Fate(
            case_id, status, owner_id, rng.choice(self.tale.brand.outcomes[status]) if closed_at else "", closed_at
        )

    def _first_contact(self, rng: Random, opened_at: datetime, fate: Fate) -> datetime:
        """Some owners are quicker than others; nobody is heard after it was closed."""
        owners = self.tale.wiring.owners
        place = owners.index(fate.owner_id) if fate.owner_id in owners else 0
        took = timedelta(minutes=int(20 + rng.expovariate(1 / (150 + 140 * place))))
        latest = (fate.closed_at or self.tale.window.end) - timedelta(minutes=2)
        return max(opened_at, min(working(opened_at, took), latest))

    def _result(self, rng: Random, status: str) -> int | None:
        found = self.ids.outcomes[SOLVED if status == "solved" else LOST]
        return rng.choice(found) if found else None

    def _root_cause(self, rng: Random, response: ResponseRow) -> int | None:
        """Each touchpoint has its own troubles."""
        causes = self.ids.root_causes
        first = (response.touchpoint_id or 0) % len(causes) if causes else 0
        weights = [
            9 if place == first else 4 if place == (first + 3) % len(causes) else 1 for place in range(len(causes))
        ]
        return rng.choices(causes, weights)[0] if causes else None

    def _remember(self, case: CaseRow, response: ResponseRow) -> None:
        """What happened, as the services would have written it."""
        note = self.tale.records.case_changes.append
        opened = {"rule": case.rule_id, "owner": case.owner_id, "score": response.score}
        note(CaseChangeRow(case.id, "opened", case.opened_at, None, opened))
        if case.first_contact_at is not None:
            moved = {"from": "new", "to": "contacted"}
            note(CaseChangeRow(case.id, "status", case.first_contact_at, case.owner_id, moved))
        if case.closed_at is not None:
            moved = {"from": "contacted", "to": case.status}
            note(CaseChangeRow(case.id, "status", case.closed_at, case.owner_id, moved))
            note(CaseChangeRow(case.id, "outcome", case.closed_at, case.owner_id, {"from": None, "to": case.result_id}))
