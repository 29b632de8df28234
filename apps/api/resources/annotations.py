"""Annotations: what happened on a day, marked in the charts; deployments, for example."""

from collections.abc import Sequence
from typing import Any

import django_filters
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiViewSet
from apps.api.fields import KeyField
from apps.api.filters import Words
from apps.api.resources.improve_data import Compared
from apps.insights import annotations, measuring
from apps.insights.actions import today_of
from apps.insights.models import Annotation
from apps.integrations.models import Scope
from apps.touchpoints.models import Touchpoint

TAGS = ["insights"]
EXAMPLE = {"text": "New checkout live", "day": "2026-03-01", "external_id": "deploy-4711"}


class AnnotationSerializer(Compared):
    """Something that happened on a day."""

    fixed = ("external_id",)
    day = serializers.DateField(required=False, help_text="By UTC; else today.")
    touchpoint = KeyField(
        rows=Touchpoint.objects.all(), required=False, allow_null=True, help_text="Key; null: everywhere."
    )
    external_id = serializers.CharField(
        max_length=200, required=False, allow_null=True, help_text="Yours: of one there is one annotation."
    )

    class Meta:
        model = Annotation
        fields = (
            "id", "day", "text", "touchpoint", "window", "control_touchpoint", "control_segment", "external_id",
            "created_by", "created_at", "effect",
        )  # fmt: skip
        read_only_fields = ("created_at",)

    def create(self, validated_data: dict[str, Any]) -> Annotation:
        """The new one, or the one of this external id that was there; ``is_new`` says which."""
        now = timezone.now()
        row = Annotation(**{"day": today_of(now), **validated_data})
        row, self.is_new = annotations.note(row=row, by=None, now=now)
        return row


class AnnotationFilter(django_filters.FilterSet):
    """Narrows the list of annotations."""

    q = Words("text", lookup_expr="icontains", max_length=100, label="Part of the text.")
    touchpoint = Words("touchpoint__key", max_length=60, label="Key of a touchpoint.")
    external_id = Words("external_id", max_length=200)

    class Meta:
        model = Annotation
        fields = ()


@extend_schema_view(
    list=extend_schema(summary="List annotations", tags=TAGS),
    retrieve=extend_schema(summary="One annotation", tags=TAGS),
    partial_update=extend_schema(
        summary="Change an annotation",
        tags=TAGS,
        examples=[OpenApiExample("Other words", {"text": "New checkout live for all"}, request_only=True)],
    ),
    destroy=extend_schema(summary="Delete an annotation", tags=TAGS),
)
class AnnotationViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, ApiViewSet
):
    """Annotations, the latest day first, each with what came of it."""

    queryset = Annotation.objects.select_related("touchpoint", "control_touchpoint", "created_by")
    serializer_class = AnnotationSerializer
    filterset_class = AnnotationFilter
    page_ordering = ("-day", "-pk")
    lookup_value_converter = "bigid"
    write_scope = Scope.INSIGHTS_WRITE
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def _shown(self, rows: Sequence[Annotation]) -> list[Any]:
        """With what came of them, all together; a key that may not read is told ids."""
        context = self.get_serializer_context()
        if not context["may_read"]:
            return [{"id": row.pk} for row in rows]
        effects = measuring.of_annotations(rows, now=timezone.now())
        return list(AnnotationSerializer(rows, many=True, context={**context, "effects": effects}).data)

    def list(self, request: Request) -> Response:
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self._shown(page))

    def retrieve(self, request: Request, pk: int) -> Response:
        return Response(self._shown([self.get_object()])[0])

    @extend_schema(
        summary="Note what happened",
        tags=TAGS,
        request=AnnotationSerializer,
        responses={
            201: AnnotationSerializer,
            200: OpenApiResponse(AnnotationSerializer, "There was one of this `external_id`; it is told as it is."),
        },
        examples=[OpenApiExample("A deployment", EXAMPLE, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        """The same `external_id` again notes nothing twice. A key without the scope `read` is told the id only."""
        body: Any = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = get_object_or_404(self.get_queryset(), pk=body.save().pk)
        return Response(self._shown([row])[0], status=201 if body.is_new else 200)

    def partial_update(self, request: Request, pk: int) -> Response:
        body = self.get_serializer(self.get_object(), data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        return Response(self._shown([body.save()])[0])
