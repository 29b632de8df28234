"""Stages: the phases of the customer journey, and their sub-steps."""

from typing import Any

import django_filters
from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import mixins, serializers

from apps.api.base import ApiViewSet
from apps.api.fields import Cleaned, KeyField, TextsField
from apps.api.filters import Words
from apps.api.problems import IN_USE, ConflictError
from apps.touchpoints.arranging import renumber
from apps.touchpoints.models import Stage

TAGS = ["stages"]
EXAMPLE = {"key": "delivery", "name": {"en": "Delivery", "de": "Lieferung"}, "position": 2}


class StageSerializer(Cleaned):
    """A phase of the customer journey, or a sub-step of one."""

    fixed = ("key",)
    name = TextsField(help_text="A text per language.")
    parent = KeyField(  # type: ignore[assignment] # a field's name, not the field that holds this one
        rows=Stage.objects.all(), required=False, allow_null=True,
        help_text="Key of the stage that this is a sub-step of; null: a stage of its own. A sub-step has no sub-steps.",
    )  # fmt: skip
    position = serializers.IntegerField(min_value=0, max_value=32767, required=False)

    class Meta:
        model = Stage
        fields = ("key", "name", "parent", "position")

    def validate_parent(self, parent: Stage | None) -> Stage | None:
        """Told here in one sentence, before the row's own check."""
        if parent is not None and parent.parent_id is not None:
            raise serializers.ValidationError("is a sub-step itself: it has no sub-steps.")
        return parent


class StageFilter(django_filters.FilterSet):
    """Narrows the list of stages."""

    key = Words(max_length=60)

    class Meta:
        model = Stage
        fields = ()


@extend_schema_view(
    list=extend_schema(summary="List stages", tags=TAGS),
    retrieve=extend_schema(summary="One stage", tags=TAGS),
    create=extend_schema(
        summary="Make a stage", tags=TAGS, examples=[OpenApiExample("A stage", EXAMPLE, request_only=True)]
    ),
    partial_update=extend_schema(
        summary="Change a stage", tags=TAGS, examples=[OpenApiExample("Later", {"position": 3}, request_only=True)]
    ),
    destroy=extend_schema(summary="Delete a stage", tags=TAGS),
)
class StageViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, mixins.UpdateModelMixin,
    mixins.DestroyModelMixin, ApiViewSet,
):  # fmt: skip
    """Stages by their keys, in the order of the journey. One is deleted once nothing lies on it."""

    queryset = Stage.objects.select_related("parent")
    serializer_class = StageSerializer
    filterset_class = StageFilter
    page_ordering = ("position", "pk")
    lookup_field = "key"
    lookup_value_converter = "slug"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def perform_create(self, serializer: Any) -> None:
        _in_order(serializer.save(), serializer)

    def perform_update(self, serializer: Any) -> None:
        _in_order(serializer.save(), serializer)

    def perform_destroy(self, instance: Stage) -> None:
        with transaction.atomic():
            if instance.touchpoints.exists() or instance.steps.exists():
                raise ConflictError(IN_USE)
            instance.delete()


def _in_order(stage: Stage, serializer: Any) -> None:
    """A sub-step stands after its stage on the map, whatever its position says within it."""
    if "parent" in serializer.validated_data:
        renumber()
        stage.refresh_from_db(fields=["position"])
