"""Metrics: how far what happened got until it was answered, and what was answered beside the score."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView
from apps.api.fields import WrittenTextsField
from apps.api.resources.case_metrics import ShareSerializer, share
from apps.api.resources.metrics import days_of
from apps.api.resources.metrics_data import OF_DAYS, TAGS, DaysSerializer, refusals, rounded
from apps.common.shares import Part, wilson
from apps.insights import funnels
from apps.insights import questions as further
from apps.insights.questions import Asked, Choice, Figure
from apps.surveys.models import Question

PERCENT, MEAN = "percent", "mean"
# As the parameters call them.
_PARAMETERS = {"channel": "channel", "is_incentivised": "incentivised"}


class LossSerializer(serializers.Serializer[Any]):
    """Why some got no further."""

    of = serializers.CharField(
        allow_null=True,
        help_text="`decision`: why nobody was asked; `invitation`: why it was taken back; `mail`: its status; "
        "`channel`: it went another way than the one asked for; null: nobody noted why, or it is not over yet.",
    )
    code = serializers.CharField(allow_null=True)
    number = serializers.IntegerField()


class FunnelStepSerializer(serializers.Serializer[Any]):
    """How many got at least so far."""

    name = serializers.ChoiceField(funnels.STEPS)
    number = serializers.IntegerField()
    of_before = ShareSerializer(allow_null=True, help_text="Of those of the step before; null: it is the first.")
    of_first = ShareSerializer(allow_null=True, help_text="Of all; null: it is the first.")
    losses = LossSerializer(many=True, help_text="Of the step before: why the others got no further, most first.")


class FunnelSerializer(serializers.Serializer[Any]):
    """The steps in order; nobody reaches one without those before."""

    since = serializers.DateField()
    until = serializers.DateField()
    steps = FunnelStepSerializer(many=True)
    without_event = serializers.IntegerField(
        help_text="So many of the first are no events: turns of cadences, or invitations by hand."
    )
    not_narrowed = serializers.ListField(
        child=serializers.CharField(),
        help_text="Parameters that could not be applied to the first steps: it is not known so early.",
    )
    opened_since = serializers.DateField(
        allow_null=True, help_text="The first opening that was noted; before it only those are known who answered."
    )


class FunnelView(ApiView):
    """How far what happened on these days got until now: events, each once, and what began without one."""

    query_parameters = OF_DAYS

    @extend_schema(
        operation_id="metrics_funnel",
        summary="From event to comment",
        tags=TAGS,
        parameters=[DaysSerializer],
        responses=FunnelSerializer,
    )
    def get(self, request: Request) -> Response:
        query, now = DaysSerializer(data=request.query_params.dict()), timezone.now()
        query.is_valid(raise_exception=True)
        period, wanted = query.period(now=now), query.slice()
        with refusals():
            found = funnels.funnel(wanted=wanted, period=period, now=now)
        body = {
            **days_of(period),
            "steps": [_step(step, is_first=place == 0) for place, step in enumerate(found.steps)],
            "without_event": found.turns,
            "not_narrowed": [_PARAMETERS[name] for name in found.whole],
            "opened_since": found.opened_since,
        }
        return Response(FunnelSerializer(body).data)


def _step(step: funnels.Step, *, is_first: bool) -> dict[str, Any]:
    return {
        "name": step.name,
        "number": step.number,
        "of_before": None if is_first else share(step.of_before),
        "of_first": None if is_first else share(step.of_first),
        "losses": [{"of": one.of or None, "code": one.code or None, "number": one.number} for one in step.losses],
    }


# --- further questions --------------------------------------------------------------------------------


class FigureSerializer(serializers.Serializer[Any]):
    """A figure with its uncertainty (95 %)."""

    unit = serializers.ChoiceField(
        [PERCENT, MEAN],
        help_text="`percent` who are satisfied (csat: 4 or 5) or said yes; `mean` on the question's scale.",
    )
    n = serializers.IntegerField()
    value = serializers.FloatField()
    margin = serializers.FloatField(help_text="±")
    low = serializers.FloatField()
    high = serializers.FloatField()


class ChoiceShareSerializer(serializers.Serializer[Any]):
    """By how many of those who answered it was chosen."""

    key = serializers.CharField()
    text = WrittenTextsField(help_text="Empty: the survey does not offer it any more.")
    all = ShareSerializer()
    promoters = ShareSerializer(allow_null=True, help_text="Null: too few promoters, or detractors, answered.")
    detractors = ShareSerializer(allow_null=True)


class ValueSerializer(serializers.Serializer[Any]):
    """How often a number was answered."""

    value = serializers.IntegerField()
    n = serializers.IntegerField()


class AskedSerializer(serializers.Serializer[Any]):
    """A question with its figure."""

    survey = serializers.CharField(help_text="Key of the survey.")
    question = serializers.CharField(help_text="Key of the question.")
    kind = serializers.ChoiceField(Question.Kind.choices)
    text = WrittenTextsField()
    n = serializers.IntegerField(help_text="Answers.")
    too_few = serializers.BooleanField(help_text="Too few to tell anything of them.")
    figure = FigureSerializer(allow_null=True, help_text="Null: too few answers, or options were chosen.")
    values = ValueSerializer(many=True, help_text="How often each number was answered.")
    choices = ChoiceShareSerializer(many=True, help_text="What could be chosen.")
    promoters = FigureSerializer(allow_null=True, help_text="Of those with 9 or 10. Null: too few.")
    detractors = FigureSerializer(allow_null=True, help_text="Of those with 0 to 6. Null: too few.")


class QuestionsSerializer(serializers.Serializer[Any]):
    """The further questions, survey by survey, those with most answers first."""

    since = serializers.DateField()
    until = serializers.DateField()
    questions = AskedSerializer(many=True, help_text=f"At most {further.MAX_QUESTIONS}.")


class QuestionsView(ApiView):
    """Satisfaction, effort, ratings, scales, yes or no, and choices; and how promoters and detractors differ."""

    query_parameters = OF_DAYS

    @extend_schema(
        operation_id="metrics_questions",
        summary="What was answered beside the score",
        tags=TAGS,
        parameters=[DaysSerializer],
        responses=QuestionsSerializer,
    )
    def get(self, request: Request) -> Response:
        query, now = DaysSerializer(data=request.query_params.dict()), timezone.now()
        query.is_valid(raise_exception=True)
        period, wanted = query.period(now=now), query.slice()
        with refusals():
            found = further.questions(wanted=wanted, period=period, now=now)
        body = {**days_of(period), "questions": [_asked(one) for one in found]}
        return Response(QuestionsSerializer(body).data)


def _asked(one: Asked) -> dict[str, Any]:
    return {
        "survey": one.question.survey.key,
        "question": one.question.key,
        "kind": one.question.kind,
        "text": one.question.text,
        "n": one.n,
        "too_few": one.too_few,
        "figure": _figure(one.figure),
        "values": [{"value": value, "n": one.counts[value]} for value in sorted(one.counts)],
        "choices": [_choice(choice) for choice in one.choices],
        "promoters": _figure(one.promoters),
        "detractors": _figure(one.detractors),
    }


def _choice(choice: Choice) -> dict[str, Any]:
    return {
        "key": choice.key,
        "text": choice.text,
        "all": share(choice.part),
        "promoters": share(choice.promoters) if choice.promoters else None,
        "detractors": share(choice.detractors) if choice.detractors else None,
    }


def _figure(found: Figure | None) -> dict[str, Any] | None:
    if found is None:
        return None
    if isinstance(found, Part):
        low, high = wilson(found)
        numbers = [100 * number for number in (found.rate, (high - low) / 2, low, high)]
        return _numbers(PERCENT, found.total, numbers)
    unit = PERCENT if isinstance(found, further.Csat) else MEAN
    return _numbers(unit, found.n, [found.value, found.margin, found.low, found.high])


def _numbers(unit: str, n: int, numbers: list[float | None] | list[float]) -> dict[str, Any]:
    told = dict(zip(("value", "margin", "low", "high"), map(rounded, numbers), strict=True))
    return {"unit": unit, "n": n, **told}
