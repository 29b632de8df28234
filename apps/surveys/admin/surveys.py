"""Surveys with their questions: made of what their pages can do."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.common.admin_site import tenant_admin
from apps.surveys import versions
from apps.surveys.admin.archive import ArchivePages
from apps.surveys.admin.fields import NamesField
from apps.surveys.admin.library import LibraryPages
from apps.surveys.admin.lists import SurveyList
from apps.surveys.admin.preview import PreviewPages
from apps.surveys.admin.questions import QuestionInline, ThankYouInline
from apps.surveys.admin.reminders import SurveyReminderInline
from apps.surveys.admin.sharing import SharePages
from apps.surveys.models import Survey


class SurveyForm(forms.ModelForm):
    """What concerns the survey as a whole."""

    class Meta:
        model = Survey
        fields = (
            "key", "name", "is_active", "is_anonymous", "is_public", "public_properties", "closes_at",
            "min_days_between", "incentive", "invitation_template",
        )  # fmt: skip
        field_classes = {"public_properties": NamesField}
        help_texts = {
            "public_properties": _(
                "Names that the address may carry, such as store, separated by commas; others are ignored."
            )
        }

    def clean_is_active(self) -> bool:
        is_active = bool(self.cleaned_data["is_active"])
        if is_active and self.instance.archived_at:
            raise ValidationError(_("Take the survey out of the archive first."))
        return is_active


@admin.register(Survey, site=tenant_admin)
class SurveyAdmin(LibraryPages, SharePages, PreviewPages, ArchivePages, SurveyList):
    form = SurveyForm
    inlines = (QuestionInline, ThankYouInline, SurveyReminderInline)
    fieldsets = (
        (None, {"fields": ("name", "key", "is_active")}),
        (_("Who may answer, and when"), {
            "fields": ("is_anonymous", "is_public", "public_properties", "closes_at", "min_days_between"),
        }),
        (_("Incentive"), {"fields": ("incentive",)}),
        (_("How invitations look"), {"fields": ("invitation_template",)}),
    )  # fmt: skip
    actions = ("duplicate_surveys", "archive_surveys", "restore_surveys")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Only now are the questions known: publish them, as a new version where anything is different."""
        super().save_related(request, form, formsets, change)
        versions.publish(survey_id=form.instance.pk, now=timezone.now(), by=request.user.get_username())
        for formset in formsets:
            for hint in getattr(formset, "hints", ()):
                self.message_user(request, hint, messages.WARNING)
