"""What cases know of responses already, so that one that comes again is told apart from one that says something new."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from apps.cases.changing import Changed
from apps.cases.models import Case, CaseChange
from apps.responses.models import Response

_Kind = CaseChange.Kind


class Noted(NamedTuple):
    """What a response said when a case last heard of it."""

    case_id: UUID
    """The case, or the one it went into."""
    score: int | None


@dataclass(frozen=True, slots=True)
class Known:
    """Which responses have cases of their own, and what was noted of which."""

    own: set[UUID]
    noted: dict[UUID, Noted]

    def differs(self, response: Response) -> Noted | None:
        """What was noted, if the response says something else now."""
        found = self.noted.get(response.pk)
        return found if found is not None and found.score != response.score else None


def read(responses: Sequence[Response]) -> Known:
    """What cases know of these responses. Two queries."""
    ids = {row.pk for row in responses}
    own = dict(Case.objects.filter(response__in=ids).values_list("response_id", "pk"))
    contacts = {row.contact_id for row in responses if row.contact_id is not None}
    # By the contact's index; what changes say has none.
    history = CaseChange.objects.filter(case__contact__in=contacts) | CaseChange.objects.filter(case__in=own.values())
    history = history.filter(kind__in=[_Kind.OPENED, _Kind.ANSWERED]).order_by("at", "pk")
    noted: dict[UUID, Noted] = {}
    for case_id, into, response_id, data in history.values_list(
        "case_id", "case__merged_into_id", "case__response_id", "data"
    ):
        about = UUID(data["response"]) if "response" in data else response_id
        if about in ids and "score" in data:
            noted[about] = Noted(into or case_id, data["score"])
    return Known(set(own), noted)


def open_case_ids(contact_ids: set[UUID]) -> dict[UUID, UUID]:
    """Contact → the open case that was opened last. One query, none for nobody."""
    if not contact_ids:
        return {}
    rows = Case.objects.filter(contact__in=contact_ids, closed_at=None, merged_into=None)
    return dict(rows.order_by("opened_at", "pk").values_list("contact_id", "pk"))


def answered(case: Case, response: Response, was: Noted | None = None) -> Changed:
    """The case notes what a response says now. Neither it nor the note is saved."""
    data = {"response": str(response.pk), "score": response.score}
    if was is not None:
        data["was"] = was.score
    return Changed(case, [(_Kind.ANSWERED, data)])
