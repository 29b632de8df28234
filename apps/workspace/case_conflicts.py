"""Two people changed the same case: what it says now, and what was typed on top of an older state."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from apps.cases.models import Case
from apps.workspace.case_filter import Choices
from apps.workspace.case_forms import CaseForm, CloseForm
from apps.workspace.case_story import exact


@dataclass(frozen=True, slots=True)
class Side:
    """One field: what the case says now, and what was typed."""

    label: str
    now: str
    typed: str

    @property
    def differs(self) -> bool:
        """Whether saving again changes it."""
        return self.now != self.typed


def on_top(form: CaseForm, case: Case, choices: Choices) -> tuple[CaseForm, list[Side]]:
    """A form that saves what was typed on top of how the case is now; what nobody touched is as it is now."""
    touched = [name for name in form.changed_data if name != "revision"]
    data = _typed(form)
    for name, value in CaseForm.state_of(case).items():
        text = value.strftime("%Y-%m-%dT%H:%M") if isinstance(value, datetime) else str(value)
        data[f"initial-{name}"] = text
        if name not in touched:
            data[name] = text
    return CaseForm(data, case=case, choices=choices), _sides(form, CaseForm(case=case, choices=choices), touched)


def close_on_top(form: CloseForm, case: Case, choices: Choices) -> tuple[CloseForm, list[Side]]:
    """The same for how a case ends, where everything counts as typed."""
    data = _typed(form)
    data["revision"] = str(case.revision)
    fresh = CloseForm(data, choices=choices, case=case)
    sides = _sides(form, CloseForm(case=case, choices=choices), [n for n in form.fields if n != "revision"])
    return fresh, [Side(sides[0].label, str(case.get_status_display()), sides[0].typed), *sides[1:]]


def _typed(form: forms.Form) -> dict[str, Any]:
    """What was posted, to be changed."""
    return dict(form.data.items())


def _sides(form: forms.Form, now: forms.Form, names: Sequence[str]) -> list[Side]:
    found = []
    for name in names:
        field = form.fields[name]
        typed, state = _shown(field, form.cleaned_data.get(name)), _shown(field, now[name].initial)
        found.append(Side(str(form[name].label), state, typed))
    return found


def _shown(field: forms.Field, value: Any) -> str:
    if isinstance(field, forms.BooleanField):
        return _("Yes") if value else _("No")
    if isinstance(value, datetime):
        return exact(value)
    if isinstance(field, forms.ChoiceField):
        offered: Any = field.choices
        named = {str(key): str(label) for key, label in offered}
        return named.get("" if value is None else str(value), str(value))
    return str(value or "–")
