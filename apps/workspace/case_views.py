"""The lists of cases that come with the product, and those that people saved, as links with numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.cases.models import CaseView
from apps.workspace import case_filter as asked
from apps.workspace.case_filter import written
from apps.workspace.paging import COUNT_UP_TO

MAX_VIEWS = 50
"""So many lists one person may save."""

_BUILT_IN: tuple[tuple[str, Any, dict[str, str]], ...] = (
    ("mine", _("Mine"), {"owner": asked.ME}),
    ("unassigned", _("Unassigned"), {"owner": asked.NOBODY}),
    ("overdue", _("Overdue"), {"due": asked.OVERDUE}),
    ("today", _("Due today"), {"due": asked.TODAY}),
    ("urgent", _("Urgent"), {"urgent": "yes"}),
    ("open", _("All open"), {}),
    ("closed", _("Closed"), {"status": asked.CLOSED}),
)
_NOTHING = dict.fromkeys(asked.KEPT, "")


@dataclass(frozen=True, slots=True)
class Tab:
    """A list that is one click away. ``count`` is empty where it would cost a query of its own."""

    name: Any
    query: str
    is_current: bool
    count: int | None = None
    of: str = ""
    """Whose list it is, if somebody shares it."""

    @property
    def shown(self) -> str:
        """The number as it is shown: counted up to a bound."""
        if self.count is None:
            return ""
        return f"{COUNT_UP_TO}+" if self.count > COUNT_UP_TO else str(self.count)


def built_in(values: Mapping[str, Any], counts: Mapping[str, int]) -> list[Tab]:
    """The lists that everybody has."""
    now = "" if values["view"] else written(values)
    tabs = []
    for key, name, narrowing in _BUILT_IN:
        query = written({**_NOTHING, **narrowing})
        tabs.append(Tab(name, query, not values["view"] and query == now, counts[key]))
    return tabs


def saved(values: Mapping[str, Any], views: Sequence[CaseView], user_id: int) -> list[Tab]:
    """Saved lists: the user's own, and those that others share."""
    return [
        Tab(
            view.name,
            f"view={view.pk}&{view.query}".rstrip("&"),
            values["view"] == view.pk,
            of="" if view.user_id == user_id else asked.name_of(view.user),
        )
        for view in views
    ]


def current(values: Mapping[str, Any], views: Sequence[CaseView]) -> CaseView | None:
    """The saved list that is looked at, if it is one that the user may see."""
    return next((view for view in views if view.pk == values["view"]), None)
