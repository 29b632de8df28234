"""What a ready-made campaign asks for before it becomes a draft."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from apps.campaigns.library import Choices, Entry
from apps.campaigns.names import called
from apps.campaigns.problems import sentence
from apps.campaigns.sequence import Problem
from apps.campaigns.sequence.settings import SettingsError, clean
from apps.campaigns.sequence.steps import Kind
from apps.incentives.models import VoucherPool
from apps.surveys.models import Survey
from apps.touchpoints.models import Touchpoint

MAX_THEMES = 10
LONGEST_THEME = 60
_LABELS: Mapping[str, Promise] = {
    "review_url": gettext_lazy("Address of your page at a review site"),
    "referral_url": gettext_lazy("Address of your referral page"),
    "pool": gettext_lazy("Voucher pool"),
    "survey": gettext_lazy("Survey"),
    "touchpoint": gettext_lazy("Touchpoint"),
    "goal_touchpoint": gettext_lazy("Event that shows success"),
    "themes": gettext_lazy("Words or tags of the theme"),
    "said": gettext_lazy("What your contacts told you"),
    "did": gettext_lazy("What you did about it"),
}
_HELP: Mapping[str, Promise] = {
    "review_url": gettext_lazy("Where the button leads, such as https://example.com/reviews."),
    "referral_url": gettext_lazy(
        "Empty: no such mail. The contact's external ID is added as ref=…; {{ external_id }} puts it elsewhere."
    ),
    "goal_touchpoint": gettext_lazy("Empty: success is counted without an event."),
    "themes": gettext_lazy("Up to ten, separated by commas. Who wrote one of them, or has it as a tag, is told."),
    "said": gettext_lazy("One language is enough; who reads another one gets the mail in it nevertheless."),
}


class LibraryForm(forms.Form):
    """The name, and what the entry needs or may use. ``choices()`` is what the entry makes steps of."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120, widget=UnfoldAdminTextInputWidget())

    def __init__(self, entry: Entry, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.entry = entry
        for name in (*entry.needs, *entry.uses):
            self._add(name, is_needed=name in entry.needs)

    def _add(self, name: str, *, is_needed: bool) -> None:
        if name in ("said", "did"):
            for code, language in settings.LANGUAGES:
                label = f"{_LABELS[name]} ({_(str(language))})"
                widget = UnfoldAdminTextareaWidget({"rows": 4, "lang": code})
                hint: Any = _HELP.get(name, "")
                self.fields[f"{name}_{code}"] = forms.CharField(
                    label=label, required=False, max_length=4_000, widget=widget, help_text=hint
                )
            return
        common: dict[str, Any] = {"label": _LABELS[name], "required": is_needed, "help_text": _HELP.get(name, "")}
        rows = _ROWS.get(name)
        if rows is None:
            self.fields[name] = forms.CharField(max_length=900, widget=UnfoldAdminTextInputWidget(), **common)
            return
        nothing = _("Please choose") if is_needed else _("none") if name in ("pool", "goal_touchpoint") else _("all")
        self.fields[name] = forms.TypedChoiceField(
            choices=[("", nothing), *rows()], coerce=int, empty_value=None, widget=UnfoldAdminSelectWidget(), **common
        )

    def clean_review_url(self) -> str:
        return self._address("review_url")

    def clean_referral_url(self) -> str:
        return self._address("referral_url")

    def _address(self, name: str) -> str:
        """An address that a button may have."""
        written = self.cleaned_data[name]
        if not written:
            return ""
        try:
            found = clean(Kind.EMAIL, {"button": {"en": "-"}, "button_url": written})
        except SettingsError as error:
            raise ValidationError(
                [sentence(Problem("", "", code, params)) for _n, code, params in error.flaws]
            ) from error
        return str(found["button_url"])

    def clean_themes(self) -> tuple[str, ...]:
        words = [" ".join(word.split()) for word in self.cleaned_data["themes"].split(",")]
        found = tuple(dict.fromkeys(word for word in words if word))
        if not 0 < len(found) <= MAX_THEMES or any(len(word) > LONGEST_THEME for word in found):
            raise ValidationError(
                _("Write one to ten words or tags, separated by commas, each of 60 characters at most.")
            )
        return found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "said" in self.entry.needs:
            for code, _language in settings.LANGUAGES:
                pair = {name: cleaned.get(f"{name}_{code}", "") for name in ("said", "did")}
                if any(pair.values()) and not all(pair.values()):
                    missing = next(name for name, text in pair.items() if not text)
                    self.add_error(f"{missing}_{code}", _("Write both parts, or leave both empty in this language."))
            if not any(cleaned.get(f"said_{code}") for code, _language in settings.LANGUAGES) and not self.errors:
                first = settings.LANGUAGES[0][0]
                self.add_error(f"said_{first}", _("Write both parts in one language at least."))
        return cleaned

    def choices(self) -> Choices:
        """What was filled in."""
        data = self.cleaned_data
        texts: dict[str, Any] = {
            name: {code: data[f"{name}_{code}"] for code, _language in settings.LANGUAGES if data[f"{name}_{code}"]}
            for name in ("said", "did")
            if name in self.entry.needs
        }
        plain = {name: data[name] for name in (*self.entry.needs, *self.entry.uses) if name in data}
        return Choices(**plain, **texts)


def _surveys() -> list[tuple[int, str]]:
    rows = Survey.objects.filter(archived_at=None, is_anonymous=False).order_by("pk")
    return [(row.pk, called(row.name) or row.key) for row in rows]


def _touchpoints() -> list[tuple[int, str]]:
    return [(row.pk, str(row)) for row in Touchpoint.objects.filter(is_active=True)]


def _pools() -> list[tuple[int, str]]:
    return list(VoucherPool.objects.filter(is_active=True).order_by("name").values_list("pk", "name"))


_ROWS: Mapping[str, Callable[[], list[tuple[int, str]]]] = {
    "pool": _pools,
    "survey": _surveys,
    "touchpoint": _touchpoints,
    "goal_touchpoint": _touchpoints,
}
