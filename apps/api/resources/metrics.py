"""Metrics: the Net Promoter Score with what is needed to judge it, whole and cut, over time, and how it is made up."""

from datetime import date, datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView
from apps.api.problems import WrongFieldsError
from apps.api.resources.metrics_data import (
    NARROWING,
    OF_DAYS,
    TAGS,
    AnswerShareSerializer,
    ChangeSerializer,
    DaysSerializer,
    MomentField,
    NpsSerializer,
    SliceSerializer,
    moment,
    refusals,
    told,
    told_change,
    told_share,
)
from apps.common.shares import Part
from apps.insights import figures, groups
from apps.insights.nps import Counts, Nps, change, nps
from apps.insights.slices import Grain, Period, Slice, Span, Stretch

DAY = "day"
MAX_POINTS = 1000
MAX_ROLLING = 366
_CUTS = (*groups.DIMENSIONS, DAY)
_COMPARED = ("previous", "year")


class NpsQuerySerializer(SliceSerializer):
    """Which responses, how they are cut, and what they are compared with."""

    since = MomentField(required=False, help_text="Answered at this time or later; a day: from its beginning.")
    until = MomentField(required=False, help_text="Answered before this time; a day: until its end. Days are UTC's.")
    by = serializers.CharField(
        required=False,
        max_length=len(groups.PROPERTY) + groups.MAX_PROPERTY,
        trim_whitespace=False,
        help_text=f"One of {', '.join(_CUTS)}, or `property:<name>`, as in `property`. At most {groups.MAX_GROUPS} "
        "groups are told; touchpoints and stages in the order of the journey, days in theirs, others by their answers.",
    )
    compare = serializers.ChoiceField(
        _COMPARED,
        required=False,
        help_text="With as long a time directly before, or the same a year before. Needs `since` and `until`.",
    )

    def validate_by(self, value: str) -> str:
        if value != DAY and not groups.is_dimension(value):
            raise serializers.ValidationError(f"Write one of {', '.join(_CUTS)}, or property:<name>.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "compare" in attrs:
            missing = {name: ["Say from when to when, to compare."] for name in ("since", "until") if name not in attrs}
            if missing:
                raise serializers.ValidationError(missing)
            if attrs.get("by") == DAY:
                raise serializers.ValidationError({"by": ["Days are not compared: leave out “compare”, or “by”."]})
        return attrs

    def stretches(self) -> list[Stretch]:
        """The time that was asked for, and what it is compared with. Raises WrongFieldsError for none."""
        given = self.validated_data
        ends = {name: moment(given[name], is_end=name == "until") for name in ("since", "until") if name in given}
        try:
            whole = Span(**ends).in_days()
        except ValueError:
            raise WrongFieldsError([("since", "Must be before “until”.")]) from None
        if "compare" not in given:
            return [whole]
        try:
            return [whole, whole.before() if given["compare"] == "previous" else whole.year_before()]
        except (OverflowError, ValueError):
            raise WrongFieldsError([("since", "There is no time before this to compare with.")]) from None


class ComparedSerializer(NpsSerializer):
    """The score, and the step to it from what it is compared with."""

    before = NpsSerializer(allow_null=True, help_text="What it is compared with; null unless `compare` was given.")
    change = ChangeSerializer(allow_null=True, help_text="From there to here; null unless `compare` was given.")


class NpsGroupSerializer(ComparedSerializer):
    """The score of one part."""

    key = serializers.SerializerMethodField(
        help_text="Key of the survey, touchpoint, stage or segment, channel, language, value of the property, id of "
        "the company, whether something was promised, or the day; null: responses without."
    )

    @extend_schema_field({"type": ["string", "integer", "boolean", "null"]})
    def get_key(self, group: dict[str, Any]) -> Any:
        return group["key"]


class SpanSerializer(serializers.Serializer[Any]):
    """From one moment up to but not including another."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()


class NpsAnswerSerializer(serializers.Serializer[Any]):
    """The score of all the responses, and of the parts they were cut into."""

    compared_with = SpanSerializer(allow_null=True, help_text="Null unless `compare` was given.")
    total = ComparedSerializer()
    groups = NpsGroupSerializer(many=True)


class NpsView(ApiView):
    """Exact at any time: what was answered a second ago counts. Suspected responses never do; days are UTC's."""

    query_parameters = ("since", "until", *NARROWING, "by", "compare")

    @extend_schema(
        operation_id="metrics_nps",
        summary="Net Promoter Score",
        tags=TAGS,
        parameters=[NpsQuerySerializer],
        responses=NpsAnswerSerializer,
    )
    def get(self, request: Request) -> Response:
        query, now = NpsQuerySerializer(data=request.query_params.dict()), timezone.now()
        query.is_valid(raise_exception=True)
        stretches, wanted = query.stretches(), query.slice()
        with refusals():
            scores = figures.scores(wanted=wanted, periods=stretches, now=now)
            parts = _parts(wanted, stretches, query.validated_data.get("by", ""), now)
        compared = dict(zip(("since", "until"), stretches[1].moments, strict=True)) if len(stretches) > 1 else None
        body = {
            "compared_with": compared,
            "total": _compared(scores),
            "groups": [{"key": key, **_compared(found)} for key, found in parts],
        }
        return Response(NpsAnswerSerializer(body).data)


def _parts(wanted: Slice, stretches: list[Stretch], by: str, now: datetime) -> list[tuple[Any, list[Nps]]]:
    if not by:
        return []
    if by == DAY:
        days = figures.by_day(wanted=wanted, period=stretches[0], now=now).get(None, {})
        return [(day.isoformat(), [nps(days[day])]) for day in sorted(days)[-groups.MAX_GROUPS :]]
    found = figures.by(wanted=wanted, periods=stretches, dimension=by, now=now)
    return [(_key(by, group), list(group.figures)) for group in found]


def _key(by: str, group: figures.Group) -> Any:
    if by == "company":
        return group.pk
    if by == "incentive":
        return group.key == "yes"
    return group.key or None


def _compared(scores: list[Nps]) -> dict[str, Any]:
    found: dict[str, Any] = {**told(scores[0]), "before": None, "change": None}
    if len(scores) > 1:
        found |= {"before": told(scores[1]), "change": told_change(change(scores[1], scores[0]))}
    return found


# --- over time ----------------------------------------------------------------------------------------


class TrendQuerySerializer(DaysSerializer):
    """Which responses of which days, and how long each point is."""

    grain = serializers.ChoiceField(
        [grain.value for grain in Grain], default=Grain.WEEK.value, help_text="Weeks begin on Monday."
    )
    rolling = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_ROLLING,
        help_text="Each point is the score of so many days up to its last one, also of days before `since`.",
    )

    def grain_of(self, period: Period) -> Grain:
        """How long each point is. Raises WrongFieldsError if there would be too many."""
        grain = Grain(self.validated_data["grain"])
        if len(period.buckets(grain)) > MAX_POINTS:
            raise WrongFieldsError([("grain", f"At most {MAX_POINTS} points: take longer ones, or fewer days.")])
        return grain


class PointSerializer(NpsSerializer):
    """The score of one day, week, month or quarter."""

    start = serializers.DateField(help_text="Its first day by the calendar; only days from `since` to `until` count.")


class TrendSerializer(serializers.Serializer[Any]):
    """The score over time, oldest first, with what nobody answered in."""

    since = serializers.DateField()
    until = serializers.DateField()
    points = PointSerializer(many=True)


class TrendView(ApiView):
    """The score day by day, week by week … With a few answers a day only a rolling window shows where it is going."""

    query_parameters = (*OF_DAYS, "grain", "rolling")

    @extend_schema(
        operation_id="metrics_nps_trend",
        summary="Net Promoter Score over time",
        tags=TAGS,
        parameters=[TrendQuerySerializer],
        responses=TrendSerializer,
    )
    def get(self, request: Request) -> Response:
        query, now = TrendQuerySerializer(data=request.query_params.dict()), timezone.now()
        query.is_valid(raise_exception=True)
        period, wanted = query.period(now=now), query.slice()
        grain, rolling = query.grain_of(period), query.validated_data.get("rolling")
        with refusals():
            points = figures.trend(wanted=wanted, period=period, grain=grain, rolling=rolling, now=now)
        body = {**days_of(period), "points": [{"start": point.start, **told(point.nps)} for point in points]}
        return Response(TrendSerializer(body).data)


def days_of(period: Period) -> dict[str, date]:
    """The first and the last day."""
    return {"since": period.since, "until": period.until}


# --- how it is made up --------------------------------------------------------------------------------


class ScoreShareSerializer(AnswerShareSerializer):
    """How often a score was given."""

    score = serializers.IntegerField(help_text="0 to 10.")


class DistributionSerializer(serializers.Serializer[Any]):
    """How often each score was given, 0 to 10."""

    since = serializers.DateField()
    until = serializers.DateField()
    total = NpsSerializer()
    scores = ScoreShareSerializer(many=True)


class DistributionView(ApiView):
    """What the score is made of."""

    query_parameters = OF_DAYS

    @extend_schema(
        operation_id="metrics_nps_distribution",
        summary="How often each score was given",
        tags=TAGS,
        parameters=[DaysSerializer],
        responses=DistributionSerializer,
    )
    def get(self, request: Request) -> Response:
        query, now = DaysSerializer(data=request.query_params.dict()), timezone.now()
        query.is_valid(raise_exception=True)
        period, wanted = query.period(now=now), query.slice()
        with refusals():
            found = figures.distribution(wanted=wanted, period=period, now=now)
        total = nps(Counts.from_scores(found))
        scores = [{"score": score, **told_share(Part(total.n, found.get(score, 0)))} for score in range(11)]
        return Response(DistributionSerializer({**days_of(period), "total": told(total), "scores": scores}).data)
