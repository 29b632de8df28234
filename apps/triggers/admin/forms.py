"""Forms of rules, segments and cadences: what is wrong with a condition or a window is told at its row."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from apps.common.conditions import ConditionError
from apps.common.schedule import ScheduleError, parse_windows
from apps.triggers.models import Cadence, Segment, TriggerRule
from apps.triggers.problems import by_place
from apps.triggers.rules import parse_condition, parse_segment


def _find_places(form: forms.ModelForm, name: str, parse: Callable[[Any], Any]) -> Any:
    """Note for the field's widget what is wrong where. The model's own validation refuses it, with sentences."""
    value = form.cleaned_data[name]
    try:
        parse(value)
    except (ConditionError, ScheduleError) as error:
        form.fields[name].widget.places = by_place(error)
    return value


class _ChoosingForm(forms.ModelForm):
    """A form of which some fields belong to one choice only: the others stay as they were, whatever is in them."""

    chooser = ""
    belongs: Mapping[str, str] = {}
    """Field → the choice that needs it."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        chosen = cleaned.get(self.chooser)
        for name, choice in self.belongs.items():
            if choice != chosen and name in self.fields:
                cleaned.pop(name, None)
                self.errors.pop(name, None)
        return cleaned


class TriggerRuleForm(_ChoosingForm):
    """A rule, with examples of how to write a time span."""

    chooser = "wait"
    belongs = {"delay": "duration", "working_days": "working_days", "morning_at": "morning"}

    class Meta:
        model = TriggerRule
        fields = (
            "name", "is_active", "touchpoints", "condition", "wait", "delay", "working_days", "morning_at", "survey",
            "windows", "skip_holidays", "best_hour", "percent", "daily_cap", "expires_after", "priority", "active_from",
            "active_until", "revoked_by", "revoke_match",
        )  # fmt: skip
        help_texts = {
            "delay": gettext_lazy("After the event: “3 days”, “2 hours”, “90 minutes”."),
            "expires_after": gettext_lazy("Counted from when it should have been sent: “14 days”."),
        }

    def clean_condition(self) -> Any:
        return _find_places(self, "condition", lambda tree: parse_condition(tree, Segment.trees()))

    def clean_windows(self) -> Any:
        return _find_places(self, "windows", parse_windows)


class SegmentForm(forms.ModelForm):
    """A condition over contacts under a name."""

    class Meta:
        model = Segment
        fields = ("name", "key", "condition")
        help_texts = {"key": gettext_lazy("What conditions call it; it cannot be changed later.")}

    def clean_condition(self) -> Any:
        return _find_places(self, "condition", parse_segment)


class CadenceForm(_ChoosingForm):
    """A cadence: each contact every so many days, or all on days of the calendar."""

    chooser = "kind"
    belongs = {"period_days": "per_contact", "recurrence": "calendar"}

    class Meta:
        model = Cadence
        fields = (
            "name", "is_active", "segment", "survey", "touchpoint", "kind", "period_days", "recurrence", "starts_on",
            "at", "windows", "skip_holidays", "best_hour", "percent", "daily_cap", "expires_after", "priority",
        )  # fmt: skip
        labels = {"period_days": gettext_lazy("How often")}
        help_texts = {
            "period_days": "",
            "expires_after": gettext_lazy("Counted from when it should have been sent: “14 days”."),
        }

    def clean_windows(self) -> Any:
        return _find_places(self, "windows", parse_windows)
