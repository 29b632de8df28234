"""Companies: the organisations that contacts belong to."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiViewSet
from apps.api.filters import Words
from apps.api.resources.contact_data import (
    CompanyChangeSerializer,
    CompanySerializer,
    CompanyUpsertSerializer,
    CompanyWrittenSerializer,
)
from apps.contacts import changes
from apps.contacts.models import Company
from apps.integrations.models import Scope

TAGS = ["companies"]


class CompanyFilter(django_filters.FilterSet):
    """Narrows the list of companies."""

    external_id = Words(label="Your id of the company.")
    q = Words(method="by_words", max_length=100, label="Part of the name or of your id.")

    class Meta:
        model = Company
        fields = ()

    def by_words(self, rows: QuerySet[Company], _name: str, value: str) -> QuerySet[Company]:
        return rows.filter(Q(name__icontains=value) | Q(external_id__icontains=value))


@extend_schema_view(
    list=extend_schema(summary="List companies", tags=TAGS),
    retrieve=extend_schema(summary="One company", tags=TAGS),
)
class CompanyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Companies, newest first."""

    queryset = Company.objects.all()
    serializer_class = CompanySerializer
    filterset_class = CompanyFilter
    lookup_value_converter = "bigid"
    write_scope = Scope.CONTACTS_WRITE

    @extend_schema(
        summary="Send a company",
        tags=TAGS,
        request=CompanyUpsertSerializer,
        responses={
            201: OpenApiResponse(CompanyWrittenSerializer, "The company was not known before."),
            200: OpenApiResponse(CompanyWrittenSerializer, "The company was known, and took over what was sent."),
        },
        examples=[
            OpenApiExample(
                "A company", {"external_id": "k-7", "name": "Analytical Engines", "country": "GB"}, request_only=True
            )
        ],
    )
    def create(self, request: Request) -> Response:
        """Found by external id, else made. What is empty or left out changes nothing; properties are added to."""
        body = CompanyUpsertSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        kept = changes.upsert_company(data=body.validated_data, now=timezone.now())
        return Response(self._told(kept.row), status=201 if kept.is_new else 200)

    def _told(self, row: Company) -> Any:
        return CompanyWrittenSerializer(row, context=self.get_serializer_context()).data

    @extend_schema(
        summary="Change a company",
        tags=TAGS,
        request=CompanyChangeSerializer,
        responses=CompanyWrittenSerializer,
        examples=[OpenApiExample("Another name", {"name": "Difference Engines"}, request_only=True)],
    )
    def partial_update(self, request: Request, pk: int) -> Response:
        """What is given takes the place of what was there, also where it is empty."""
        body = CompanyChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        company = self.get_object()
        return Response(self._told(changes.change_company(company_id=company.pk, values=body.validated_data)))
