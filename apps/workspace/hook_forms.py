"""Forms about hooks: what is filtered, made and changed. What is typed stays, also where it is wrong."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from apps.touchpoints.hook_presets import PRESETS
from apps.touchpoints.models import Hook, Touchpoint
from apps.touchpoints.models.hooks import validate_property_paths
from apps.workspace.filters import ANY, Filter

MAX_ASSIGNMENTS = 100
EMPTY_ROWS = 2


class HookFilter(Filter):
    """Hooks by name, tool and state."""

    tool = forms.ChoiceField(label=_("Tool"), required=False, choices=[ANY, *Hook.Tool.choices])
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[ANY, ("on", _("On")), ("listening", _("Listening")),
                                                   ("error", _("With errors"))],
    )  # fmt: skip


class NewHookForm(forms.Form):
    """Which tool, and a name to find the hook by."""

    tool = forms.ChoiceField(label=_("Tool"), choices=[(tool, preset.label) for tool, preset in PRESETS.items()])
    name = forms.CharField(label=_("Name"), max_length=120)


class PropertyLines(forms.CharField):
    """One property per line: its name, “=”, and the path to its value."""

    widget = forms.Textarea({"rows": 4, "spellcheck": "false", "class": "mono"})

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return "\n".join(f"{name} = {path}" for name, path in value.items())
        return value

    def to_python(self, value: Any) -> Any:
        found: dict[str, str] = {}
        for line in str(value or "").splitlines():
            if line.strip():
                name, _equals, path = line.partition("=")
                found[name.strip()] = path.strip()
        validate_property_paths(found)
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return True


class HookForm(forms.ModelForm):
    """Everything about a hook but its address and what its values are assigned to."""

    required_css_class = "required"
    properties = PropertyLines(
        label=_("Properties"), required=False,
        help_text=_("One per line, such as: total = order.total_price"), max_length=20_000,
    )  # fmt: skip
    secret = forms.CharField(
        label=_("Secret"),
        required=False,
        max_length=200,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=_("The tool shows it beside its webhook. Empty: the one that is stored stays."),
    )

    class Meta:
        model = Hook
        fields = [
            "name", "state", "condition_path", "condition_value", "items_path", "touchpoint", "touchpoint_path",
            "external_id_path", "email_path", "phone_path", "name_path", "locale_path", "country_path", "time_path",
            "event_id_path", "properties", "signature", "signature_header", "secret",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored_secret = self.instance.secret
        touchpoint: Any = self.fields["touchpoint"]
        touchpoint.queryset = Touchpoint.objects.select_related("stage")
        touchpoint.empty_label = _("None: every message names one")
        for name, field in self.fields.items():
            if name.endswith("_path"):
                field.widget.attrs |= {"spellcheck": "false", "autocapitalize": "off", "class": "mono"}
            if field.help_text:
                field.widget.attrs["aria-describedby"] = f"id_{name}_helptext"

    def clean_secret(self) -> str:
        """Nothing typed keeps what is stored."""
        return self.cleaned_data["secret"] or self.stored_secret


class Assignment(NamedTuple):
    """A row of the form: a value, and the key of the touchpoint it means ("" for none)."""

    value: str
    touchpoint: str


class Assignments:
    """Which values of “what happened” mean which touchpoint: rows of two fields that share their names."""

    def __init__(self, rows: Iterable[Assignment], touchpoints: Mapping[str, Touchpoint]) -> None:
        self.given = list(rows)[:MAX_ASSIGNMENTS]
        self.touchpoints = touchpoints

    @classmethod
    def posted(cls, data: QueryDict, touchpoints: Mapping[str, Touchpoint]) -> "Assignments":
        """As they were typed."""
        values, keys = data.getlist("assigned_value"), data.getlist("assigned_touchpoint")
        return cls((Assignment(value.strip(), key) for value, key in zip(values, keys, strict=False)), touchpoints)

    @property
    def taken(self) -> dict[str, str]:
        """Value → touchpoint's key, of the rows that say both."""
        return {row.value: row.touchpoint for row in self.given if row.value and row.touchpoint in self.touchpoints}

    def problem(self) -> ValidationError | None:
        """What is wrong with the rows, if anything is."""
        values = [row.value for row in self.given if row.value and row.touchpoint]
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            return ValidationError(_("“%(value)s” is assigned twice."), params={"value": twice})
        if any(len(value) > 200 or "\x00" in value for value in values):
            return ValidationError(_("A value may have at most 200 characters."))
        return None

    def rows(self, suggested: Iterable[str]) -> list[Assignment]:
        """The rows to show: those there are, values that came but mean nothing yet, and some to fill in."""
        shown = [row for row in self.given if row.value or row.touchpoint]
        known = {row.value for row in shown}
        fresh = [Assignment(value, "") for value in suggested if value not in known and value not in self.touchpoints]
        return [*shown, *fresh[:20], *[Assignment("", "")] * EMPTY_ROWS]
