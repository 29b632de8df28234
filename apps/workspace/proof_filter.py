"""What the page about what cases brought can be narrowed down to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.insights.case_slices import Slice
from apps.insights.recovery import DAYS
from apps.workspace.case_filter import Choices, name_of
from apps.workspace.filters import ANY, Filter

PERIOD = 365


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters as values, with the words for what was chosen."""

    slice: Slice
    days: int
    within: int
    owner: str
    touchpoint: str


class ProofFilter(Filter):
    """Period, owner, touchpoint, and how long a detractor's next answer is waited for."""

    q = None  # type: ignore[assignment]
    days = forms.ChoiceField(
        label=_("Period"),
        required=False,
        initial=str(PERIOD),
        choices=[("30", _("Last 30 days")), ("90", _("Last 90 days")), ("365", _("Last 12 months"))],
    )
    owner = forms.ChoiceField(label=_("Owner"), required=False)
    touchpoint = forms.ChoiceField(label=_("Touchpoint"), required=False)
    within = forms.ChoiceField(
        label=_("Next answer within"),
        required=False,
        initial=str(DAYS),
        choices=[("30", _("30 days")), ("90", _("90 days")), ("180", _("180 days")), ("365", _("12 months"))],
    )

    def __init__(self, data: Any, *, choices: Choices) -> None:
        # A period that nobody chose is the usual one, also in the form as it is shown.
        given = {name: value for name, value in data.dict().items() if value}
        super().__init__({"days": PERIOD, "within": DAYS, **given})
        self.names = choices.names
        self.places = {row.key: row for row in choices.touchpoints}
        people = [user for user in choices.everybody if user.is_active or str(user.pk) == data.get("owner")]
        offered: dict[str, list[tuple[Any, Any]]] = {
            "owner": [ANY, *((user.pk, name_of(user)) for user in people)],
            "touchpoint": [ANY, *((key, str(row)) for key, row in self.places.items())],
        }
        for name, values in offered.items():
            self.fields[name].choices = values  # type: ignore[attr-defined]

    def wanted(self, *, now: datetime) -> Wanted:
        """What is asked for; the usual where a value makes no sense."""
        values = self.values()
        days, within = int(values["days"] or PERIOD), int(values["within"] or DAYS)
        owner_id = int(values["owner"]) if values["owner"] else None
        place = self.places.get(values["touchpoint"])
        return Wanted(
            Slice(now - timedelta(days=days), now, owner_id, place.pk if place else None),
            days,
            within,
            self.names.get(owner_id, "") if owner_id is not None else "",
            str(place) if place else "",
        )
