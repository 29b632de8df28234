"""When a survey asks once more, as rows of its form; and who was reminded."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from apps.common.admin import BaseStacked, FlowAdmin
from apps.common.admin_site import tenant_admin
from apps.common.jsontext import JSONText
from apps.common.variables import unknown_variables
from apps.common.windows import WindowsWidget
from apps.surveys.models import Reminder, SurveyReminder
from apps.surveys.models.reminders import MOST
from apps.surveys.reminder_mails import VARIABLES


class SurveyReminderForm(forms.ModelForm):
    """One reminder. A variable that nobody fills in is told before it reaches anybody."""

    class Meta:
        model = SurveyReminder
        fields = ("position", "delay", "windows", "skip_holidays", "subject", "text")

    def has_changed(self) -> bool:
        """A row that was added is meant, also where all in it is as proposed."""
        return self.instance._state.adding or super().has_changed()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in ("subject", "text"):
            texts = (cleaned.get(name) or {}).values()
            unknown = sorted({one for text in texts for one in unknown_variables(text, VARIABLES)})
            if unknown:
                params = {"unknown": ", ".join(unknown), "known": ", ".join(sorted(VARIABLES))}
                message = _("There is no variable %(unknown)s, only %(known)s.")
                self.add_error(name, ValidationError(message, params=params))
        return cleaned


class SurveyReminderInline(BaseStacked):
    """Up to three reminders, each with its delay, its send windows and its words."""

    model = SurveyReminder
    form = SurveyReminderForm
    max_num = MOST
    fields = ("position", "delay", "windows", "skip_holidays", "subject", "text")

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "windows":
            kwargs |= {"form_class": JSONText, "widget": WindowsWidget(), "empty": list}
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @property
    def media(self) -> forms.Media:
        return super().media + WindowsWidget().media


@admin.register(Reminder, site=tenant_admin)
class ReminderAdmin(FlowAdmin):
    list_display = ("created_at", "contact", "survey", "position", "state", "status_reason", "send_at")
    list_filter = ("status", "position", "invitation__survey")
    list_select_related = ("invitation__contact", "invitation__survey")
    search_fields = ("invitation__contact__email", "invitation__contact__name", "=invitation__contact__external_id")
    search_help_text = _("Name, e-mail or external id of the contact")
    ordering = ("-id",)
    paginator = InfinitePaginator

    @admin.display(description=_("contact"), empty_value="–")
    def contact(self, reminder: Reminder) -> str | None:
        return str(reminder.invitation.contact) if reminder.invitation.contact else None

    @admin.display(description=_("survey"))
    def survey(self, reminder: Reminder) -> str:
        return str(reminder.invitation.survey)

    @display(
        description=_("status"),
        ordering="status",
        label={"scheduled": "info", "queued": "success", "revoked": "warning", "expired": "danger"},
    )
    def state(self, reminder: Reminder) -> tuple[str, str]:
        return reminder.status, reminder.get_status_display()
