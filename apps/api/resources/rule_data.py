"""Trigger rules and their dry runs as JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api.base import Strict
from apps.api.fields import (
    Cleaned,
    ClockField,
    ConditionField,
    KeyField,
    KeysField,
    SecondsField,
    WindowsField,
)
from apps.common.schedule import parse_windows
from apps.surveys.models import Survey
from apps.touchpoints.models import Touchpoint
from apps.triggers.dry_runs import MAX_BACK
from apps.triggers.models import DryRun, Segment, TriggerRule
from apps.triggers.rules import parse_condition

USUAL_DAYS = 30


class RuleSerializer(Cleaned):
    """After an event at a touchpoint, ask a survey some time later."""

    touchpoints = KeysField(rows=Touchpoint.objects.all(), at_least=1, help_text="Keys of touchpoints.")
    survey = KeyField(rows=Survey.objects.all(), help_text="Key of a survey.")
    condition = ConditionField(required=False, help_text="Over event, contact, company, history. Empty: always.")
    delay_seconds = SecondsField(source="delay", required=False, help_text="With `wait` = `duration`.")
    morning_at = ClockField(required=False, help_text="With `wait` = `morning`, in the tenant's time zone.")
    windows = WindowsField(
        parse=parse_windows, required=False, help_text="When may be sent, by the contact's clock; Monday is 0."
    )
    expires_after_seconds = SecondsField(
        source="expires_after", required=False, min_value=1, help_text="Counted from when it should have been sent."
    )
    revoked_by = KeysField(
        rows=Touchpoint.objects.all(),
        required=False,
        help_text="Events at these touchpoints take back what is planned.",
    )
    version = serializers.IntegerField(read_only=True, allow_null=True, help_text="Goes up with every change.")

    class Meta:
        model = TriggerRule
        fields = (
            "id", "name", "is_active", "touchpoints", "condition", "wait", "delay_seconds", "working_days",
            "morning_at", "survey", "windows", "skip_holidays", "best_hour", "percent", "daily_cap",
            "expires_after_seconds", "priority", "active_from", "active_until", "revoked_by", "revoke_match", "version",
        )  # fmt: skip

    def parse_condition(self, tree: Any) -> Any:
        return parse_condition(tree, Segment.trees()).tree


class DryRunInSerializer(Strict):
    """How far back to look, and what to try in place of what is saved."""

    days = serializers.IntegerField(min_value=1, max_value=MAX_BACK, default=USUAL_DAYS)
    changes = serializers.DictField(
        required=False,
        help_text="Fields of the rule as they should be tried. They are checked as when they are saved, and not saved.",
    )


class DryRunSerializer(serializers.ModelSerializer[DryRun]):
    """What a rule or a budget would have done, while it is worked out."""

    rule_id = serializers.IntegerField(source="rule_id_replaced", allow_null=True)
    progress = serializers.SerializerMethodField(help_text="Percent of the events that were looked at.")

    class Meta:
        model = DryRun
        fields = (
            "id", "title", "rule_id", "days", "status", "progress", "events_done", "events_total", "error",
            "created_at", "finished_at",
        )  # fmt: skip

    def get_progress(self, run: DryRun) -> int:
        if run.status == DryRun.Status.DONE:
            return 100
        return min(100, 100 * run.events_done // run.events_total) if run.events_total else 0


class DryRunResultSerializer(DryRunSerializer):
    """With what it came to."""

    result = serializers.SerializerMethodField(help_text="Null until it is done.")

    class Meta:
        model = DryRun
        fields = (*DryRunSerializer.Meta.fields, "result")

    @extend_schema_field({"type": ["object", "null"], "additionalProperties": True})
    def get_result(self, run: DryRun) -> Any:
        return run.result
