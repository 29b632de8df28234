"""What the lists can be filtered by. A value that makes no sense is treated as not given."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import Choices
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.messaging.models import OutgoingEmail
from apps.responses.models import Response
from apps.touchpoints.models import Touchpoint
from apps.transfers.models import Import
from apps.triggers.models import Cadence, Decision, DryRun, Segment, TriggerRule
from apps.triggers.reasons import SENTENCES

PERIODS = (30, 90, 365)
INCENTIVES = {"no": False, "yes": True}
"""Whether answers were promised something, as the address says it."""
NO_SCORE = "none"
NO_STREAM = "none"
ANY = ("", _("All"))


def _choices(choices: type[Choices]) -> list[tuple[str, str]]:
    return [(value, capfirst(label)) for value, label in choices.choices]


def period_days(value: str | None) -> int:
    """A page's period; 90 days unless another known one is asked for."""
    return next((days for days in PERIODS if str(days) == value), 90)


class Filter(forms.Form):
    """A form over the query string."""

    template_name = "workspace/_filter.html"
    use_required_attribute = False

    q = forms.CharField(label=_("Search"), required=False, max_length=100, widget=forms.TextInput({"type": "search"}))

    def values(self) -> dict[str, Any]:
        """The values that make sense."""
        self.is_valid()
        return {name: self.cleaned_data.get(name) or "" for name in self.fields}

    @property
    def is_used(self) -> bool:
        """True if anything narrows the list."""
        return any(value != self.fields[name].initial for name, value in self.values().items() if value)


class TouchpointFilter(Filter):
    """With a choice of touchpoints, read once."""

    touchpoint = forms.ChoiceField(label=_("Touchpoint"), required=False)

    def __init__(self, data: Any, *, touchpoints: Iterable[Touchpoint]) -> None:
        super().__init__(data)
        choices = [ANY, *((touchpoint.key, str(touchpoint)) for touchpoint in touchpoints)]
        self.fields["touchpoint"].choices = choices  # type: ignore[attr-defined]


class ResponseFilter(TouchpointFilter):
    """Responses by segment, touchpoint, time, channel, and what they say; of humans unless asked otherwise."""

    segment = forms.ChoiceField(
        label=_("Segment"),
        required=False,
        choices=[
            ANY,
            ("promoter", _("Promoters")),
            ("passive", _("Passives")),
            ("detractor", _("Detractors")),
            (NO_SCORE, _("No score")),
        ],
    )
    days = forms.ChoiceField(
        label=_("Period"),
        required=False,
        choices=[ANY, ("30", _("Last 30 days")), ("90", _("Last 90 days")), ("365", _("Last 12 months"))],
    )
    comment = forms.ChoiceField(
        label=_("Comment"), required=False, choices=[ANY, ("yes", _("With comment")), ("no", _("Without comment"))]
    )
    contacts = forms.ChoiceField(label=_("Contacts"), required=False)
    channel = forms.ChoiceField(label=_("Channel"), required=False, choices=[ANY, *_choices(Response.Channel)])
    partial = forms.ChoiceField(
        label=_("Completeness"),
        required=False,
        choices=[ANY, ("yes", pgettext_lazy("responses", "Partial")), ("no", pgettext_lazy("responses", "Complete"))],
    )
    suspected = forms.ChoiceField(
        label=_("Suspected"),
        required=False,
        choices=[
            ("", pgettext_lazy("suspected responses", "Left out")),
            ("yes", pgettext_lazy("suspected responses", "Only")),
            ("all", pgettext_lazy("suspected responses", "Included")),
        ],
    )
    incentive = forms.ChoiceField(
        label=_("Incentive"),
        required=False,
        choices=[ANY, ("no", _("Without incentive")), ("yes", _("Only with incentive"))],
    )
    field_order = [
        "q", "segment", "touchpoint", "days", "comment", "contacts", "channel", "partial", "incentive", "suspected",
    ]  # fmt: skip

    def __init__(self, data: Any, *, touchpoints: Iterable[Touchpoint], segments: Iterable[Segment]) -> None:
        super().__init__(data, touchpoints=touchpoints)
        choices = [ANY, *((segment.key, segment.name) for segment in segments)]
        self.fields["contacts"].choices = choices  # type: ignore[attr-defined]


class DecisionFilter(TouchpointFilter):
    """Decisions by status, reason, rule or cadence, and touchpoint."""

    status = forms.ChoiceField(label=_("Status"), required=False, choices=[ANY, *_choices(Decision.Status)])
    reason = forms.ChoiceField(label=_("Reason"), required=False, choices=[ANY, *SENTENCES.items()])
    rule = forms.ChoiceField(label=_("Rule or cadence"), required=False)
    field_order = ["q", "status", "reason", "rule", "touchpoint"]

    def __init__(
        self, data: Any, *, touchpoints: Iterable[Touchpoint], rules: Iterable[TriggerRule], cadences: Iterable[Cadence]
    ) -> None:
        super().__init__(data, touchpoints=touchpoints)
        groups = (
            (_("Trigger rules"), [(f"rule:{rule.pk}", rule.name) for rule in rules]),
            (_("Cadences"), [(f"cadence:{cadence.pk}", cadence.name) for cadence in cadences]),
        )
        self.fields["rule"].choices = [ANY, *(group for group in groups if group[1])]  # type: ignore[attr-defined]


class EmailFilter(Filter):
    """Messages by status, what they belong to, channel and time, and those of one contact."""

    status = forms.ChoiceField(label=_("Status"), required=False, choices=[ANY, *_choices(OutgoingEmail.Status)])
    stream = forms.ChoiceField(label=_("Belongs to"), required=False)
    channel = forms.ChoiceField(label=_("Channel"), required=False, choices=[ANY, *_choices(OutgoingEmail.Channel)])
    days = forms.ChoiceField(
        label=_("Period"),
        required=False,
        choices=[ANY, ("1", _("Last 24 hours")), ("7", _("Last 7 days")), ("30", _("Last 30 days")),
                 ("90", _("Last 90 days"))],
    )  # fmt: skip
    contact = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, streams: Iterable[tuple[Any, list[tuple[str, str]]]]) -> None:
        super().__init__(data)
        self.fields["stream"].choices = [ANY, *streams, (NO_STREAM, _("Other messages"))]  # type: ignore[attr-defined]


class ContactFilter(Filter):
    """Contacts by segment, company, and whether we may write to them."""

    segment = forms.ChoiceField(label=_("Segment"), required=False)
    company = forms.CharField(label=_("Company"), required=False, max_length=100)
    basis = forms.ChoiceField(
        label=_("Legal basis"), required=False, choices=[ANY, ("yes", _("With legal basis")), ("no", _("Without"))]
    )
    blocked = forms.ChoiceField(
        label=_("Address"), required=False, choices=[ANY, ("yes", _("Blocked")), ("no", _("Not blocked"))]
    )
    field_order = ["q", "segment", "company", "basis", "blocked"]

    def __init__(self, data: Any, *, segments: Iterable[Segment]) -> None:
        super().__init__(data)
        choices = [ANY, *((segment.key, segment.name) for segment in segments)]
        self.fields["segment"].choices = choices  # type: ignore[attr-defined]


class ImportFilter(Filter):
    """Imports by what they bring and how far they are."""

    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[ANY, *_choices(Import.Kind)])
    status = forms.ChoiceField(label=_("Status"), required=False, choices=[ANY, *_choices(Import.Status)])


class DryRunFilter(Filter):
    """Dry runs by status."""

    status = forms.ChoiceField(label=_("Status"), required=False, choices=[ANY, *_choices(DryRun.Status)])


class DryRunForm(forms.Form):
    """Over how many days back a dry run goes."""

    days = forms.TypedChoiceField(
        label=_("Days back"),
        coerce=int,
        choices=[(7, _("7 days")), (30, _("30 days")), (90, _("90 days")), (365, _("12 months"))],
    )
