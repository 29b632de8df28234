"""Surveys with their questions, to read. They are written in the workspace, where they can be looked at."""

from typing import Any

import django_filters
from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers

from apps.api.base import ApiViewSet
from apps.api.fields import ConditionField, WrittenTextsField
from apps.api.filters import Words, YesNo
from apps.surveys.models import Question, Survey

TAGS = ["surveys"]


class OptionSerializer(serializers.Serializer):
    """One thing to choose."""

    key = serializers.CharField()
    text = WrittenTextsField()


class QuestionSerializer(serializers.ModelSerializer[Question]):
    """One question, worded per language and, where it matters, per segment."""

    text = WrittenTextsField()
    text_promoter = WrittenTextsField()
    text_passive = WrittenTextsField()
    text_detractor = WrittenTextsField()
    low_label = WrittenTextsField()
    high_label = WrittenTextsField()
    options = OptionSerializer(many=True)
    show_if = ConditionField()

    class Meta:
        model = Question
        fields = (
            "key", "kind", "style", "text", "text_promoter", "text_passive", "text_detractor", "is_required", "options",
            "low", "high", "low_label", "high_label", "show_if",
        )  # fmt: skip


class SurveySerializer(serializers.ModelSerializer[Survey]):
    """Questions in order; the first is the recommendation, the satisfaction or the effort question."""

    name = WrittenTextsField()
    incentive = WrittenTextsField(help_text="What is promised for answering; empty: nothing.")
    version = serializers.IntegerField(
        source="current_version.number", default=None, allow_null=True, help_text="The one that is shown now."
    )
    languages = serializers.SerializerMethodField(help_text="Languages that its questions are written in.")
    questions = QuestionSerializer(many=True)

    class Meta:
        model = Survey
        fields = (
            "id", "key", "name", "is_active", "is_anonymous", "is_public", "closes_at", "archived_at",
            "min_days_between", "incentive", "version", "languages", "questions", "created_at",
        )  # fmt: skip

    def get_languages(self, survey: Survey) -> list[str]:
        texts = [question.text for question in survey.questions.all() if isinstance(question.text, dict)]
        return sorted({code for text in texts for code, words in text.items() if words})


class SurveyFilter(django_filters.FilterSet):
    """Narrows the list of surveys."""

    is_active = YesNo()
    is_anonymous = YesNo()
    is_archived = YesNo("archived_at", lookup_expr="isnull", exclude=True)
    q = Words("key", lookup_expr="icontains", max_length=60, label="Part of the key.")

    class Meta:
        model = Survey
        fields = ()


@extend_schema_view(
    list=extend_schema(summary="List surveys", tags=TAGS),
    retrieve=extend_schema(summary="One survey", tags=TAGS),
)
class SurveyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Surveys by their keys, newest first. They are made and changed in the workspace only: there every language and
    every branch can be looked at before anybody is asked."""

    queryset = Survey.objects.select_related("current_version")
    serializer_class = SurveySerializer
    filterset_class = SurveyFilter
    lookup_field = "key"
    lookup_value_converter = "slug"

    def get_queryset(self) -> QuerySet[Any]:
        asked = Question.objects.filter(is_retired=False).order_by("position", "pk")
        rows = super().get_queryset().defer("current_version__definition")
        return rows.prefetch_related(Prefetch("questions", asked))
