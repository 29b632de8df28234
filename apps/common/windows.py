"""Send windows in forms: rows of weekdays and times in place of JSON."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import TEXTAREA_CLASSES

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
    js=[
        forms.Script(f"triggers/{name}.js", defer=True)  # type: ignore[misc]  # The stubs know of strings only.
        for name in ("dom", "builder", "windows", "live")
    ],
)


class BuilderWidget(forms.Textarea):
    """A text area that a script replaces by rows. ``places``: what is wrong, by the path within the JSON."""

    template_name = "triggers/builder.html"
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


class WindowsWidget(BuilderWidget):
    """Send windows as rows of weekdays and times."""

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
