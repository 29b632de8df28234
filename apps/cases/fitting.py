"""Which rule a response fits."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.cases.models import CaseRule
from apps.cases.words import says
from apps.common.conditions import ConditionError
from apps.common.segments import DETRACTOR, segment_of
from apps.responses.models import Response
from apps.responses.selectors import with_promise
from apps.triggers import segments


@dataclass(frozen=True, slots=True)
class Book:
    """The active rules, who belongs to their segments, and which of the responses were promised to be anonymous."""

    rules: Sequence[CaseRule]
    members: Mapping[int, Collection[UUID]]
    anonymous: Collection[UUID]

    def first(self, response: Response) -> CaseRule | None:
        """The first rule that fits."""
        return next((rule for rule in self.rules if self._fits(rule, response)), None)

    def wants(self, response: Response) -> bool:
        """Whether a response opens a case: a rule fits, or there is none and it is a detractor's."""
        if self.rules:
            return self.first(response) is not None
        return segment(response) == DETRACTOR

    def contact_of(self, response: Response) -> UUID | None:
        """Whose case it would be; nobody's if it was promised that nobody can tell."""
        return None if response.pk in self.anonymous else response.contact_id

    def _fits(self, rule: CaseRule, response: Response) -> bool:
        if rule.score and rule.score != segment(response):
            return False
        if rule.survey_id not in (None, response.survey_id) or rule.touchpoint_id not in (None, response.touchpoint_id):
            return False
        if rule.contact_segment_id is not None:
            contact_id = self.contact_of(response)
            if contact_id is None or contact_id not in self.members.get(rule.contact_segment_id, ()):
                return False
        return not rule.keywords or bool(says(response.comment, rule.keywords))


def segment(response: Response) -> str:
    """Whose answer it is; "" without a score, which is nobody's."""
    return "" if response.score is None else segment_of(response.score)


def read(responses: Sequence[Response], *, now: datetime) -> Book:
    """What deciding about these responses needs. Two queries, and one per segment in use.

    A segment whose condition is broken has nobody in it: other rules go on.
    """
    rules = list(CaseRule.objects.filter(is_active=True).select_related("contact_segment").order_by("position", "pk"))
    promised: QuerySet[Any] = with_promise(Response.objects.filter(pk__in=[response.pk for response in responses]))
    anonymous = set(promised.filter(is_promised=True).values_list("pk", flat=True))
    people = {row.contact_id for row in responses if row.contact_id is not None and row.pk not in anonymous}
    members: dict[int, set[UUID]] = {}
    for one in {rule.contact_segment for rule in rules if rule.contact_segment is not None}:
        try:
            members[one.pk] = segments.members(condition=one.condition, of=people, now=now) if people else set()
        except ConditionError:
            members[one.pk] = set()
    return Book(rules, members, anonymous)
