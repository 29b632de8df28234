"""The form of the Delighted connection."""

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from apps.contacts.models import LegalBasis
from apps.surveys.models import Survey
from apps.triggers.delighted import Choices
from apps.triggers.models import DelightedConnection

NOBODY = ("", _("Not said: nobody is asked"))
PERIOD = (MinValueValidator(7), MaxValueValidator(1830))


class ConnectionForm(forms.Form):
    """What people sent in are asked, and why they may be written to."""

    survey = forms.ModelChoiceField(
        label=_("Survey"), queryset=Survey.objects.none(), help_text=_("What everybody is asked who is sent in.")
    )
    legal_basis = forms.ChoiceField(
        label=_("Why they may be written to"), required=False, choices=[NOBODY, *LegalBasis.Kind.choices],
        help_text=_("It must be true of everybody whom your integrations send in."),
    )  # fmt: skip
    legal_source = forms.CharField(
        label=_("Notice or consent"), required=False, max_length=2000, widget=forms.Textarea({"rows": 3}),
        help_text=_("The text they were given or agreed to, and where: it is kept with each contact as the proof."),
    )  # fmt: skip
    email_days = forms.IntegerField(
        label=_("Autopilot by e-mail: every so many days"), required=False, validators=PERIOD,
        help_text=_("Asks its members again and again. Empty: off."),
    )  # fmt: skip
    sms_days = forms.IntegerField(
        label=_("Autopilot by text message: every so many days"), required=False, validators=PERIOD,
        help_text=_("Whether texts are sent at all is set in the mail settings. Empty: off."),
    )  # fmt: skip
    is_active = forms.BooleanField(label=_("Ask the people who are sent in"), required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["survey"].queryset = Survey.objects.filter(is_active=True)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("legal_basis") and not data.get("legal_source", "").strip():
            self.add_error(
                "legal_source", _("Say what they were told or agreed to, and where: without it nothing is proven.")
            )
        return data

    def choices(self) -> Choices:
        """What was chosen, once the form is valid."""
        return Choices(**self.cleaned_data)


def initial_of(row: DelightedConnection | None) -> dict[str, Any]:
    """What the form shows at first."""
    if row is None:
        return {}
    email, sms = row.email_cadence, row.sms_cadence
    return {
        "survey": row.survey_id,
        "legal_basis": row.legal_basis,
        "legal_source": row.legal_source,
        "email_days": email.period_days if email and email.is_active else None,
        "sms_days": sms.period_days if sms and sms.is_active else None,
        "is_active": row.is_active,
    }
