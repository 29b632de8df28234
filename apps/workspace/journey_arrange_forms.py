"""Forms that change the journey map. What is typed stays, also where it is refused."""

import re
from collections.abc import Collection, Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.fields import TextsFormField
from apps.contacts.models import LegalBasis
from apps.touchpoints.journey_map import Map
from apps.touchpoints.journey_shape import Way
from apps.touchpoints.models import Touchpoint
from apps.workspace.journey_arrange_words import path_of

MAX_KEY, MAX_NAME = 60, 120
STAY = "stay"
WAYS = [*Way, "in", "out"]
_KEY = re.compile(r"[-a-zA-Z0-9_]+\Z")
_PLACE = re.compile(r"(\d{1,9})(?::(\d{1,9}))?\Z")


class MoveForm(forms.Form):
    """A move as a menu or the script tells it: one step in a way, or a touchpoint to a place."""

    what = forms.ChoiceField(choices=[("touchpoint", ""), ("stage", "")])
    pk = forms.IntegerField(min_value=1, max_value=2**31)
    way = forms.ChoiceField(choices=[(way, "") for way in WAYS], required=False)
    stage = forms.IntegerField(min_value=1, max_value=2**31, required=False)
    before = forms.IntegerField(min_value=1, max_value=2**31, required=False)
    revision = forms.CharField(max_length=16)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        is_touchpoint = values.get("what") == "touchpoint"
        if values.get("way") in (("in", "out") if is_touchpoint else ()):
            raise ValidationError(_("A touchpoint is no sub-step."))
        if not values.get("way") and not (is_touchpoint and values.get("stage")):
            raise ValidationError(_("Say where to."))
        return values


class Named(forms.Form):
    """A name in every language, and for something new a key, which is made of the name if none is given."""

    revision = forms.CharField(max_length=16, required=False, widget=forms.HiddenInput)
    name = TextsFormField(
        label=gettext_lazy("Name"), longest=MAX_NAME, help_text=gettext_lazy("One language is enough.")
    )
    key = forms.CharField(
        label=gettext_lazy("Key"), required=False, max_length=MAX_KEY,
        help_text=gettext_lazy("What programs call it, for example order_received. Empty: made of the name."),
    )  # fmt: skip

    def __init__(self, *args: Any, taken: Collection[str] | None, **kwargs: Any) -> None:
        """``taken``: the keys there are; None where the key stays as it is."""
        super().__init__(*args, **kwargs)
        self.taken = taken
        if taken is None:
            del self.fields["key"]

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if key and not _KEY.match(key):
            raise ValidationError(_("Letters without accents, digits, “_” and “-” only."))
        if key in (self.taken or ()):
            raise ValidationError(_("There is one with this key already."))
        return key

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.taken is not None and values.get("name") and not values.get("key") and "key" not in self.errors:
            values["key"] = _free_key(values["name"], self.taken)
        return values


def _free_key(name: dict[str, str], taken: Collection[str]) -> str:
    """A key of the name that is still free: english first."""
    text = name.get("en") or next(iter(name.values()))
    base = slugify(text).replace("-", "_")[: MAX_KEY - 4] or "place"
    return next(key for key in (base, *(f"{base}_{number}" for number in range(2, 2000))) if key not in taken)


class StageForm(Named):
    """A stage, or a sub-step of one."""

    parent = forms.TypedChoiceField(
        label=gettext_lazy("Sub-step of"), required=False, coerce=int, empty_value=None,
        help_text=gettext_lazy("Empty: a stage of its own."),
    )  # fmt: skip

    def __init__(self, *args: Any, found: Map, stage_id: int | None = None, **kwargs: Any) -> None:
        taken = {row.key for row in found.stages.values()} if stage_id is None else None
        super().__init__(*args, taken=taken, **kwargs)
        others = [(place.id, str(found.stages[place.id])) for place in found.shape.stages if place.id != stage_id]
        has_steps = stage_id is not None and bool(found.shape.place(stage_id).steps)
        self.fields["parent"].choices = [("", "–"), *([] if has_steps else others)]  # type: ignore[attr-defined]
        if has_steps:
            self.fields["parent"].help_text = _("It has sub-steps itself, so it cannot be one.")


class TouchpointForm(Named):
    """A touchpoint, where it lies, and what an event there proves."""

    where = forms.ChoiceField(label=gettext_lazy("Place"))
    legal_basis = forms.ChoiceField(
        label=gettext_lazy("What an event here proves"), required=False,
        choices=[("", gettext_lazy("nothing: nobody is mailed because of it")), *LegalBasis.Kind.choices],
        help_text=Touchpoint._meta.get_field("legal_basis").help_text,
    )  # fmt: skip
    is_active = forms.BooleanField(
        label=gettext_lazy("Events are taken in"), required=False, initial=True,
        help_text=gettext_lazy("Off: it stays on the map with its figures; new events are refused."),
    )  # fmt: skip

    def __init__(self, *args: Any, found: Map, touchpoint_id: int | None = None, **kwargs: Any) -> None:
        taken = {row.key for row in found.touchpoints.values()} if touchpoint_id is None else None
        super().__init__(*args, taken=taken, **kwargs)
        where: Any = self.fields["where"]
        if touchpoint_id is None:
            where.choices = [(str(place.id), path_of(found, place.id)) for place in found.shape.places()]
            del self.fields["is_active"]
        else:
            where.choices = [(STAY, _("where it is")), *_places(found, touchpoint_id)]
            where.initial = STAY

    @property
    def place(self) -> tuple[int, int | None] | None:
        """The chosen stage and the touchpoint it is to stand before; None: where it is."""
        found = _PLACE.match(self.cleaned_data["where"])
        return (int(found[1]), int(found[2]) if found[2] else None) if found else None


def _places(found: Map, touchpoint_id: int) -> Iterable[tuple[str, list[tuple[str, str]]]]:
    """Every place on the map, by what it lies on."""
    for place in found.shape.places():
        others = [(f"{place.id}:{pk}", _("before “%(name)s”") % {"name": found.touchpoints[pk]})
                  for pk in place.touchpoints if pk != touchpoint_id]  # fmt: skip
        yield path_of(found, place.id), [*others, (str(place.id), _("last") if others else _("here"))]
