"""How campaigns, their figures and enrolments are told."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.campaigns import figures
from apps.campaigns.figures import Effect, StepFigures
from apps.campaigns.models import Campaign, Enrolment, StepRun
from apps.campaigns.wording import reason_in_words
from apps.common.shares import Part

_OBJECT = {"type": "object", "additionalProperties": True}
_COUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    """Who enters a campaign, and what counts as its success."""

    version = serializers.IntegerField(
        source="current_version.number", default=None, allow_null=True, help_text="Null: never published."
    )
    segment = serializers.CharField(allow_blank=True, help_text="promoter, passive or detractor; “”: everybody.")
    survey = serializers.CharField(source="survey.key", default=None, allow_null=True, help_text="Null: all.")
    touchpoint = serializers.CharField(source="touchpoint.key", default=None, allow_null=True, help_text="Null: all.")
    contact_segment = serializers.CharField(source="contact_segment.key", default=None, allow_null=True)
    condition = serializers.SerializerMethodField()
    goal_touchpoint = serializers.CharField(source="goal_touchpoint.key", default=None, allow_null=True)

    class Meta:
        model = Campaign
        fields = (
            "id", "name", "is_active", "version", "entry", "segment", "contact_segment", "survey", "touchpoint",
            "condition", "priority", "stop_on_response", "pause_while_case", "holdout_percent", "goal",
            "goal_touchpoint", "goal_days",
        )  # fmt: skip

    @extend_schema_field(_OBJECT)
    def get_condition(self, campaign: Campaign) -> Any:
        return campaign.condition


class CampaignShareSerializer(serializers.Serializer[Part]):
    """So many of so many."""

    total = serializers.IntegerField()
    reached = serializers.IntegerField(source="hits")
    share = serializers.FloatField(source="rate", help_text="0 to 1.")


class CampaignEffectSerializer(serializers.Serializer[Effect]):
    """Contacts that were followed up against those left out; only who has had all the days for the goal."""

    treated = CampaignShareSerializer()
    left_out = CampaignShareSerializer()
    difference = serializers.FloatField(help_text="Of the shares, -1 to 1.")
    low = serializers.SerializerMethodField(help_text="With 95 % confidence it is at least this.")
    high = serializers.SerializerMethodField(help_text="With 95 % confidence it is at most this.")
    verdict = serializers.ChoiceField(choices=["too_few", "chance", "better", "worse"])

    def get_low(self, effect: Effect) -> float:
        return effect.bounds[0]

    def get_high(self, effect: Effect) -> float:
        return effect.bounds[1]


class CampaignStepSerializer(serializers.Serializer[StepFigures]):
    """What came of one step."""

    kind = serializers.CharField()
    came = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    waiting = serializers.SerializerMethodField(help_text="Why they wait (“”: their time has not come) → how many.")
    skipped = serializers.SerializerMethodField(help_text="Why it was skipped → how often.")
    ways = serializers.SerializerMethodField(help_text="Of a branch: yes and no.")
    mails = serializers.SerializerMethodField(help_text="Status of the step's mails → how many.")
    after = CampaignShareSerializer(
        allow_null=True, help_text="Of those it was done for: who reached the goal after it. Null: no goal."
    )

    @extend_schema_field(_COUNTS)
    def get_waiting(self, step: StepFigures) -> dict[str, int]:
        return dict(step.waiting)

    @extend_schema_field(_COUNTS)
    def get_skipped(self, step: StepFigures) -> dict[str, int]:
        return dict(step.skipped)

    @extend_schema_field(_COUNTS)
    def get_ways(self, step: StepFigures) -> dict[str, int]:
        return dict(step.ways)

    @extend_schema_field(_COUNTS)
    def get_mails(self, step: StepFigures) -> dict[str, int]:
        return dict(step.mails)


class CampaignFiguresSerializer(serializers.Serializer[Any]):
    """What came of a campaign, over all its versions."""

    enrolled = serializers.IntegerField()
    left_out = serializers.IntegerField(help_text="Left out for comparison; not among the enrolled.")
    states = serializers.DictField(child=serializers.IntegerField())
    conversion = CampaignShareSerializer(allow_null=True, help_text="Who reached the goal so far. Null: no goal.")
    undecided = serializers.IntegerField(help_text="Not there yet, with days left.")
    steps = serializers.DictField(child=CampaignStepSerializer(), help_text="By the step's key.")
    effect = CampaignEffectSerializer(allow_null=True, help_text="Null: nobody is left out, or could reach the goal.")


def figures_of(campaign: Campaign, now: datetime) -> dict[str, Any]:
    """All figures of a campaign. Four queries at most."""
    totals = figures.totals(campaign=campaign, now=now)
    return {
        "enrolled": totals.enrolled,
        "left_out": totals.left_out,
        "states": dict(totals.states),
        "conversion": totals.conversion if campaign.goal else None,
        "undecided": totals.undecided,
        "steps": figures.steps(campaign=campaign, now=now),
        "effect": figures.effect(campaign=campaign, now=now),
    }


class CampaignDetailSerializer(CampaignSerializer):
    """With the steps that new enrolments go through, and what came of them."""

    document = serializers.SerializerMethodField(help_text="The steps of the current version. Null: never published.")
    figures = serializers.SerializerMethodField()

    class Meta:
        model = Campaign
        fields = (*CampaignSerializer.Meta.fields, "document", "figures")

    @extend_schema_field({"type": ["object", "null"], "additionalProperties": True})
    def get_document(self, campaign: Campaign) -> Any:
        return campaign.current_version.document if campaign.current_version else None

    @extend_schema_field(CampaignFiguresSerializer)
    def get_figures(self, campaign: Campaign) -> Any:
        return CampaignFiguresSerializer(figures_of(campaign, timezone.now())).data


class EnrolmentSerializer(serializers.ModelSerializer[Enrolment]):
    """One response on its way through a campaign."""

    campaign_id = serializers.IntegerField()
    version = serializers.IntegerField(source="version.number")
    response_id = serializers.UUIDField()
    contact_id = serializers.UUIDField(allow_null=True)
    sentence = serializers.SerializerMethodField(help_text="Why it ended, in words.")

    class Meta:
        model = Enrolment
        fields = (
            "id", "campaign_id", "version", "response_id", "contact_id", "arm", "state", "end_reason", "sentence",
            "round", "enrolled_at", "ended_at",
        )  # fmt: skip

    def get_sentence(self, enrolment: Enrolment) -> str:
        return str(reason_in_words(enrolment.end_reason)) if enrolment.end_reason else ""


class StepRunSerializer(serializers.ModelSerializer[StepRun]):
    """One step that it came to."""

    step = serializers.CharField(source="step_key")
    email_id = serializers.UUIDField(allow_null=True)
    sentence = serializers.SerializerMethodField(help_text="The reason in words.")
    way = serializers.SerializerMethodField(help_text="Of a branch: yes or no.")

    class Meta:
        model = StepRun
        fields = (
            "id", "step", "kind", "status", "reason", "sentence", "way", "planned_at", "due_at", "done_at", "attempts",
            "last_error", "email_id",
        )  # fmt: skip

    def get_sentence(self, run: StepRun) -> str:
        return str(reason_in_words(run.reason)) if run.reason else ""

    def get_way(self, run: StepRun) -> str:
        return str(run.result.get("way", "")) if isinstance(run.result, dict) else ""


class EnrolmentDetailSerializer(EnrolmentSerializer):
    """With each step that it came to."""

    steps = serializers.SerializerMethodField()

    class Meta:
        model = Enrolment
        fields = (*EnrolmentSerializer.Meta.fields, "steps")

    @extend_schema_field(StepRunSerializer(many=True))
    def get_steps(self, enrolment: Enrolment) -> Any:
        return StepRunSerializer(enrolment.runs.order_by("position", "pk"), many=True).data
