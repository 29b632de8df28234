"""Decisions: why somebody was asked, or was not."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers

from apps.api.base import ApiViewSet
from apps.api.filters import Since, Until, Whole, Words
from apps.triggers.models import Decision
from apps.triggers.reasons import change, sentence

TAGS = ["decisions"]


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    """What a rule decided for one event, or a cadence for one contact, and why."""

    event_id = serializers.UUIDField(allow_null=True)
    touchpoint = serializers.CharField(source="event.touchpoint.key", default=None, allow_null=True)
    contact_id = serializers.UUIDField(allow_null=True)
    rule_id = serializers.IntegerField(allow_null=True)
    rule = serializers.CharField(source="rule.name", default=None, allow_null=True, help_text="Its name.")
    rule_version = serializers.IntegerField(source="rule_version.number", default=None, allow_null=True)
    cadence_id = serializers.IntegerField(allow_null=True)
    cadence = serializers.CharField(source="cadence.name", default=None, allow_null=True, help_text="Its name.")
    invitation_id = serializers.UUIDField(allow_null=True)
    invitation_status = serializers.CharField(source="invitation.status", default=None, allow_null=True)
    sentence = serializers.SerializerMethodField(help_text="The reason in words.")
    what_would_change_it = serializers.SerializerMethodField(help_text="Empty: nothing is to be said.")
    planned_for = serializers.DateTimeField(source="until", allow_null=True)
    details = serializers.SerializerMethodField()

    class Meta:
        model = Decision
        fields = (
            "id", "event_id", "touchpoint", "contact_id", "rule_id", "rule", "rule_version", "cadence_id", "cadence",
            "status", "reason", "sentence", "what_would_change_it", "details", "planned_for", "invitation_id",
            "invitation_status", "decided_at",
        )  # fmt: skip

    def get_sentence(self, decision: Decision) -> str:
        return str(sentence(decision.reason))

    def get_what_would_change_it(self, decision: Decision) -> str:
        return str(change(decision.reason))

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_details(self, decision: Decision) -> Any:
        return decision.details


class DecisionFilter(django_filters.FilterSet):
    """Narrows the list of decisions."""

    event = django_filters.UUIDFilter("event_id", label="Id of an event.")
    contact = django_filters.UUIDFilter("contact_id", label="Id of a contact.")
    rule = Whole("rule_id", label="Id of a rule.")
    cadence = Whole("cadence_id", label="Id of a cadence.")
    status = django_filters.ChoiceFilter(choices=Decision.Status.choices)
    reason = Words(max_length=40, label="Code of the reason, such as no_legal_basis.")
    touchpoint = Words("event__touchpoint__key", max_length=60, label="Key of a touchpoint.")
    since = Since("decided_at", "Decided at this time or later.")
    until = Until("decided_at", "Decided before this time.")

    class Meta:
        model = Decision
        fields = ()


@extend_schema_view(
    list=extend_schema(summary="Why somebody was asked, or was not", tags=TAGS),
    retrieve=extend_schema(summary="One decision", tags=TAGS),
)
class DecisionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Decisions, newest first: every event leaves at least one."""

    queryset = Decision.objects.all()
    serializer_class = DecisionSerializer
    filterset_class = DecisionFilter
    page_ordering = ("-decided_at", "-pk")
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Any]:
        rows = (
            super().get_queryset().select_related("rule", "rule_version", "cadence", "event__touchpoint", "invitation")
        )
        return rows.defer(
            "rule_version__snapshot", "event__properties", "event__contact_data", "invitation__properties",
            "rule__condition", "rule__windows",
        )  # fmt: skip
