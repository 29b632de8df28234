"""What the journey map can be narrowed down to: a period and a segment of contacts, both in the address."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.insights.slices import Period, Slice
from apps.triggers.models import Segment
from apps.workspace.filters import ANY, Filter

USUAL = 90
LABELS = {30: _("30 days"), 90: _("90 days"), 365: _("12 months")}


class JourneyFilter(Filter):
    """Period and segment of contacts; the same names as in the dashboard's addresses."""

    q = None  # type: ignore[assignment]
    days = forms.IntegerField(required=False, widget=forms.HiddenInput)
    segment = forms.ChoiceField(label=_("Segment of contacts"), required=False)

    def __init__(self, data: Any, *, today: date, segments: Iterable[Segment]) -> None:
        super().__init__(data)
        self.today = today
        self.named = {segment.key: segment.name for segment in segments}
        self.fields["segment"].choices = [ANY, *self.named.items()]  # type: ignore[attr-defined]

    @property
    def days_back(self) -> int:
        """30, 90 or 365; the usual where something else is asked for."""
        days: int = self.values()["days"] or USUAL
        return days if days in LABELS else USUAL

    @property
    def segment_key(self) -> str:
        """The segment's key; "" for all contacts."""
        return str(self.values()["segment"])

    @property
    def segment_name(self) -> str:
        """The segment's name; "" for all contacts."""
        return self.named.get(self.segment_key, "")

    @property
    def is_used(self) -> bool:
        """Whether only a segment counts: a period there is always."""
        return bool(self.segment_key)

    @property
    def period(self) -> Period:
        """The days that count."""
        return Period.last(self.days_back, today=self.today)

    @property
    def wanted(self) -> Slice:
        """Which responses count."""
        return Slice(segment=self.segment_key)

    @property
    def periods(self) -> list[tuple[str, Any, bool]]:
        """Address, label, and whether it is the one shown, of every period."""
        return [(self.query(days=days), LABELS[days], days == self.days_back) for days in LABELS]

    @property
    def narrowed(self) -> str:
        """The address's query as it stands, for links to the other pages of the map; "" for the usual."""
        return self.query()

    def query(self, *, days: int | None = None) -> str:
        """The query with another period; what is usual stays out of it."""
        days = days or self.days_back
        given = {"days": days if days != USUAL else "", "segment": self.segment_key}
        found = urlencode({name: value for name, value in given.items() if value})
        return f"?{found}" if found else ""
