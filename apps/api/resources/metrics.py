"""Metrics: the Net Promoter Score with what is needed to judge it, whole and cut."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView, Strict
from apps.api.filters import BIGGEST_ID
from apps.api.problems import WrongFieldsError
from apps.common.conditions import ConditionError
from apps.insights import breakdowns
from apps.insights.nps import MIN_N, Nps
from apps.triggers.models import Segment
from apps.triggers.problems import sentences


class YesNoField(serializers.BooleanField):
    """true or false, as in the filters of lists; anything else is refused."""

    TRUE_VALUES: set[str | bool | int] = {"true"}
    FALSE_VALUES: set[str | bool | int | float] = {"false"}
    default_error_messages = {"invalid": "Write true or false."}


class NpsQuerySerializer(Strict):
    """Which responses, and how they are cut."""

    since = serializers.DateTimeField(required=False, help_text="Answered at this time or later.")
    until = serializers.DateTimeField(required=False, help_text="Answered before this time.")
    survey = serializers.CharField(required=False, max_length=60, help_text="Key of a survey.")
    touchpoint = serializers.CharField(required=False, max_length=60, help_text="Key of a touchpoint.")
    company = serializers.IntegerField(required=False, min_value=0, max_value=BIGGEST_ID, help_text="Id of a company.")
    segment = serializers.CharField(required=False, max_length=60, help_text="Key of a segment of contacts.")
    incentivised = YesNoField(
        required=False, help_text="Only responses that were promised something (true), or nothing (false)."
    )
    by = serializers.ChoiceField(
        breakdowns.DIMENSIONS, required=False, help_text=f"At most {breakdowns.MAX_GROUPS} groups are told."
    )


class NpsSerializer(serializers.Serializer):
    """A score with its uncertainty (95 %, adjusted Wald). Without answers there is none."""

    n = serializers.IntegerField(help_text="Answers behind it.")
    score = serializers.FloatField(allow_null=True, help_text="From −100 to 100.")
    margin = serializers.FloatField(allow_null=True, help_text="The score lies this far around it, ±.")
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    promoters = serializers.IntegerField()
    passives = serializers.IntegerField()
    detractors = serializers.IntegerField()
    promoter_percent = serializers.FloatField()
    passive_percent = serializers.FloatField()
    detractor_percent = serializers.FloatField()
    too_few = serializers.BooleanField(help_text=f"Fewer than {MIN_N} answers: it says little.")


class NpsGroupSerializer(NpsSerializer):
    """The score of one part."""

    key = serializers.SerializerMethodField(
        help_text="Key of the survey, touchpoint or segment, id of the company, or the day; null: responses without."
    )

    @extend_schema_field({"type": ["string", "integer", "null"]})
    def get_key(self, group: dict[str, Any]) -> Any:
        return group["key"]


class NpsAnswerSerializer(serializers.Serializer):
    """The score of all the responses, and of the parts they were cut into."""

    total = NpsSerializer()
    groups = NpsGroupSerializer(many=True)


class NpsView(ApiView):
    """Exact at any time: what was answered a second ago counts. Suspected responses never do; days are UTC's."""

    query_parameters = ("since", "until", "survey", "touchpoint", "company", "segment", "incentivised", "by")

    @extend_schema(
        operation_id="metrics_nps",
        summary="Net Promoter Score",
        tags=["metrics"],
        parameters=[NpsQuerySerializer],
        responses=NpsAnswerSerializer,
    )
    def get(self, request: Request) -> Response:
        query = NpsQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        wanted, now = query.validated_data, timezone.now()
        try:
            found = breakdowns.responses_of(span=_span(wanted), now=now)
        except ConditionError as error:
            raise WrongFieldsError([("segment", text) for text in sentences(error)]) from None
        by = wanted.get("by")
        groups = breakdowns.scores_by(found=found, dimension=by, now=now) if by else []
        body = {
            "total": _told(breakdowns.score_of(found=found)),
            "groups": [{**_told(score), "key": _key(key)} for key, score in groups],
        }
        return Response(NpsAnswerSerializer(body).data)


def _span(wanted: dict[str, Any]) -> breakdowns.Span:
    segment = None
    if "segment" in wanted:
        segment = Segment.objects.filter(key=wanted["segment"]).first()
        if segment is None:
            raise WrongFieldsError([("segment", "There is no segment with this key.")])
    return breakdowns.Span(
        since=wanted.get("since"),
        until=wanted.get("until"),
        survey=wanted.get("survey", ""),
        touchpoint=wanted.get("touchpoint", ""),
        company_id=wanted.get("company"),
        segment=segment,
        is_incentivised=wanted.get("incentivised"),
    )


def _key(key: Any) -> Any:
    return key.isoformat() if hasattr(key, "isoformat") else key


def _told(score: Nps) -> dict[str, Any]:
    promoters, passives, detractors = score.shares
    return {
        "n": score.n,
        "score": _rounded(score.score),
        "margin": _rounded(score.margin),
        "low": _rounded(score.low),
        "high": _rounded(score.high),
        "promoters": score.counts.promoters,
        "passives": score.counts.passives,
        "detractors": score.counts.detractors,
        "promoter_percent": _rounded(promoters),
        "passive_percent": _rounded(passives),
        "detractor_percent": _rounded(detractors),
        "too_few": score.too_few,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
