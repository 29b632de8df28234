"""Surveys with their questions, the tenant's look, and who was invited."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.admin import PaginationInlineFormSet
from unfold.decorators import display
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminColorInputWidget

from apps.common.admin import BaseAdmin, BaseStacked, FlowAdmin, SingletonAdmin
from apps.common.admin_site import tenant_admin
from apps.common.texts import localized
from apps.surveys.models import Invitation, Question, Survey, Theme


class QuestionFormSet(PaginationInlineFormSet):
    """The rules that concern a survey's questions together; single rows cannot know of unsaved neighbours."""

    def clean(self) -> None:
        super().clean()
        kinds = [
            form.cleaned_data.get("kind")
            for form in self.forms
            if getattr(form, "cleaned_data", None) and not form.cleaned_data.get("DELETE")
        ]
        if any(self.errors):
            return
        if kinds.count(Question.Kind.NPS) != 1:
            raise ValidationError(_("A survey needs exactly one recommendation question."))
        if kinds.count(Question.Kind.COMMENT) > 1:
            raise ValidationError(_("A survey has at most one comment question."))


class QuestionInline(BaseStacked):
    model = Question
    formset = QuestionFormSet
    fieldsets = (
        (None, {"fields": ("kind", "key", "text", "position")}),
        (
            _("Wording by score"),
            {
                "classes": ("collapse",),
                "description": _("Empty: the text above."),
                "fields": ("text_promoter", "text_passive", "text_detractor"),
            },
        ),
    )


@admin.register(Survey, site=tenant_admin)
class SurveyAdmin(BaseAdmin):
    inlines = (QuestionInline,)
    list_display = ("key", "localized_name", "number_of_questions", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("key", "name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Survey]:
        return super().get_queryset(request).annotate(question_count=Count("questions"))

    @admin.display(description=_("name"))
    def localized_name(self, survey: Survey) -> str:
        return localized(survey.name, get_language() or "en")

    @admin.display(description=_("questions"))
    def number_of_questions(self, survey: Any) -> int:
        return survey.question_count


@admin.register(Theme, site=tenant_admin)
class ThemeAdmin(SingletonAdmin):
    """The tenant's look, with a colour picker."""

    fields = ("brand_name", "accent", "imprint_url", "privacy_url", "postal_address")

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "accent":
            kwargs["widget"] = UnfoldAdminColorInputWidget()
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(Invitation, site=tenant_admin)
class InvitationAdmin(FlowAdmin):
    list_display = ("created_at", "contact", "survey", "touchpoint", "state", "status_reason", "send_at")
    list_filter = ("status", "survey", "touchpoint")
    list_select_related = ("contact", "survey", "touchpoint")
    search_fields = ("contact__email", "contact__name", "=contact__external_id", "=reason")
    search_help_text = _("Name, e-mail or external id of the contact")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    paginator = InfinitePaginator

    @display(
        description=_("status"),
        ordering="status",
        label={"scheduled": "info", "queued": "success", "revoked": "warning", "expired": "danger"},
    )
    def state(self, invitation: Invitation) -> tuple[str, str]:
        return invitation.status, invitation.get_status_display()
