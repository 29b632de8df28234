"""Segments: saved conditions over contacts, and who belongs to them."""

from datetime import datetime
from typing import Any

import django_filters
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiViewSet, expand_parameter
from apps.api.fields import Cleaned, ConditionField
from apps.api.filters import Words
from apps.api.problems import IN_USE, ConflictError
from apps.api.resources.contact_data import ContactSerializer
from apps.common.conditions import ConditionError
from apps.contacts.models import Contact
from apps.triggers import segments
from apps.triggers.models import Segment
from apps.triggers.problems import sentences
from apps.triggers.rules import parse_segment

TAGS = ["segments"]
CONDITION = {"all": [{"field": "contact.plan", "op": "eq", "value": "pro"}]}
NONE = "There is no segment with this key."


def contacts_of(*, key: str, now: datetime) -> RawSQL:
    """The ids of a segment's contacts, for a filter. Raises ValidationError for ``segment`` if there is none."""
    condition = Segment.objects.filter(key=key).values_list("condition", flat=True).first()
    if condition is None:
        raise serializers.ValidationError({"segment": [NONE]})
    try:
        return segments.subquery(condition=condition, now=now)
    except ConditionError as error:
        raise serializers.ValidationError({"segment": sentences(error)}) from None


class SegmentSerializer(Cleaned):
    """Those contacts who fit a condition, under a name. Who belongs to it is found anew each time."""

    fixed = ("key",)
    condition = ConditionField(required=False, help_text="Empty: all contacts.")

    class Meta:
        model = Segment
        fields = ("key", "name", "condition")

    def parse_condition(self, tree: Any) -> Any:
        return parse_segment(tree).tree


class SegmentFilter(django_filters.FilterSet):
    """Narrows the list of segments."""

    q = Words(method="by_words", max_length=100, label="Part of the name or the key.")

    class Meta:
        model = Segment
        fields = ()

    def by_words(self, rows: QuerySet[Segment], _name: str, value: str) -> QuerySet[Segment]:
        return rows.filter(Q(name__icontains=value) | Q(key__icontains=value))


@extend_schema_view(
    list=extend_schema(summary="List segments", tags=TAGS),
    retrieve=extend_schema(summary="One segment", tags=TAGS),
    create=extend_schema(
        summary="Make a segment",
        tags=TAGS,
        examples=[
            OpenApiExample("Pro customers", {"key": "pro", "name": "Pro", "condition": CONDITION}, request_only=True)
        ],
    ),
    partial_update=extend_schema(
        summary="Change a segment",
        tags=TAGS,
        examples=[OpenApiExample("Another name", {"name": "Pro customers"}, request_only=True)],
    ),
    destroy=extend_schema(summary="Delete a segment", tags=TAGS),
)
class SegmentViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, mixins.UpdateModelMixin,
    mixins.DestroyModelMixin, ApiViewSet,
):  # fmt: skip
    """Segments by their keys, which never change: conditions name them. One that a rule or a cadence needs stays."""

    queryset = Segment.objects.all()
    serializer_class = SegmentSerializer
    filterset_class = SegmentFilter
    lookup_field = "key"
    lookup_value_converter = "slug"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def perform_destroy(self, instance: Segment) -> None:
        with transaction.atomic():
            if segments.is_named_by_rules(key=instance.key):
                raise ConflictError(IN_USE)
            instance.delete()

    @extend_schema(
        operation_id="segments_contacts_list",
        summary="Who belongs to a segment",
        tags=TAGS,
        parameters=[expand_parameter("company")],
        responses=ContactSerializer(many=True),
    )
    @action(detail=True, filterset_class=None, lists=True, expandable={"company": ["company"]})
    def contacts(self, request: Request, key: str) -> Response:
        """As of now, the newest contacts first."""
        segment = get_object_or_404(Segment, key=key)
        rows = Contact.objects.filter(pk__in=contacts_of(key=segment.key, now=timezone.now()))
        if self.expanded():
            rows = rows.select_related("company")
        page = self.paginate_queryset(rows)
        told = ContactSerializer(page, many=True, context=self.get_serializer_context())
        return self.get_paginated_response(told.data)
