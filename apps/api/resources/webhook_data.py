"""How webhook endpoints, deliveries and repetitions are told of and read."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api.base import Strict
from apps.api.fields import Cleaned
from apps.integrations import attempts, endpoints
from apps.integrations.models import Attempt, Delivery, Endpoint, EventType, Replay
from apps.integrations.replays import Progress

_STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}


class EndpointSerializer(Cleaned):
    """A receiver in another system. No `event_types`: it is told about everything."""

    event_types = serializers.ListField(
        child=serializers.ChoiceField(EventType.choices), required=False, max_length=len(EventType.values)
    )

    disabled_reason = serializers.ChoiceField(
        [("", "It was not."), *Endpoint.DisabledReason.choices],
        read_only=True,
        allow_blank=True,
        help_text="Why it was switched off by itself.",
    )

    class Meta:
        model = Endpoint
        fields: tuple[str, ...] = (
            "id", "name", "url", "event_types", "is_active", "disabled_reason", "failing_since", "is_slow",
            "old_secret_until", "created_at",
        )  # fmt: skip
        read_only_fields = ("disabled_reason", "failing_since", "is_slow", "old_secret_until", "created_at")


class NewEndpointSerializer(EndpointSerializer):
    """An endpoint that was just made, with its secret."""

    secret = serializers.CharField(read_only=True, help_text="What receivers verify with. Told only now.")

    class Meta(EndpointSerializer.Meta):
        fields = (*EndpointSerializer.Meta.fields, "secret")


class RotateSerializer(Strict):
    """How long the old secret signs along."""

    overlap_seconds = serializers.IntegerField(
        min_value=0,
        max_value=int(endpoints.LONGEST_OVERLAP.total_seconds()),
        default=int(endpoints.OVERLAP.total_seconds()),
        help_text="0: not at all, because it leaked.",
    )


class SecretSerializer(serializers.ModelSerializer[Endpoint]):
    """A secret that was just made."""

    secret = serializers.CharField(read_only=True, help_text="What receivers verify with. Told only now.")

    class Meta:
        model = Endpoint
        fields = ("id", "secret", "old_secret_until")


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """One message for one endpoint; its id is the header `webhook-id`."""

    webhook = serializers.IntegerField(source="endpoint_id", help_text="Id of the endpoint.")

    class Meta:
        model = Delivery
        fields: tuple[str, ...] = ("id", "webhook", "event_type", "status", "attempt_count", "due_at", "created_at")


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    """One try to hand a delivery over: what was sent, and what came back."""

    request_headers = extend_schema_field(_STRINGS)(serializers.JSONField)()
    response_headers = extend_schema_field(_STRINGS)(serializers.JSONField)()

    class Meta:
        model = Attempt
        fields = (
            "at", "url", "request_headers", "status_code", "duration_ms", "error", "response_headers",
            "response_excerpt",
        )  # fmt: skip


class DeliveryDetailSerializer(DeliverySerializer):
    """With what is sent, and every try."""

    body = serializers.SerializerMethodField()
    attempts = AttemptSerializer(many=True)

    class Meta(DeliverySerializer.Meta):
        fields = (*DeliverySerializer.Meta.fields, "body", "attempts")

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_body(self, row: Delivery) -> dict[str, Any]:
        return attempts.content_of(row)


class TestSerializer(serializers.ModelSerializer[Attempt]):
    """What came of a test."""

    delivery = serializers.UUIDField(source="delivery_id", help_text="Its id, the header `webhook-id`.")
    delivered = serializers.SerializerMethodField()

    class Meta:
        model = Attempt
        fields = ("delivery", "delivered", "status_code", "duration_ms", "error", "response_excerpt")

    def get_delivered(self, row: Attempt) -> bool:
        return row.delivery.status == Delivery.Status.DELIVERED


class ReplayInSerializer(Strict):
    """Which span of time is sent again, and what of it."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    status = serializers.ChoiceField(
        [value for value in Delivery.Status.values if value != Delivery.Status.PENDING], required=False
    )
    event_type = serializers.ChoiceField(EventType.choices, required=False)


class ReplaySerializer(serializers.ModelSerializer[Replay]):
    """Sending a span of time again, and how far it is."""

    webhook = serializers.IntegerField(source="endpoint_id", help_text="Id of the endpoint.")
    delivered = serializers.SerializerMethodField()
    failed = serializers.SerializerMethodField()

    class Meta:
        model = Replay
        fields = (
            "id", "webhook", "since", "until", "event_type", "status", "by", "total", "queued", "delivered", "failed",
            "created_at", "done_at",
        )  # fmt: skip

    def get_delivered(self, row: Replay) -> int:
        return self._progress(row).delivered

    def get_failed(self, row: Replay) -> int:
        return self._progress(row).failed

    def _progress(self, row: Replay) -> Progress:
        found: Progress = self.context.get("progress", {}).get(row.pk) or Progress(row.total, row.queued, 0, 0, 0)
        return found
