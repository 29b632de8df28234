"""Filters of lists: bounded, and refused where they make no sense."""

from typing import Any

import django_filters
from django import forms

BIGGEST_ID = 2**63 - 1
WORDS = 100


class Words(django_filters.CharFilter):
    """A text of bounded length."""

    def __init__(self, *args: Any, max_length: int = 200, **kwargs: Any) -> None:
        super().__init__(*args, max_length=max_length, strip=False, **kwargs)


class Since(django_filters.IsoDateTimeFilter):
    """From a moment on."""

    def __init__(self, field_name: str, label: str, **kwargs: Any) -> None:
        super().__init__(field_name, "gte", label=label, **kwargs)


class Until(django_filters.IsoDateTimeFilter):
    """Before a moment."""

    def __init__(self, field_name: str, label: str, **kwargs: Any) -> None:
        super().__init__(field_name, "lt", label=label, **kwargs)


class _WholeField(forms.IntegerField):
    """Whole numbers without signs, points or other scripts' digits."""

    def to_python(self, value: Any) -> int | None:
        text = str(value or "").strip()
        if text and not (text.isascii() and text.isdigit() and len(text) <= 19):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class Whole(django_filters.NumberFilter):
    """A whole number within bounds."""

    field_class = _WholeField

    def __init__(self, *args: Any, low: int = 0, high: int = BIGGEST_ID, **kwargs: Any) -> None:
        super().__init__(*args, min_value=low, max_value=high, **kwargs)

    def get_max_validator(self) -> None:
        """None of Django's own: the bounds are the field's."""
        return


class YesNoField(forms.NullBooleanField):
    """true or false; anything else is refused."""

    def to_python(self, value: Any) -> bool | None:  # type: ignore[override]
        if value in (None, ""):
            return None
        if value not in ("true", "false"):
            raise forms.ValidationError("Write true or false.", code="invalid")
        return bool(value == "true")

    def validate(self, value: Any) -> None:
        """What to_python gives is right."""


class YesNo(django_filters.BooleanFilter):
    """true or false."""

    field_class = YesNoField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, widget=forms.TextInput, **kwargs)
