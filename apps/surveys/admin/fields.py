"""Inputs for options, conditions and names: JSON that nobody has to read. Without scripts it is edited as text."""

import json
import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext as _
from unfold.widgets import TEXTAREA_CLASSES

from apps.common.jsontext import JSONText

MAX_NAMES = 20
BUILDER = forms.Media(
    css={"all": ["surveys/builder.css"]},
    js=[
        forms.Script(f"surveys/{name}.js", defer=True)
        for name in ("dom", "options", "conditions", "builder", "preview")
    ],
)
_is_name = re.compile(r"[^.\s\"'\\&=#]{1,60}").fullmatch


def key_from(text: str, taken: set[str], fallback: str, length: int = 40) -> str:
    """A key made of a text, such as ``delivery-time``, that is not taken yet."""
    stem = slugify(text.replace("ß", "ss"))[:length].strip("-_") or fallback
    key, number = stem, 1
    while key in taken:
        number += 1
        key = f"{stem[: length - len(str(number)) - 1]}-{number}"
    return key


class BlankJSON(JSONText):
    """JSON in a text area that is blank where there is nothing, so that an untouched row counts as unchanged."""

    def prepare_value(self, value: Any) -> Any:
        return super().prepare_value(value) if value else ""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Laid out differently, or empty in another way, it is the same."""
        try:
            return bool(self.to_python(data) != (initial or self.empty()))
        except ValidationError:
            return True


class OptionsField(BlankJSON):
    """Options; one that has no key yet gets one from its text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "empty": list, "widget": OptionsWidget()})

    def to_python(self, value: Any) -> Any:
        found = super().to_python(value)
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            return found
        taken = {str(row["key"]) for row in found if row.get("key")}
        options = []
        for row in found:
            texts = {code: text for code, text in row.get("text", {}).items() if text} if _has_texts(row) else {}
            key = row.get("key") or key_from(texts.get("en") or next(iter(texts.values()), ""), taken, "option")
            taken.add(str(key))
            options.append({**row, "key": key, "text": texts or row.get("text", {})})
        return options


def _has_texts(row: dict[str, Any]) -> bool:
    texts = row.get("text")
    return isinstance(texts, dict) and all(isinstance(text, str) for text in texts.values())


class NamesField(forms.CharField):
    """Names of properties, one per line or separated by commas."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {name: kwargs[name] for name in ("label", "help_text", "required", "initial") if name in kwargs}
        widget = forms.Textarea({"rows": 2, "class": " ".join(TEXTAREA_CLASSES), "spellcheck": "false"})
        super().__init__(**kwargs, widget=widget)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        names = [name.strip() for name in re.split(r"[,\n]", str(super().clean(value) or ""))]
        found = list(dict.fromkeys(name for name in names if name))
        for name in found:
            if not _is_name(name):
                raise ValidationError(_("“%(name)s” cannot be the name of a property."), params={"name": name})
        if len(found) > MAX_NAMES:
            raise ValidationError(_("At most %(limit)s names."), params={"limit": MAX_NAMES})
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial) != data)


class _Rows(forms.Textarea):
    """A text area that a script replaces by rows."""

    template_name = "surveys/rows.html"
    kind = ""
    places: dict[str, str]
    """What is wrong, by the path within the JSON."""

    def __init__(self) -> None:
        self.places = {}
        super().__init__({"rows": 4, "class": " ".join(TEXTAREA_CLASSES), "spellcheck": "false"})

    @property
    def media(self) -> forms.Media:
        return BUILDER

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        return {**context, "widget": {**context["widget"], "kind": self.kind, "places": json.dumps(self.places)}}


class OptionsWidget(_Rows):
    """Options as rows with a text per language."""

    kind = "options"


class ConditionWidget(_Rows):
    """A condition as rows of comparisons."""

    kind = "condition"
