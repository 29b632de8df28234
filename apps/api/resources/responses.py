"""Responses: what was answered, and the tags that people put on it."""

from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework import response as rest
from rest_framework.request import Request

from apps.api.base import ApiViewSet, Expandable, Strict, expand_parameter
from apps.api.fields import PropertiesField
from apps.api.filters import Since, Until, Whole, Words, YesNo
from apps.api.problems import ConflictError
from apps.api.resources.contact_data import ContactSerializer
from apps.api.resources.surveys import SurveySerializer
from apps.common.segments import segment_of
from apps.integrations.models import Scope
from apps.responses.keeping import value_of
from apps.responses.models import Answer, Response
from apps.responses.recording import Changes, PromisedError, revise_response
from apps.responses.selectors import visible, with_promise
from apps.surveys.models import Question

TAGS = ["responses"]
MAX_TAGS, MAX_TAG = 50, 60
SEGMENTS = [("promoter", "9–10"), ("passive", "7–8"), ("detractor", "0–6"), ("none", "no score")]
SUSPECTED = [("no", "of humans"), ("yes", "probably of machines"), ("all", "both")]
PROMISED = "Responses of anonymous surveys stay as they are: that was promised."


class AnswerSerializer(serializers.ModelSerializer[Answer]):
    """The answer to one further question."""

    question = serializers.CharField(source="question.key")
    kind = serializers.ChoiceField(Question.Kind.choices, source="question.kind")
    value = serializers.SerializerMethodField(
        help_text="A number, true or false, words, the key of an option or a list of keys."
    )

    class Meta:
        model = Answer
        fields = ("question", "kind", "value")

    @extend_schema_field({"type": ["number", "boolean", "string", "array"], "items": {"type": "string"}})
    def get_value(self, answer: Any) -> Any:
        return value_of(answer.question.kind, answer)


class ResponseSerializer(Expandable, serializers.ModelSerializer[Response]):
    """One contact's answer to one survey. Of an anonymous one only the day is known, and not whose it is."""

    expandable = ("contact", "survey_details")
    survey = serializers.CharField(source="survey.key")
    survey_version = serializers.IntegerField(source="version.number", default=None, allow_null=True)
    survey_details = SurveySerializer(source="survey", required=False, help_text="With `expand=survey`.")
    touchpoint = serializers.CharField(source="touchpoint.key", default=None, allow_null=True)
    contact_id = serializers.SerializerMethodField()
    contact = ContactSerializer(allow_null=True, required=False, help_text="With `expand=contact`.")
    invitation_id = serializers.SerializerMethodField()
    segment = serializers.SerializerMethodField(help_text="By the score.")
    is_anonymous = serializers.BooleanField(source="is_promised")
    properties = PropertiesField()
    tags = serializers.ListField(child=serializers.CharField())
    suspicions = serializers.ListField(child=serializers.CharField())
    answers = AnswerSerializer(many=True, help_text="To the questions beside score and comment.")

    class Meta:
        model = Response
        fields = (
            "id", "survey", "survey_version", "survey_details", "touchpoint", "contact_id", "contact", "invitation_id",
            "channel", "score", "segment", "comment", "call_back", "answers", "properties", "tags", "locale",
            "is_anonymous", "is_partial", "is_suspected", "suspicions", "is_incentivised", "source", "external_id",
            "answered_at", "updated_at",
        )  # fmt: skip

    def get_contact_id(self, row: Any) -> UUID | None:
        return None if row.is_promised else row.contact_id

    def get_invitation_id(self, row: Any) -> UUID | None:
        return None if row.is_promised else row.invitation_id

    def to_representation(self, instance: Any) -> Any:
        told = super().to_representation(instance)
        if instance.is_promised and "contact" in told:
            told["contact"] = None
        return told

    @extend_schema_field({"type": ["string", "null"], "enum": ["promoter", "passive", "detractor", None]})
    def get_segment(self, row: Response) -> str | None:
        return None if row.score is None else segment_of(row.score)


class ResponseChangeSerializer(Strict):
    """What is to be different about a response."""

    tags = serializers.ListField(
        child=serializers.CharField(max_length=MAX_TAG), max_length=MAX_TAGS, help_text="Take the place of all tags."
    )


class ResponseFilter(django_filters.FilterSet):
    """Narrows the list of responses."""

    survey = Words("survey__key", max_length=60, label="Key of a survey.")
    touchpoint = Words("touchpoint__key", max_length=60, label="Key of a touchpoint.")
    contact = django_filters.UUIDFilter(method="by_contact", label="Id of a contact.")
    score_min = Whole("score", lookup_expr="gte", high=10)
    score_max = Whole("score", lookup_expr="lte", high=10)
    segment = django_filters.ChoiceFilter(method="by_segment", choices=SEGMENTS)
    channel = django_filters.ChoiceFilter(choices=Response.Channel.choices)
    since = Since("answered_at", "Answered at this time or later.")
    until = Until("answered_at", "Answered before this time.")
    updated_since = Since("updated_at", "Changed at this time or later; these come in the order of change.")
    tag = Words("tags", lookup_expr="contains", max_length=MAX_TAG, label="One of its tags.")
    is_partial = YesNo()
    suspected = django_filters.ChoiceFilter(method="by_suspicion", choices=SUSPECTED, label="Default: of humans only.")
    incentivised = YesNo("is_incentivised", label="Whether something was promised for answering.")
    q = Words("comment", lookup_expr="icontains", max_length=100, label="Part of the comment.")

    class Meta:
        model = Response
        fields = ()

    def by_contact(self, rows: QuerySet[Any], _name: str, value: UUID) -> QuerySet[Any]:
        return rows.filter(contact_id=value, is_promised=False)

    def by_segment(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        if value == "none":
            return rows.filter(score__isnull=True)
        return rows.filter(score__in=[score for score in range(11) if segment_of(score) == value])

    def by_suspicion(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        return rows if value == "all" else rows.filter(is_suspected=value == "yes")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("suspected") else found.filter(is_suspected=False)


@extend_schema_view(
    list=extend_schema(summary="List responses", tags=TAGS, parameters=[expand_parameter("contact", "survey")]),
    retrieve=extend_schema(summary="One response", tags=TAGS, parameters=[expand_parameter("contact", "survey")]),
)
class ResponseViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Responses, newest first. Those of anonymous surveys appear once there are enough of them to hide among."""

    queryset = Response.objects.select_related("survey", "version", "touchpoint")
    serializer_class = ResponseSerializer
    filterset_class = ResponseFilter
    lookup_value_converter = "uuid"
    write_scope = Scope.RESPONSES_WRITE
    expandable = {"contact": ["contact"], "survey": ["survey__current_version"]}

    @property
    def page_ordering(self) -> tuple[str, ...]:  # type: ignore[override]
        """By the time of the answer; whoever follows changes gets them in their order."""
        return ("updated_at", "pk") if "updated_since" in self.request.query_params else ("-answered_at", "-pk")

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return Response.objects.none()
        answers = Answer.objects.select_related("question").order_by("question__position", "question_id")
        rows = visible(with_promise(super().get_queryset())).defer("version__definition")
        rows = rows.prefetch_related(Prefetch("answers", answers))
        if "survey" in self.expanded():
            asked = Question.objects.filter(is_retired=False).order_by("position", "pk")
            rows = rows.defer("version__definition", "survey__current_version__definition")
            rows = rows.prefetch_related(Prefetch("survey__questions", asked))
        return rows

    def get_serializer_context(self) -> dict[str, Any]:
        context = super().get_serializer_context()
        names = {"survey": "survey_details"}
        return {**context, "expanded": {names.get(name, name) for name in context["expanded"]}}

    @extend_schema(
        summary="Tag a response",
        tags=TAGS,
        parameters=[expand_parameter("contact", "survey")],
        request=ResponseChangeSerializer,
        responses=ResponseSerializer,
        examples=[OpenApiExample("Two tags", {"tags": ["delivery", "urgent"]}, request_only=True)],
    )
    def partial_update(self, request: Request, pk: UUID) -> rest.Response:
        """What was answered is never changed; tags say what it is about. Responses of anonymous surveys stay as they
        are (409)."""
        body = ResponseChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row: Response = self.get_object()
        tags = list(dict.fromkeys(body.validated_data["tags"]))
        try:
            revise_response(response_id=row.pk, changes=Changes(tags=tags), now=timezone.now())
        except PromisedError:
            raise ConflictError(PROMISED) from None
        return rest.Response(self.get_serializer(self.get_object()).data)
