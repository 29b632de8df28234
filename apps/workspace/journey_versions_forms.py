"""Forms about versions and reviews of the journey map."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from apps.insights.models import JourneyReview, JourneyVersion
from apps.workspace.filters import ANY, Filter

TODAY = "today"


class KeepForm(forms.Form):
    """Keeps the map as it is."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("For example “Before the new shop”."))
    note = forms.CharField(
        label=_("What changed, and why"), max_length=1000, required=False, widget=forms.Textarea({"rows": 3})
    )


class VersionFilter(Filter):
    """Versions by their words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["q"].label = _("Name or note")


class ReviewFilter(Filter):
    """Reviews that are done, by their words and why they were asked for."""

    reason = forms.ChoiceField(
        label=_("Reason"), required=False,
        choices=[ANY, *((value, capfirst(label)) for value, label in JourneyReview.Reason.choices)],
    )  # fmt: skip


class CompareForm(forms.Form):
    """Two versions, or a version and today."""

    use_required_attribute = False

    before = forms.ChoiceField(label=_("Before"))
    after = forms.ChoiceField(label=_("After"))

    def __init__(self, data: Any, *, versions: Iterable[JourneyVersion]) -> None:
        rows = [(str(row.number), f"{row.number} – {row.name}") for row in versions]
        newest = rows[0][0] if rows else ""
        values = {"before": data.get("before") or newest, "after": data.get("after") or TODAY}
        super().__init__(values)
        self.fields["before"].choices = rows  # type: ignore[attr-defined]
        self.fields["after"].choices = [(TODAY, _("Today")), *rows]  # type: ignore[attr-defined]


class AskForm(forms.Form):
    """Our business changed."""

    note = forms.CharField(
        label=_("What changed?"), max_length=1000, widget=forms.Textarea({"rows": 3}),
        help_text=_("For example: we sell in branches now, or the market changed."),
    )  # fmt: skip


class FindingForm(forms.Form):
    """The map was looked at."""

    finding = forms.CharField(
        label=_("What did you find?"), max_length=1000, widget=forms.Textarea({"rows": 3}),
        help_text=_("For example: invoices have a step more now; everything else still holds."),
    )  # fmt: skip
