"""Forms about vouchers: what is filtered, a pool, and codes that are brought."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.incentives.models import Voucher, VoucherPool
from apps.workspace.filters import ANY, Filter

GIVEN = ""
MAX_PASTED = 500_000
"""Characters that can be pasted; more than that is a file."""


class PoolFilter(Filter):
    """Pools by kind and state."""

    kind = forms.ChoiceField(
        label=_("Kind"), required=False, choices=[ANY, *((v, capfirst(label)) for v, label in VoucherPool.Kind.choices)]
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ANY,
            ("on", pgettext_lazy("voucher pool", "Active")),
            ("low", _("Running out")),
            ("off", pgettext_lazy("voucher pool", "Off")),
        ],
    )


class VoucherFilter(Filter):
    """A pool's vouchers; those that somebody has or had, unless asked otherwise."""

    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[(GIVEN, _("Ever given out")), *((v, capfirst(label)) for v, label in Voucher.Status.choices)],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["q"].label = _("Code or contact")


class PoolForm(forms.ModelForm):
    """A pool. Where its codes come from is settled when it is made."""

    class Meta:
        model = VoucherPool
        fields = (
            "name", "value", "terms", "kind", "pattern", "is_active", "ends_on", "valid_days", "max_issued",
            "max_per_month", "unit_cost", "currency", "low_stock",
        )  # fmt: skip
        widgets = {
            "ends_on": forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
            "pattern": forms.TextInput({"placeholder": _("THANKS-####-####"), "spellcheck": "false"}),
            "currency": forms.TextInput({"placeholder": "EUR", "spellcheck": "false", "maxlength": "3"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("value", "terms"):
            self.fields[name].show_hidden_initial = False
        kind: Any = self.fields["kind"]
        kind.choices = [(value, capfirst(label)) for value, label in VoucherPool.Kind.choices]
        if self.instance.pk:
            kind.disabled = True

    def clean_currency(self) -> str:
        """In capital letters, however it was typed."""
        return str(self.cleaned_data["currency"]).upper()


class CodesForm(forms.Form):
    """New codes: a file, or pasted."""

    file = forms.FileField(
        label=_("File"),
        required=False,
        widget=forms.FileInput({"accept": ".csv,.tsv,.txt,.xlsx,text/csv,text/plain", "class": "drop"}),
        help_text=_("CSV, XLSX or plain text, up to a million codes and 50 MB."),
        error_messages={"empty": _("The file is empty.")},
    )
    text = forms.CharField(
        label=_("Or paste codes"),
        required=False,
        max_length=MAX_PASTED,
        widget=forms.Textarea({"rows": 5, "spellcheck": "false"}),
        help_text=_("One in each line, or separated by commas."),
    )

    def clean(self) -> dict[str, Any]:
        """One of the two."""
        data = super().clean() or self.cleaned_data
        if not self.errors and not data.get("file") and not data.get("text", "").strip():
            self.add_error("file", _("Choose a file, or paste some codes."))
        return data

    @property
    def upload(self) -> UploadedFile | None:
        """The file, if there is one."""
        found: UploadedFile | None = self.cleaned_data.get("file")
        return found
