"""The journey map: every stage, sub-step and touchpoint in order, each with its figures."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiView
from apps.api.fields import WrittenTextsField
from apps.api.resources.case_metrics import ShareSerializer, share
from apps.api.resources.metrics import PointSerializer, days_of
from apps.api.resources.metrics_data import (
    OF_DAYS,
    AnswerShareSerializer,
    ChangeSerializer,
    DaysSerializer,
    NpsSerializer,
    refusals,
    rounded,
    told,
    told_change,
    told_share,
)
from apps.insights import asking, influence, journey
from apps.insights.influence import Association
from apps.insights.journey import Column, Figures, JourneyMap, Place, Reason, Step
from apps.insights.nps import nps
from apps.insights.targets import State

_ASKERS = ["rule", "cadence"]
_GAPS = [asking.UNASKED, asking.SILENT]
_STANDINGS = ["too_few", "below", "reached", "met", "dropped"]


class ReasonShareSerializer(serializers.Serializer[Any]):
    """Why detractors were not satisfied: what they chose, of those who answered the question."""

    reason = serializers.CharField()
    question = serializers.CharField()
    share = ShareSerializer()


class MapFiguresSerializer(serializers.Serializer[Any]):
    """What is known of a touchpoint, or of several together."""

    nps = NpsSerializer()
    before = NpsSerializer(help_text="Of as many days directly before.")
    change = ChangeSerializer(help_text="From there to here.")
    months = PointSerializer(many=True, help_text="The score of each of the last 12 months up to `until`.")
    events = serializers.IntegerField(help_text="That happened there.")
    response_rate = ShareSerializer(help_text="Of the invitations that were sent, those that were answered.")
    detractors = AnswerShareSerializer(help_text="Of all who gave a score, those who gave 0 to 6.")
    hurts = serializers.BooleanField(help_text="Certainly more than one in five is a detractor.")
    reasons = ReasonShareSerializer(many=True, help_text="Most frequent first.")
    open_cases = serializers.IntegerField(help_text="As of now.")
    running_actions = serializers.IntegerField(help_text="Improvement actions in progress.")


class AskerSerializer(serializers.Serializer[Any]):
    """A trigger rule or a cadence that asks there today."""

    kind = serializers.ChoiceField(_ASKERS)
    id = serializers.IntegerField()
    name = serializers.CharField()


class OpenTargetSerializer(serializers.Serializer[Any]):
    """The open target, as it stands today over the days it is measured."""

    id = serializers.IntegerField()
    goal = serializers.IntegerField()
    standing = serializers.ChoiceField(_STANDINGS)


class InfluenceSerializer(serializers.Serializer[Any]):
    """How scores here go together with what the same contacts say of the whole later. No proof of a cause."""

    n = serializers.IntegerField(help_text="Contacts that gave both scores.")
    r = serializers.FloatField(allow_null=True, help_text="Pearson's correlation. Null: too few contacts.")
    low = serializers.FloatField(allow_null=True, help_text="Lower end of its 95 % interval.")
    high = serializers.FloatField(allow_null=True)
    verdict = serializers.ChoiceField(
        ["too_few", "chance", "helps"], help_text="`helps`: knowing the score here helps to tell the later one."
    )
    gap = ChangeSerializer(
        help_text="From detractors here to promoters here: how far apart their later scores are. Told as `r` is: "
        "of too few contacts nothing."
    )


class PlaceSerializer(MapFiguresSerializer):
    """A touchpoint on the map."""

    number = serializers.IntegerField(help_text="Counts through the whole map.")
    key = serializers.CharField()
    name = WrittenTextsField()
    is_active = serializers.BooleanField()
    gap = serializers.ChoiceField(
        _GAPS,
        allow_null=True,
        help_text="`unasked`: things happen there, and nobody is asked; `silent`: nothing happened, nobody answered. "
        "Told only where all responses count.",
    )
    asked_by = AskerSerializer(many=True)
    target = OpenTargetSerializer(allow_null=True)
    influence = InfluenceSerializer(allow_null=True, help_text="Null: not learnt yet.")


class SubStepSerializer(MapFiguresSerializer):
    """A sub-step of a stage, with the figures of all that lies on it."""

    key = serializers.CharField()
    name = WrittenTextsField()
    touchpoints = PlaceSerializer(many=True)


class MapStageSerializer(SubStepSerializer):
    """A stage, with the figures of all that lies on it and on its sub-steps."""

    touchpoints = PlaceSerializer(many=True, help_text="Those on the stage itself.")
    steps = SubStepSerializer(many=True)


class MapTotalSerializer(NpsSerializer):
    """The score of all answers, also of those without a touchpoint."""

    change = ChangeSerializer(help_text="From as many days directly before.")


class JourneySerializer(serializers.Serializer[Any]):
    """The map of some days."""

    since = serializers.DateField()
    until = serializers.DateField()
    as_of = serializers.DateTimeField(help_text="When events, invitations and reasons were counted; scores are exact.")
    total = MapTotalSerializer()
    elsewhere = serializers.IntegerField(help_text="Answers that belong to no touchpoint of the map.")
    stages = MapStageSerializer(many=True)


class JourneyView(ApiView):
    """Stages in the order of the journey, sub-steps within them, touchpoints on both. What is switched off is told as
    long as anybody answered there. Events and invitations are narrowed by touchpoint, stage, company and segment alone,
    invitations by the survey as well."""

    query_parameters = OF_DAYS

    @extend_schema(
        operation_id="journey",
        summary="The journey map",
        tags=["journey"],
        parameters=[DaysSerializer],
        responses=JourneySerializer,
    )
    def get(self, request: Request) -> Response:
        query, now = DaysSerializer(data=request.query_params.dict()), timezone.now()
        query.is_valid(raise_exception=True)
        period, wanted = query.period(now=now), query.slice()
        with refusals():
            found = journey.read(wanted=wanted, period=period, now=now)
        return Response(JourneySerializer(_map(found)).data)


def _map(found: JourneyMap) -> dict[str, Any]:
    return {
        **days_of(found.period),
        "as_of": found.as_of,
        "total": {**told(found.total), "change": told_change(found.change)},
        "elsewhere": found.elsewhere,
        "stages": [_stage(column, found.months) for column in found.columns],
    }


def _stage(column: Column, months: Sequence[date]) -> dict[str, Any]:
    return {**_lying(column, column.own, months), "steps": [_lying(step, step.places, months) for step in column.steps]}


def _lying(part: Column | Step, places: Sequence[Place], months: Sequence[date]) -> dict[str, Any]:
    return {
        "key": part.stage.key,
        "name": part.stage.name,
        **_figures(part.figures, part.reasons, months),
        "touchpoints": [_place(place, months) for place in places],
    }


def _place(place: Place, months: Sequence[date]) -> dict[str, Any]:
    return {
        "number": place.number,
        "key": place.touchpoint.key,
        "name": place.touchpoint.name,
        "is_active": place.touchpoint.is_active,
        **_figures(place.figures, place.reasons, months),
        "gap": place.gap or None,
        "asked_by": [{"kind": asker.kind, "id": asker.pk, "name": asker.name} for asker in place.askers],
        "target": _target(place.target) if place.target else None,
        "influence": _influence(place.weight) if place.weight else None,
    }


def _figures(found: Figures, reasons: Sequence[Reason], months: Sequence[date]) -> dict[str, Any]:
    return {
        "nps": told(found.nps),
        "before": told(nps(found.counts_before)),
        "change": told_change(found.change),
        "months": [{"start": start, **told(score)} for start, score in zip(months, found.trend, strict=True)],
        "events": found.traffic.events,
        "response_rate": share(found.traffic.asked),
        "detractors": told_share(found.detractors),
        "hurts": found.hurts,
        "reasons": [{"reason": one.label, "question": one.question, "share": share(one.part)} for one in reasons],
        "open_cases": found.cases,
        "running_actions": found.actions,
    }


def _target(state: State) -> dict[str, Any]:
    return {"id": state.target.pk, "goal": state.target.goal, "standing": state.standing}


def _influence(found: Association) -> dict[str, Any]:
    is_few = found.n < influence.MIN_PAIRS
    shown = (None,) * 3 if is_few else (found.r, found.low, found.high)
    numbers = dict(zip(("r", "low", "high"), map(rounded, shown), strict=True))
    # Five detractors and five promoters have a gap with a verdict: of so few contacts nothing is said, neither that.
    return {"n": found.n, **numbers, "verdict": found.verdict, "gap": told_change(None if is_few else found.gap)}
