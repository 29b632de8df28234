"""Forms about webhooks: what is filtered, made, changed, and sent again."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.integrations.models import TEST, Delivery, Endpoint, EventType
from apps.workspace.filters import ANY, Filter

_TYPES = [(value, value) for value in EventType.values]
_STATUSES = [(value, capfirst(label)) for value, label in Delivery.Status.choices]


class EndpointFilter(Filter):
    """Endpoints by state."""

    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ANY,
            ("on", pgettext_lazy("webhook endpoint", "On")),
            ("failing", _("Failing")),
            ("off", pgettext_lazy("webhook endpoint", "Off")),
        ],
    )


class DeliveryFilter(Filter):
    """An endpoint's deliveries by status, event type and time; the search is for what is in them."""

    status = forms.ChoiceField(label=_("Status"), required=False, choices=[ANY, *_STATUSES])
    event_type = forms.ChoiceField(label=_("Event type"), required=False, choices=[ANY, *_TYPES, (TEST, TEST)])
    days = forms.ChoiceField(
        label=_("Period"),
        required=False,
        choices=[ANY, ("1", _("Last 24 hours")), ("7", _("Last 7 days")), ("30", _("Last 30 days"))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["q"].label = _("Id of a message, response, contact …")


class EndpointForm(forms.ModelForm):
    """A receiver's address and what it is told about. The secret is made here, and replaced on its own page."""

    event_types = forms.MultipleChoiceField(
        label=_("Told about"),
        choices=[(value, f"{value} – {label}") for value, label in EventType.choices],
        required=False,
        help_text=_("Nothing chosen means everything."),
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Endpoint
        fields = ("name", "url", "event_types", "delighted_key")
        widgets = {"url": forms.TextInput({"type": "url", "placeholder": "https://", "spellcheck": "false"})}


class RotateForm(forms.Form):
    """How long the old secret signs along."""

    hours = forms.TypedChoiceField(
        label=_("The old secret signs along for"),
        coerce=int,
        initial=24,
        choices=[
            (0, _("not at all: it leaked")),
            (1, _("an hour")),
            (24, _("a day")),
            (168, _("a week")),
        ],
    )

    @property
    def overlap(self) -> timedelta:
        """What was chosen."""
        return timedelta(hours=self.cleaned_data["hours"])


class _Moment(forms.DateTimeInput):
    """A day and an hour, by the browser's own picker."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class ReplayForm(forms.Form):
    """Which span of time is sent again, and what of it."""

    prefix = "replay"

    since = forms.DateTimeField(label=_("From"), widget=_Moment)
    until = forms.DateTimeField(label=_("To"), widget=_Moment)
    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[("failed", _("Only failed ones")), ("delivered", _("Only delivered ones")), ("", _("All"))],
        initial="failed",
    )
    event_type = forms.ChoiceField(label=_("Event type"), required=False, choices=[ANY, *_TYPES])
