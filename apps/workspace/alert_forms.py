"""Forms about alerts: subscriptions, one's settings, team channels. What is typed stays, also where it is wrong."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.alerts.models import AlertSettings, Channel, Kind, Notice, ScoreSegment, Subscription, When
from apps.common.variables import one_line
from apps.touchpoints.models import Touchpoint
from apps.triggers.models import Segment
from apps.workspace.filters import ANY, Filter

MAX_KEYWORDS, MAX_KEYWORD = 50, 80
HOURS = [(hour, f"{hour:02}:00") for hour in range(24)]
# Mentions concern nobody else.
_KINDS = [(value, capfirst(label)) for value, label in Kind.choices if value != Kind.CASE_MENTION]
_STATES = [
    ANY,
    ("on", pgettext_lazy("alerts", "On")),
    ("off", pgettext_lazy("alerts", "Off")),
]


class SubscriptionFilter(Filter):
    """Subscriptions by state and when they tell."""

    state = forms.ChoiceField(label=_("State"), required=False, choices=_STATES)
    when = forms.ChoiceField(
        label=_("When"), required=False, choices=[ANY, *((value, capfirst(label)) for value, label in When.choices)]
    )


class ChannelFilter(Filter):
    """Channels by state and kind."""

    state = forms.ChoiceField(label=_("State"), required=False, choices=[*_STATES, ("failing", _("Failing"))])
    kind = forms.ChoiceField(
        label=_("Kind"),
        required=False,
        choices=[ANY, *((value, capfirst(label)) for value, label in Channel.Kind.choices)],
    )


class NoticeFilter(Filter):
    """What was told, by status, what about, and time."""

    status = forms.ChoiceField(
        label=_("Status"), required=False,
        choices=[ANY, *((value, capfirst(label)) for value, label in Notice.Status.choices)],
    )  # fmt: skip
    kind = forms.ChoiceField(
        label=_("About"), required=False, choices=[ANY, *((value, capfirst(label)) for value, label in Kind.choices)]
    )
    days = forms.ChoiceField(
        label=_("Period"),
        required=False,
        choices=[ANY, ("1", _("Last 24 hours")), ("7", _("Last 7 days")), ("30", _("Last 30 days"))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["q"].label = _("User or channel")


class Keywords(forms.CharField):
    """Words, separated by commas or lines."""

    widget = forms.Textarea({"rows": 2})

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        words = (one_line(word) for line in str(value or "").splitlines() for word in line.split(","))
        return list(dict.fromkeys(word for word in words if word))

    def validate(self, value: Any) -> None:
        if len(value) > MAX_KEYWORDS or any(len(word) > MAX_KEYWORD for word in value):
            raise ValidationError(_("At most 50 words, and none longer than 80 characters."))

    def run_validators(self, value: Any) -> None:
        """Those of a text do not fit a list; :meth:`validate` has looked."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return True


class SubscriptionForm(forms.ModelForm):
    """What is told, when and where. Only who may change channels can have a team told."""

    kinds = forms.MultipleChoiceField(
        label=_("Tell about"), choices=_KINDS, initial=[Kind.RESPONSE], widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )  # fmt: skip
    score_segments = forms.MultipleChoiceField(
        label=_("From"), choices=ScoreSegment.choices, required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("Nothing chosen: from everybody, also answers without a score."),
    )  # fmt: skip
    keywords = Keywords(
        label=_("Words in the comment"), required=False, max_length=5000,
        help_text=_("Separated by commas; one is enough. “cancel” finds “cancelled” as well. Empty: any comment."),
    )  # fmt: skip
    touchpoints = forms.ModelMultipleChoiceField(
        label=_("Touchpoints"), queryset=Touchpoint.objects.none(), required=False,
        widget=forms.CheckboxSelectMultiple, help_text=_("Nothing chosen: all."),
    )  # fmt: skip
    hour = forms.TypedChoiceField(label=_("Hour of the summary"), choices=HOURS, coerce=int, initial=8)

    class Meta:
        model = Subscription
        fields = (
            "name", "kinds", "score_segments", "segment", "keywords", "touchpoints", "survey", "when", "hour",
            "weekday", "channel",
        )  # fmt: skip

    def __init__(self, *args: Any, may_use_channels: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["touchpoints"].queryset = Touchpoint.objects.order_by("stage", "pk")  # type: ignore[attr-defined]
        for name, words in (
            ("segment", _("All contacts")),
            ("survey", _("All surveys")),
            ("channel", _("To me, by e-mail")),
        ):
            self.fields[name].empty_label = words  # type: ignore[attr-defined]
            self.fields[name].help_text = ""
        self.fields["segment"].help_text = _("For example your important companies.")
        whens = [(value, capfirst(label)) for value, label in When.choices]
        self.fields["when"].choices = whens  # type: ignore[attr-defined]
        if not may_use_channels:
            del self.fields["channel"]


class StartForm(forms.Form):
    """Which segment holds the important companies."""

    segment = forms.ModelChoiceField(
        label=_("Segment with your important companies"), queryset=Segment.objects.order_by("name"),
        empty_label=_("Choose a segment"), error_messages={"required": _("Choose a segment.")},
    )  # fmt: skip


class _Clock(forms.TimeInput):
    """An hour, by the browser's own picker."""

    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class SettingsForm(forms.ModelForm):
    """When one may be told, and how what concerns oneself comes."""

    quiet_from = forms.TimeField(label=_("Quiet from"), required=False, widget=_Clock)
    quiet_to = forms.TimeField(label=_("Quiet until"), required=False, widget=_Clock)
    digest_hour = forms.TypedChoiceField(label=_("Hour of the summary"), choices=HOURS, coerce=int, initial=8)

    class Meta:
        model = AlertSettings
        fields = ("personal", "digest_hour", "quiet_from", "quiet_to", "skip_weekends", "skip_holidays")
        widgets = {"personal": forms.RadioSelect}


class ChannelForm(forms.ModelForm):
    """A team's channel. Its address can be replaced, but is not shown again."""

    url = forms.CharField(
        label=_("Address"),
        max_length=1000,
        widget=forms.TextInput(
            {"type": "url", "placeholder": "https://", "spellcheck": "false", "autocomplete": "off"}
        ),
        help_text=_("The address that your messenger shows for an incoming webhook."),
    )

    class Meta:
        model = Channel
        fields = ("name", "kind", "url", "language")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["url"] = ""
            self.fields["url"].required = False
            self.fields["url"].help_text = _("Whoever knows it can write there, so it is not shown. Empty: it stays.")

    def clean_url(self) -> str:
        """Without a new one the old one stays."""
        value: str = self.cleaned_data["url"].strip()
        return value or self.instance.url
