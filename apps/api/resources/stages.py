"""Stages: the phases of the customer journey."""

import django_filters
from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import mixins, serializers

from apps.api.base import ApiViewSet
from apps.api.fields import Cleaned, TextsField
from apps.api.filters import Words
from apps.api.problems import IN_USE, ConflictError
from apps.touchpoints.models import Stage

TAGS = ["stages"]
EXAMPLE = {"key": "delivery", "name": {"en": "Delivery", "de": "Lieferung"}, "position": 2}


class StageSerializer(Cleaned):
    """A phase of the customer journey."""

    fixed = ("key",)
    name = TextsField(help_text="A text per language.")
    position = serializers.IntegerField(min_value=0, max_value=32767, required=False)

    class Meta:
        model = Stage
        fields = ("key", "name", "position")


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
    """Stages by their keys, in the order of the journey. A stage is deleted once no touchpoint lies on it."""

    queryset = Stage.objects.all()
    serializer_class = StageSerializer
    filterset_class = StageFilter
    page_ordering = ("position", "pk")
    lookup_field = "key"
    lookup_value_converter = "slug"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def perform_destroy(self, instance: Stage) -> None:
        with transaction.atomic():
            if instance.touchpoints.exists():
                raise ConflictError(IN_USE)
            instance.delete()
