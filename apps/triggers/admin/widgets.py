"""Inputs for conditions, send windows, periods and recurrences: JSON and codes that nobody has to read."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy
from unfold.widgets import INPUT_CLASSES, UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from apps.common.windows import BUILDER, BuilderWidget
from apps.triggers.admin.vocabulary import vocabulary

PERIODS = ("91", "182", "365")


class ConditionWidget(BuilderWidget):
    """A condition as rows in groups."""

    kind = "conditions"

    def __init__(self, *, for_segment: bool = False) -> None:
        super().__init__()
        self.for_segment = for_segment

    def vocabulary(self) -> dict[str, Any]:
        return vocabulary(for_segment=self.for_segment)


class PeriodWidget(forms.MultiWidget):
    """The usual periods to choose from, or any number of days."""

    template_name = "triggers/period.html"

    def __init__(self) -> None:
        choices = [
            ("91", gettext_lazy("quarterly")),
            ("182", gettext_lazy("half-yearly")),
            ("365", gettext_lazy("yearly")),
            ("", gettext_lazy("another number of days")),
        ]
        chosen = UnfoldAdminSelectWidget({"aria-label": gettext_lazy("How often")}, choices=choices)
        number = UnfoldAdminIntegerFieldWidget({"min": 1, "max": 1830, "aria-label": gettext_lazy("days")})
        super().__init__({"": chosen, "days": number})

    def decompress(self, value: Any) -> list[Any]:
        return [value if str(value) in PERIODS else "", value]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        chosen, days = super().value_from_datadict(data, files, name)
        return chosen or days


class RecurrenceWidget(forms.TextInput):
    """A rule of recurrence as text, with the usual ones to fill in."""

    template_name = "triggers/recurrence.html"
    presets = (
        (gettext_lazy("First Monday of each month"), "FREQ=MONTHLY;BYDAY=1MO"),
        (gettext_lazy("Quarterly, on a first Monday"), "FREQ=MONTHLY;INTERVAL=3;BYDAY=1MO"),
        (gettext_lazy("Yearly, on the day it starts"), "FREQ=YEARLY"),
    )

    def __init__(self) -> None:
        super().__init__({"class": " ".join(INPUT_CLASSES), "spellcheck": "false", "autocapitalize": "characters"})

    @property
    def media(self) -> forms.Media:
        return BUILDER

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        return {**context, "widget": {**context["widget"], "presets": self.presets}}
