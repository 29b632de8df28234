"""JSON in a form, for whoever edits it as text."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput


class JSONText(forms.JSONField):
    """JSON in a text area, laid out to be read; an empty one means ``empty``, never null."""

    def __init__(self, *, empty: type = dict, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.empty = empty

    def to_python(self, value: Any) -> Any:
        try:
            found = super().to_python(value.strip() if isinstance(value, str) else value)
        except (RecursionError, ValueError) as error:  # Too deep, or a number of thousands of digits.
            raise ValidationError(self.error_messages["invalid"], code="invalid", params={"value": "…"}) from error
        return self.empty() if found is None else found

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return super().bound_data(data, initial)
        except (RecursionError, ValueError):
            return InvalidJSONInput(data)

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, InvalidJSONInput) else json.dumps(value, ensure_ascii=False, indent=2)
