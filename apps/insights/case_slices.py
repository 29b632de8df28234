"""Which cases figures are about: of a span of time, one owner's or everybody's, of one touchpoint or all."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from apps.cases.models import Case
from apps.cases.selectors import visible


@dataclass(frozen=True, slots=True)
class Slice:
    """From ``since`` up to but not including ``until``. None: whoever owns them; whichever touchpoint they are of."""

    since: datetime
    until: datetime
    owner_id: int | None = None
    touchpoint_id: int | None = None

    def params(self, now: datetime) -> dict[str, Any]:
        """The same for SQL. What is to come is not judged: ``over`` is the earlier of ``until`` and now."""
        return {
            "since": self.since,
            "until": self.until,
            "over": min(self.until, now),
            "now": now,
            "owner": self.owner_id,
            "touchpoint": self.touchpoint_id,
        }

    def cases(self) -> QuerySet[Case]:
        """Its cases, whenever they were."""
        found = visible()
        if self.owner_id is not None:
            found = found.filter(owner_id=self.owner_id)
        if self.touchpoint_id is not None:
            found = found.filter(response__touchpoint_id=self.touchpoint_id)
        return found

    def within(self, name: str) -> Q:
        """That the time in the field ``name`` lies in the span."""
        return Q(**{f"{name}__gte": self.since, f"{name}__lt": self.until})


# Cases that went into another one are in no figure.
THESE = """
    FROM cases_case c JOIN responses_response r ON r.id = c.response_id
    WHERE c.merged_into_id IS NULL
      AND (%(owner)s::bigint IS NULL OR c.owner_id = %(owner)s)
      AND (%(touchpoint)s::bigint IS NULL OR r.touchpoint_id = %(touchpoint)s)
"""
