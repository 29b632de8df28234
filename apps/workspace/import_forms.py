"""What is asked of an import: the file, what its columns mean, and how its rows are to be taken."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from apps.contacts.models import LegalBasis
from apps.messaging.models import Suppression
from apps.surveys.models import Survey
from apps.transfers import services
from apps.transfers.models import Import

PROPERTY = "property"
SAMPLES = 3
_DAY = forms.DateInput({"type": "date"})


class UploadForm(forms.Form):
    """A file, and what is in it."""

    use_required_attribute = True

    kind = forms.ChoiceField(
        label=_("What is in the file?"), choices=[(value, capfirst(label)) for value, label in Import.Kind.choices]
    )
    file = forms.FileField(
        label=_("File"),
        widget=forms.ClearableFileInput(
            {"accept": ".csv,.tsv,.txt,.xlsx,text/csv", "class": "drop", "aria-describedby": "id_file_helptext"}
        ),
        help_text=_("CSV up to 1 GB or XLSX up to 50 MB. Choose the file, or drop it here."),
        error_messages={"required": _("Choose a file first."), "empty": _("The file is empty.")},
    )

    @property
    def upload(self) -> UploadedFile:
        """What was uploaded, once the form is valid."""
        found: UploadedFile = self.cleaned_data["file"]
        return found


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file, some of what stands in it, and the two fields that say what it means."""

    header: str
    samples: Sequence[str]
    target: forms.BoundField
    key: forms.BoundField


class ColumnsForm(forms.Form):
    """For each column what it means; for a property also its name."""

    def __init__(self, source: Import, data: Any = None) -> None:
        super().__init__(data)
        self._source = source
        known = [(field.target, capfirst(field.label)) for field in services.fields(kind=source.kind)]
        choices = [("", _("Leave out")), *known]
        for number, (header, meant) in enumerate(zip(source.headers, source.mapping, strict=False)):
            target, _colon, key = meant.partition(":")
            label = header or _("Column %(n)s") % {"n": number + 1}
            self.fields[f"column_{number}"] = forms.ChoiceField(
                label=label, choices=choices, required=False, initial=target
            )
            self.fields[f"key_{number}"] = forms.CharField(
                label=_("Name of the property"), max_length=60, required=False, initial=key or slug(header)
            )

    def columns(self, rows: Sequence[services.PreviewRow]) -> Iterator[Column]:
        """The columns in the order of the file."""
        for number, header in enumerate(self._source.headers):
            cells = [row.cells[number] for row in rows if number < len(row.cells) and row.cells[number]]
            target, key = self[f"column_{number}"], self[f"key_{number}"]
            yield Column(header, list(dict.fromkeys(cells))[:SAMPLES], target, key)

    @property
    def mapping(self) -> list[str]:
        """One target per column, as the engine wants it."""
        return [self._meant(number, header) for number, header in enumerate(self._source.headers)]

    def _meant(self, number: int, header: str) -> str:
        target = self.cleaned_data.get(f"column_{number}") or ""
        if target != PROPERTY:
            return target
        return f"{PROPERTY}:{self.cleaned_data.get(f'key_{number}') or slug(header)}"


def slug(header: str) -> str:
    """A property's name made of a column's: ``Signed up (web)`` → ``signed_up_web``."""
    return re.sub(r"\W+", "_", header.removeprefix("properties.").lower()).strip("_")[:60]


class OptionsForm(forms.Form):
    """How the rows are to be taken; each kind of import asks what matters to it."""

    survey = forms.ChoiceField(
        label=_("Survey"), help_text=_("The answers are counted there. Anonymous ones are not offered.")
    )
    tags = forms.CharField(
        label=_("Tags"), required=False, max_length=200, help_text=_("Separated by commas; noted with every response.")
    )
    reason = forms.ChoiceField(
        label=_("Reason"), required=False,
        choices=[(value, capfirst(label)) for value, label in Suppression.Reason.choices],
        help_text=_("For rows that give none."), initial=Suppression.Reason.IMPORTED,
    )  # fmt: skip
    existing = forms.ChoiceField(
        label=_("Rows that are there already"), required=False, initial="update",
        choices=[("update", _("Update them")), ("skip", _("Leave them as they are"))],
    )  # fmt: skip
    basis = forms.ChoiceField(
        label=_("Why may we write to them?"), required=False,
        choices=[("", _("Not said here")), *((value, capfirst(label)) for value, label in LegalBasis.Kind.choices)],
        help_text=_("Without a legal basis contacts are taken, but nobody is written to."),
    )  # fmt: skip
    basis_source = forms.CharField(
        label=_("Where does it come from?"), required=False, max_length=120,
        help_text=_("For example: form on our web site. It is the proof, if somebody asks."),
    )  # fmt: skip
    basis_since = forms.DateField(
        label=_("Since"), required=False, widget=_DAY, help_text=_("Empty: the day of the import.")
    )
    basis_version = forms.CharField(label=_("Version of the text"), required=False, max_length=60)
    basis_wording = forms.CharField(
        label=_("Wording"), required=False, max_length=5000, widget=forms.Textarea({"rows": 3}),
        help_text=_("The text that was agreed to, or the notice that was given."),
    )  # fmt: skip
    country = forms.CharField(
        label=_("Country of telephone numbers"), required=False, max_length=2, min_length=2,
        help_text=_("Two letters, such as DE, for numbers that begin without +."),
    )  # fmt: skip
    day_first = forms.BooleanField(label=_("03/04/2024 is the 3rd of April"), required=False)

    _ASKED: Mapping[str, Sequence[str]] = {
        Import.Kind.CONTACTS: ("existing", "basis", "basis_source", "basis_since", "basis_version", "basis_wording",
                               "country", "day_first"),
        Import.Kind.COMPANIES: ("existing",),
        Import.Kind.RESPONSES: ("survey", "tags", "country", "day_first"),
        Import.Kind.SUPPRESSIONS: ("reason", "country"),
    }  # fmt: skip

    def __init__(self, source: Import, data: Any = None) -> None:
        super().__init__(data, initial=_initial(source.options))
        for name in self.fields.keys() - set(self._ASKED[source.kind]):
            del self.fields[name]
        if "survey" in self.fields:
            surveys = [(survey.key, str(survey)) for survey in Survey.objects.filter(is_anonymous=False).order_by("pk")]
            self.fields["survey"].choices = [("", _("Choose …")), *surveys]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        if found.get("basis") and not found.get("basis_source"):
            self.add_error("basis_source", _("Say where the consent or the address comes from."))
        return found

    @property
    def options(self) -> dict[str, Any]:
        """As the engine wants them."""
        given = {name: self.cleaned_data[name] for name in self.fields if not name.startswith("basis")}
        if "tags" in given:
            given["tags"] = [tag.strip() for tag in given["tags"].split(",") if tag.strip()]
        if "country" in given:
            given["country"] = given["country"].upper()
        if self.cleaned_data.get("basis"):
            said = self.cleaned_data
            given["legal_basis"] = {
                "kind": said["basis"], "source": said["basis_source"], "text_version": said["basis_version"],
                "wording": said["basis_wording"],
                "granted_at": said["basis_since"].isoformat() if said["basis_since"] else "",
            }  # fmt: skip
        return given


def _initial(options: Mapping[str, Any]) -> dict[str, Any]:
    """What was chosen before, as the form has it."""
    basis = options.get("legal_basis") or {}
    return {
        **{key: value for key, value in options.items() if key != "legal_basis"},
        "tags": ", ".join(options.get("tags") or []),
        "basis": basis.get("kind", ""),
        "basis_source": basis.get("source", ""),
        "basis_version": basis.get("text_version", ""),
        "basis_wording": basis.get("wording", ""),
        "basis_since": _day(basis.get("granted_at", "")),
    }


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
