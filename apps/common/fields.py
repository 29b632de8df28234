"""Model and form fields shared by all apps."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common import sealed
from apps.common.schedule import ScheduleError, parse_windows

MAX_TEXT = 10_000
MAX_LONG_TEXT = 100_000
"""Of a text that is a whole page of HTML."""


def validate_texts(value: Any) -> None:
    """Only known languages, only strings, bounded length, no NUL (PostgreSQL cannot store it)."""
    known = {code for code, _name in settings.LANGUAGES}
    if not isinstance(value, dict) or not set(value) <= known:
        raise ValidationError(_("Write one text per language."))
    _check_lengths(value, MAX_TEXT)


def validate_long_texts(value: Any) -> None:
    """As :func:`validate_texts`, for whole pages."""
    known = {code for code, _name in settings.LANGUAGES}
    if not isinstance(value, dict) or not set(value) <= known:
        raise ValidationError(_("Write one text per language."))
    _check_lengths(value, MAX_LONG_TEXT)


def _check_lengths(value: dict[Any, Any], longest: int) -> None:
    if not all(isinstance(text, str) and len(text) <= longest and "\x00" not in text for text in value.values()):
        raise ValidationError(_("A text is too long or not readable."))


def check_windows(value: Any) -> None:
    """Refuse what is no list of send windows."""
    try:
        parse_windows(value)
    except ScheduleError as error:
        raise ValidationError(
            _("Each send window needs weekdays (0 for Monday to 6), “from” and “to”, such as 09:00 and 18:00.")
        ) from error


class TextsWidget(forms.MultiWidget):
    """One input per language, each labelled with the language."""

    template_name = "forms/texts.html"

    def __init__(self, multiline: bool = False, attrs: dict[str, Any] | None = None) -> None:
        self.codes = [code for code, _name in settings.LANGUAGES]
        single = forms.Textarea(attrs={"rows": 4}) if multiline else forms.TextInput()
        super().__init__(dict.fromkeys(self.codes, single), attrs)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        for sub, (_code, label) in zip(context["widget"]["subwidgets"], settings.LANGUAGES, strict=True):
            sub["language"] = label
        return context

    def decompress(self, value: Any) -> list[str]:
        texts = value if isinstance(value, dict) else {}
        return [texts.get(code, "") for code in self.codes]


class TextsFormField(forms.MultiValueField):
    """Collects one string per language into a dict; required means: at least one language."""

    def __init__(self, *, multiline: bool = False, longest: int = MAX_TEXT, **kwargs: Any) -> None:
        for unused in ("encoder", "decoder", "max_length"):
            kwargs.pop(unused, None)
        kwargs["widget"] = TextsWidget(multiline=multiline)
        fields = [forms.CharField(required=False, max_length=longest) for _language in settings.LANGUAGES]
        super().__init__(fields, require_all_fields=False, **kwargs)

    def compress(self, data_list: list[str]) -> dict[str, str]:
        codes = (code for code, _name in settings.LANGUAGES)
        return {code: text for code, text in zip(codes, data_list or [], strict=False) if text}


class TextsField(models.JSONField):
    """A text in every language: a JSON object from language code to string."""

    def __init__(self, *args: Any, multiline: bool = False, is_long: bool = False, **kwargs: Any) -> None:
        self.multiline, self.is_long = multiline, is_long
        kwargs.setdefault("default", dict)
        super().__init__(*args, **kwargs)
        self.validators = [*self.validators, validate_long_texts if is_long else validate_texts]

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        if self.multiline:
            kwargs["multiline"] = True
        return name, path, args, kwargs

    def formfield(self, **kwargs: Any) -> Any:
        kwargs.pop("widget", None)
        longest = MAX_LONG_TEXT if self.is_long else MAX_TEXT
        return super().formfield(
            **{"form_class": TextsFormField, "multiline": self.multiline, "longest": longest, **kwargs}
        )


class _Sealed(models.TextField):
    """A column of ciphertext. It can be asked whether it is there, and for nothing that is in it."""

    def __init__(self, *args: Any, purpose: str, **kwargs: Any) -> None:
        self.purpose = purpose
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "purpose": self.purpose}

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name in {"isnull", "exact"} else None


class SealedField(_Sealed):
    """A secret text, encrypted where it is stored. ``purpose`` is part of the key: never change it."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        if value is None:
            return None
        try:
            return sealed.unseal(self.purpose, value)
        except sealed.UnreadableError:
            return sealed.Unreadable(value)

    def get_prep_value(self, value: Any) -> Any:
        if value is None or isinstance(value, sealed.Unreadable):
            return None if value is None else str.__str__(value)
        return sealed.seal(self.purpose, str(value))

    def value_from_object(self, obj: models.Model) -> Any:
        """Forms begin empty where no key opens what is stored."""
        value = super().value_from_object(obj)
        return "" if sealed.problem(value) else value

    def formfield(self, **kwargs: Any) -> Any:
        """One line, where a text would have many."""
        return models.Field.formfield(self, **{"max_length": self.max_length, **kwargs})


class SealedJSONField(_Sealed):
    """Secret settings (a dict), encrypted where they are stored."""

    # For the type checker: not the text that the base class holds.
    _pyi_private_set_type: dict[str, Any]  # type: ignore[assignment]
    _pyi_private_get_type: dict[str, Any]  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"default": dict, "editable": False, **kwargs})

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> dict[str, Any] | None:
        if value is None:
            return None
        try:
            return sealed.unpack(sealed.unseal(self.purpose, value))
        except (sealed.UnreadableError, ValueError):
            return sealed.UnreadableSettings(value)

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, sealed.UnreadableSettings):
            return value.stored
        return None if value is None else sealed.seal(self.purpose, sealed.pack(value))
