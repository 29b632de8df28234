"""Forms about the names that customer data platforms send."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.utils.translation import gettext_lazy as _

from apps.touchpoints.models import Touchpoint, TrackedName
from apps.workspace.filters import ANY, Filter

UNMAPPED, ASSIGNED, IGNORED = "unmapped", "assigned", "ignored"
LEFT_OUT = "-"


class TrackedNameFilter(Filter):
    """Names by words, and by what they mean."""

    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[ANY, (UNMAPPED, _("Unmapped")), (ASSIGNED, _("Assigned")),
                                                   (IGNORED, _("Left out"))],
    )  # fmt: skip


def meanings(touchpoints: Iterable[Touchpoint]) -> list[tuple[str, Any]]:
    """What a name can mean, for a choice."""
    keys = [(touchpoint.key, str(touchpoint)) for touchpoint in touchpoints]
    return [("", _("Unmapped")), *keys, (LEFT_OUT, _("Leave out on purpose"))]


class MeaningForm(forms.Form):
    """A touchpoint for a name, or that it is left out."""

    meaning = forms.ChoiceField(label=_("Means"), required=False)

    def __init__(self, data: Any, *, touchpoints: Iterable[Touchpoint]) -> None:
        super().__init__(data)
        self.by_key = {touchpoint.key: touchpoint for touchpoint in touchpoints}
        self.fields["meaning"].choices = meanings(self.by_key.values())  # type: ignore[attr-defined]

    def apply(self, row: TrackedName) -> None:
        """Give the row its meaning; not saved yet."""
        meaning = self.cleaned_data["meaning"]
        row.is_ignored, row.touchpoint = meaning == LEFT_OUT, self.by_key.get(meaning)


class NewNameForm(MeaningForm):
    """A name that has not come yet, with what it means."""

    name = forms.CharField(label=_("Name"), max_length=200, validators=[ProhibitNullCharactersValidator()])
    field_order = ["name", "meaning"]
