"""Trigger rules: which events lead to which survey; tried against the past before they are changed."""

from typing import Any

import django_filters
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiViewSet, key_ref
from apps.api.filters import Words, YesNo
from apps.api.resources.rule_data import DryRunInSerializer, DryRunSerializer, RuleSerializer
from apps.triggers import dry_runs, services, versions
from apps.triggers.models import RuleVersion, Segment, TriggerRule

TAGS = ["rules"]
EXAMPLE = {
    "name": "After the order",
    "touchpoints": ["order_received"],
    "survey": "order",
    "delay_seconds": 259200,
    "condition": {"all": [{"field": "event.order_value", "op": "ge", "value": 50}]},
    "windows": [{"days": [0, 1, 2, 3, 4], "from": "09:00", "to": "18:00"}],
}


class RuleFilter(django_filters.FilterSet):
    """Narrows the list of rules."""

    is_active = YesNo()
    touchpoint = Words(method="by_touchpoint", max_length=60, label="Key of a touchpoint.")
    survey = Words("survey__key", max_length=60, label="Key of a survey.")
    q = Words("name", lookup_expr="icontains", max_length=100, label="Part of the name.")

    class Meta:
        model = TriggerRule
        fields = ()

    def by_touchpoint(self, rows: QuerySet[TriggerRule], _name: str, value: str) -> QuerySet[TriggerRule]:
        return rows.filter(
            pk__in=TriggerRule.touchpoints.through.objects.filter(touchpoint__key=value).values("triggerrule")
        )


@extend_schema_view(
    list=extend_schema(summary="List rules", tags=TAGS),
    retrieve=extend_schema(summary="One rule", tags=TAGS),
    create=extend_schema(
        summary="Make a rule", tags=TAGS, examples=[OpenApiExample("After an order", EXAMPLE, request_only=True)]
    ),
    partial_update=extend_schema(
        summary="Change a rule, or switch it on or off",
        tags=TAGS,
        examples=[OpenApiExample("Switched off", {"is_active": False}, request_only=True)],
    ),
    destroy=extend_schema(summary="Delete a rule", tags=TAGS),
)
class RuleViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, mixins.UpdateModelMixin,
    mixins.DestroyModelMixin, ApiViewSet,
):  # fmt: skip
    """Trigger rules, newest first. Every change makes a version, so that old decisions can be read with the rule that
    made them. What a rule has planned is taken back when it is switched off or deleted."""

    queryset = TriggerRule.objects.select_related("survey").prefetch_related("touchpoints", "revoked_by")
    serializer_class = RuleSerializer
    filterset_class = RuleFilter
    lookup_value_converter = "bigid"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def get_queryset(self) -> QuerySet[Any]:
        latest = RuleVersion.objects.filter(rule=OuterRef("pk")).order_by("-number").values("number")[:1]
        rows: QuerySet[Any] = super().get_queryset().annotate(version=Subquery(latest))
        return rows

    def perform_create(self, serializer: Any) -> None:
        self._keep(serializer)

    def perform_update(self, serializer: Any) -> None:
        self._keep(serializer)

    @transaction.atomic
    def _keep(self, serializer: Any) -> None:
        """Save the rule with its version, and take back what one that is off has planned."""
        saved = serializer.save()
        rule = self.get_queryset().get(pk=saved.pk)
        (version,) = versions.record(rules=[rule], now=timezone.now(), by=key_ref(self.request).name[:150])
        if not rule.is_active:
            services.withdraw(rule_ids=[rule.pk])
        rule.version = version.number
        serializer.instance = rule

    @transaction.atomic
    def perform_destroy(self, instance: TriggerRule) -> None:
        services.withdraw(rule_ids=[instance.pk])
        instance.delete()

    @extend_schema(
        summary="Try a rule against the past",
        tags=TAGS,
        request=DryRunInSerializer,
        responses={202: DryRunSerializer},
        examples=[
            OpenApiExample("A shorter delay", {"days": 90, "changes": {"delay_seconds": 86400}}, request_only=True)
        ],
    )
    @action(detail=True, methods=["post"], url_path="dry-run", filterset_class=None)
    def dry_run(self, request: Request, pk: int) -> Response:
        """Starts a dry run of the rule as it is saved, or with changes. Nobody is asked, nothing is saved. Its result
        is at `/dry-runs/{id}`."""
        body = DryRunInSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        rule: TriggerRule = self.get_object()
        changed = RuleSerializer(rule, data=body.validated_data.get("changes", {}), partial=True)
        try:
            changed.is_valid(raise_exception=True)
            places = changed.apply(rule, changed.validated_data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({"changes": error.detail}) from None
        segments = {segment.key: segment for segment in Segment.objects.all()}
        run = dry_runs.start(
            title=_("Rule: %(name)s") % {"name": rule.name},
            days=body.validated_data["days"],
            now=timezone.now(),
            draft=versions.snapshot(rule, segments=segments, **places),
            replaces=rule.pk,
        )
        return Response(DryRunSerializer(run).data, status=202)
