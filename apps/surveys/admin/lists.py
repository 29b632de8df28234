"""The list of surveys: filters, and counts that cost the same however many there are."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.common.admin import BaseAdmin
from apps.common.texts import FALLBACK, localized
from apps.surveys.definition import LEADS
from apps.surveys.models import Question, Survey


class ArchivedFilter(admin.SimpleListFilter):
    """Archived surveys are only shown to those who look for them."""

    title = _("archive")
    parameter_name = "archived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("yes", _("archived")), ("all", _("all"))]

    def choices(self, changelist: Any) -> Any:
        """The default is not called “all” here."""
        first, *others = super().choices(changelist)
        return [{**first, "display": _("not archived")}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(archived_at__isnull=self.value() != "yes")


class LeadFilter(admin.SimpleListFilter):
    """What a survey begins with."""

    title = _("begins with")
    parameter_name = "lead"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [(value, label) for value, label in Question.Kind.choices if value in LEADS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(lead_kind=self.value()) if self.value() in LEADS else queryset


class SurveyList(BaseAdmin):
    """Columns, search and filters."""

    list_display = (
        "key", "localized_name", "begins_with", "number_of_questions", "number_of_responses", "is_active", "is_public",
        "is_anonymous", "created_at",
    )  # fmt: skip
    list_filter = (ArchivedFilter, "is_active", LeadFilter, "is_public", "is_anonymous")
    search_fields = ("key", "name")
    search_help_text = _("Key or name")
    ordering = ("-created_at", "-pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Survey]:
        asked = Question.objects.filter(survey=OuterRef("pk"), is_retired=False).order_by("position", "pk")
        return super().get_queryset(request).annotate(lead_kind=Subquery(asked.values("kind")[:1]))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Each survey of the page with its counts: one query for each count."""
        changelist = super().get_changelist_instance(request)
        shown = Survey.objects.filter(pk__in=[survey.pk for survey in changelist.result_list])
        asked = Count("questions", filter=Q(questions__is_retired=False))
        questions = dict(shown.annotate(found=asked).values_list("pk", "found"))
        responses = dict(shown.annotate(found=Count("responses")).values_list("pk", "found"))
        for survey in changelist.result_list:
            survey.question_count = questions.get(survey.pk, 0)
            survey.response_count = responses.get(survey.pk, 0)
        return changelist

    @admin.display(description=_("name"))
    def localized_name(self, survey: Survey) -> str:
        return localized(survey.name, get_language() or FALLBACK)

    @admin.display(description=_("begins with"))
    def begins_with(self, survey: Any) -> str:
        return str(dict(Question.Kind.choices).get(survey.lead_kind, "–"))

    @admin.display(description=_("questions"))
    def number_of_questions(self, survey: Any) -> int:
        return int(survey.question_count)

    @admin.display(description=_("responses"))
    def number_of_responses(self, survey: Any) -> int:
        return int(survey.response_count)
