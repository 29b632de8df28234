"""Model and form fields shared by all apps."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

MAX_TEXT = 10_000


def validate_texts(value: Any) -> None:
    """Only known languages, only strings, bounded length, no NUL (PostgreSQL cannot store it)."""
    known = {code for code, _name in settings.LANGUAGES}
    if not isinstance(value, dict) or not set(value) <= known:
        raise ValidationError(_("Write one text per language."))
    if not all(isinstance(text, str) and len(text) <= MAX_TEXT and "\x00" not in text for text in value.values()):
        raise ValidationError(_("A text is too long or not readable."))


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

    def __init__(self, *, multiline: bool = False, **kwargs: Any) -> None:
        for unused in ("encoder", "decoder", "max_length"):
            kwargs.pop(unused, None)
        kwargs["widget"] = TextsWidget(multiline=multiline)
        fields = [forms.CharField(required=False, max_length=MAX_TEXT) for _language in settings.LANGUAGES]
        super().__init__(fields, require_all_fields=False, **kwargs)

    def compress(self, data_list: list[str]) -> dict[str, str]:
        codes = (code for code, _name in settings.LANGUAGES)
        return {code: text for code, text in zip(codes, data_list or [], strict=False) if text}


class TextsField(models.JSONField):
    """A text in every language: a JSON object from language code to string."""

    def __init__(self, *args: Any, multiline: bool = False, **kwargs: Any) -> None:
        self.multiline = multiline
        kwargs.setdefault("default", dict)
        super().__init__(*args, **kwargs)
        self.validators = [*self.validators, validate_texts]

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        if self.multiline:
            kwargs["multiline"] = True
        return name, path, args, kwargs

    def formfield(self, **kwargs: Any) -> Any:
        kwargs.pop("widget", None)
        return super().formfield(**{"form_class": TextsFormField, "multiline": self.multiline, **kwargs})
