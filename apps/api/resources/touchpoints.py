"""Touchpoints: the places on the journey where contacts meet the tenant."""

from typing import Any

import django_filters
from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import mixins, serializers

from apps.api.base import ApiViewSet
from apps.api.fields import Cleaned, KeyField, TextsField
from apps.api.filters import Words, YesNo
from apps.api.problems import IN_USE, ConflictError
from apps.responses.models import Response
from apps.surveys.models import Invitation
from apps.touchpoints.models import Event, Stage, Touchpoint
from apps.touchpoints.services import forget_touchpoints

TAGS = ["touchpoints"]
EXAMPLE = {
    "key": "order_received",
    "name": {"en": "Order received", "de": "Bestellung erhalten"},
    "stage": "delivery",
    "legal_basis": "existing_customer",
}


class TouchpointSerializer(Cleaned):
    """A place on the journey; events name it by its key."""

    fixed = ("key",)
    name = TextsField(help_text="A text per language.")
    stage = KeyField(rows=Stage.objects.all(), help_text="Key of a stage.")
    position = serializers.IntegerField(min_value=0, max_value=32767, required=False)

    class Meta:
        model = Touchpoint
        fields = ("key", "name", "stage", "position", "legal_basis", "exception_days", "beyond_caps", "is_active")


class TouchpointFilter(django_filters.FilterSet):
    """Narrows the list of touchpoints."""

    stage = Words("stage__key", max_length=60, label="Key of a stage.")
    is_active = YesNo()

    class Meta:
        model = Touchpoint
        fields = ()


@extend_schema_view(
    list=extend_schema(summary="List touchpoints", tags=TAGS),
    retrieve=extend_schema(summary="One touchpoint", tags=TAGS),
    create=extend_schema(
        summary="Make a touchpoint", tags=TAGS, examples=[OpenApiExample("A touchpoint", EXAMPLE, request_only=True)]
    ),
    partial_update=extend_schema(
        summary="Change a touchpoint",
        tags=TAGS,
        examples=[OpenApiExample("Switched off", {"is_active": False}, request_only=True)],
    ),
    destroy=extend_schema(summary="Delete a touchpoint", tags=TAGS),
)
class TouchpointViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, mixins.UpdateModelMixin,
    mixins.DestroyModelMixin, ApiViewSet,
):  # fmt: skip
    """Touchpoints by their keys. One where something happened is not deleted but switched off."""

    queryset = Touchpoint.objects.select_related("stage")
    serializer_class = TouchpointSerializer
    filterset_class = TouchpointFilter
    page_ordering = ("position", "pk")
    lookup_field = "key"
    lookup_value_converter = "slug"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def perform_create(self, serializer: Any) -> None:
        serializer.save()
        forget_touchpoints()

    def perform_update(self, serializer: Any) -> None:
        serializer.save()
        forget_touchpoints()

    def perform_destroy(self, instance: Touchpoint) -> None:
        """Asked first: deleting would read every event only to say that there are some."""
        with transaction.atomic():
            if any(rows.filter(touchpoint=instance).exists() for rows in _happened()):
                raise ConflictError(IN_USE)
            instance.delete()
        forget_touchpoints()


def _happened() -> tuple[Any, ...]:
    return Event.objects.all(), Invitation.objects.all(), Response.objects.all()
