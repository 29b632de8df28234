"""What the lists of contacts at risk, advocates and silent ones are narrowed and sorted by."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.auth.models import AbstractUser
from django.utils.translation import gettext_lazy as _

from apps.insights import people
from apps.insights.people_finding import NO_CASE, NOBODY, Wanted
from apps.insights.people_words import SIGNS
from apps.touchpoints.models import Touchpoint
from apps.triggers.models import Segment
from apps.workspace.case_filter import name_of
from apps.workspace.filters import ANY, Filter

BY_URGENCY, NEWEST = "", "newest"
REASONS = {
    people.AT_RISK: (people.CASE_OVERDUE, people.LOW_SCORE, people.FELL, people.CASE_LOST),
    people.ADVOCATES: (people.TWICE_HIGH, people.HIGH_WITH_WORDS),
    people.SILENT: (),
}


class PeopleFilter(Filter):
    """By words, reason, place, segment and company; at risk also by who takes care, and in which order."""

    reason = forms.ChoiceField(label=_("Reason"), required=False)
    touchpoint = forms.ChoiceField(label=_("Last touchpoint"), required=False)
    segment = forms.ChoiceField(label=_("Segment"), required=False)
    company = forms.CharField(label=_("Company"), required=False, max_length=100)
    owner = forms.ChoiceField(label=_("Open case"), required=False)
    sort = forms.ChoiceField(
        label=_("Sorted by"),
        required=False,
        choices=[(BY_URGENCY, _("Most urgent first")), (NEWEST, _("Newest first"))],
    )
    field_order = ["q", "reason", "touchpoint", "segment", "company", "owner", "sort"]

    def __init__(
        self,
        data: Any,
        *,
        standing: str,
        touchpoints: Iterable[Touchpoint],
        segments: Iterable[Segment],
        users: Iterable[AbstractUser],
    ) -> None:
        super().__init__(data)
        offered: dict[str, list[tuple[Any, Any]]] = {
            "reason": [ANY, *((code, SIGNS[code]) for code in REASONS[standing])],
            "touchpoint": [ANY, *((row.key, str(row)) for row in touchpoints)],
            "segment": [ANY, *((row.key, row.name) for row in segments)],
            "owner": [
                ANY,
                (NO_CASE, _("None is open")),
                (NOBODY, _("Nobody's")),
                *((row.pk, name_of(row)) for row in users if row.is_active),
            ],
        }
        for name, choices in offered.items():
            self.fields[name].choices = choices  # type: ignore[attr-defined]
        if standing != people.AT_RISK:
            del self.fields["owner"], self.fields["sort"]
        if standing == people.SILENT:
            del self.fields["reason"]

    def values(self) -> dict[str, Any]:
        return {"reason": "", "owner": "", "sort": "", **super().values()}

    @property
    def is_used(self) -> bool:
        """True if anything narrows the list."""
        return any(value for name, value in self.values().items() if name != "sort")

    def wanted(self) -> Wanted:
        """What the rows have to be like."""
        values = self.values()
        return Wanted(
            words=values["q"],
            company=values["company"],
            touchpoint=values["touchpoint"],
            segment=values["segment"],
            owner=values["owner"],
        )
