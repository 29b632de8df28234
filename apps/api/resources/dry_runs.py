"""Dry runs: how far they are, and what they came to."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins

from apps.api.base import ApiViewSet
from apps.api.filters import Whole
from apps.api.resources.rule_data import DryRunResultSerializer, DryRunSerializer
from apps.triggers.models import DryRun

TAGS = ["rules"]


class DryRunFilter(django_filters.FilterSet):
    """Narrows the list of dry runs."""

    status = django_filters.ChoiceFilter(choices=DryRun.Status.choices)
    rule = Whole("rule_id_replaced", label="Id of a rule.")

    class Meta:
        model = DryRun
        fields = ()


@extend_schema_view(
    list=extend_schema(summary="List dry runs", tags=TAGS, responses=DryRunSerializer(many=True)),
    retrieve=extend_schema(summary="What a dry run came to", tags=TAGS, responses=DryRunResultSerializer),
)
class DryRunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Dry runs, newest first; they are started at a rule."""

    queryset = DryRun.objects.all()
    filterset_class = DryRunFilter
    page_ordering = ("-created_at", "-pk")
    lookup_value_converter = "uuid"

    def get_serializer_class(self) -> Any:
        return DryRunSerializer if self.is_list else DryRunResultSerializer

    def get_queryset(self) -> QuerySet[Any]:
        unread = ("draft", "budget", "result") if self.is_list else ("draft", "budget")
        return super().get_queryset().defer(*unread)
