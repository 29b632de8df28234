"""Inputs for conditions, send windows, periods and recurrences: JSON and codes that nobody has to read."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import INPUT_CLASSES, TEXTAREA_CLASSES, UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from apps.triggers.admin.vocabulary import vocabulary

PERIODS = ("91", "182", "365")
WEEKDAYS = (
    (gettext_lazy("Mon"), gettext_lazy("Monday")),
    (gettext_lazy("Tue"), gettext_lazy("Tuesday")),
    (gettext_lazy("Wed"), gettext_lazy("Wednesday")),
    (gettext_lazy("Thu"), gettext_lazy("Thursday")),
    (gettext_lazy("Fri"), gettext_lazy("Friday")),
    (gettext_lazy("Sat"), gettext_lazy("Saturday")),
    (gettext_lazy("Sun"), gettext_lazy("Sunday")),
)
BUILDER = forms.Media(
    css={"all": ["triggers/builder.css"]},
    js=[forms.Script(f"triggers/{name}.js", defer=True) for name in ("dom", "builder", "windows", "live")],
)


class _Builder(forms.Textarea):
    """A text area that a script replaces by rows. ``places``: what is wrong, by the path within the JSON."""

    kind = ""
    places: dict[str, str] = {}

    def __init__(self) -> None:
        super().__init__({"rows": 6, "class": " ".join(TEXTAREA_CLASSES), "spellcheck": "false"})

    @property
    def media(self) -> forms.Media:
        return BUILDER

    def vocabulary(self) -> dict[str, Any]:
        """What the script has to know."""
        return {}

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        more = {"kind": self.kind, "vocabulary": self.vocabulary(), "places": self.places}
        return {**context, "widget": {**context["widget"], **more}}


class ConditionWidget(_Builder):
    """A condition as rows in groups."""

    template_name = "triggers/builder.html"
    kind = "conditions"

    def __init__(self, *, for_segment: bool = False) -> None:
        super().__init__()
        self.for_segment = for_segment

    def vocabulary(self) -> dict[str, Any]:
        return vocabulary(for_segment=self.for_segment)


class WindowsWidget(_Builder):
    """Send windows as rows of weekdays and times."""

    template_name = "triggers/builder.html"
    kind = "windows"

    def vocabulary(self) -> dict[str, Any]:
        return {
            "days": [[str(short), str(full)] for short, full in WEEKDAYS],
            "presets": [
                [_("Mon–Fri 9–18"), [{"days": [0, 1, 2, 3, 4], "from": "09:00", "to": "18:00"}]],
                [_("Every day 8–20"), [{"days": [0, 1, 2, 3, 4, 5, 6], "from": "08:00", "to": "20:00"}]],
            ],
            "texts": {
                "always": _("No window: at any hour."),
                "group": _("Send windows"),
                "window": _("Send window {number}"),
                "days": _("Weekdays"),
                "from": _("From"),
                "to": _("To (00:00 is the end of the day)"),
                "add_row": _("Add a window"),
                "remove": _("Remove"),
                "remove_window": _("Remove window {number}"),
            },
        }


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
