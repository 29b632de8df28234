"""Imports: a file is sent, its columns are said, it is checked, taken, and taken back."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import django_filters
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiViewSet, accepted
from apps.api.problems import ConflictError, WrongFieldsError
from apps.api.resources.import_data import ChoiceSerializer, ImportSerializer, PreviewSerializer
from apps.integrations.models import Scope
from apps.transfers import services
from apps.transfers.intake import MAX_BYTES
from apps.transfers.models import Import

TAGS = ["imports"]
PART = 256 * 1024
SCOPES: dict[str, str] = {
    Import.Kind.RESPONSES: Scope.RESPONSES_WRITE,
    Import.Kind.SUPPRESSIONS: Scope.SUPPRESSIONS_WRITE,
}
"""By what an import brings; contacts and companies need the one of contacts."""
CONFLICT = OpenApiResponse(description="Not possible in the state that the import is in.")


class ImportFilter(django_filters.FilterSet):
    """Narrows the list of imports."""

    kind = django_filters.ChoiceFilter(choices=Import.Kind.choices)
    status = django_filters.ChoiceFilter(choices=Import.Status.choices)

    class Meta:
        model = Import
        fields = ()


class _AnyBody(BaseContentNegotiation):
    """The file is no JSON; what comes back is as everywhere."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class _Imports(ApiViewSet):
    queryset = Import.objects.all()
    serializer_class = ImportSerializer
    page_ordering = ("-created_at", "-pk")

    def scope_of(self, request: HttpRequest | Request) -> str:
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            return self.read_scope
        kind: str | None = request.GET.get("kind")
        if "pk" in self.kwargs:
            kind = Import.objects.filter(pk=self.kwargs["pk"]).values_list("kind", flat=True).first()
        return SCOPES.get(kind or "", Scope.CONTACTS_WRITE)


@extend_schema_view(
    list=extend_schema(summary="List imports", tags=TAGS, operation_id="imports_list"),
    create=extend_schema(
        summary="Send a file",
        description="The body is the file itself: CSV in any usual form, or XLSX. Nothing is taken yet: see what was "
        "guessed in `mapping`, correct it, then start. A workbook is `uploaded` until it has been read. The key needs "
        "the scope of what the file brings.",
        tags=TAGS,
        parameters=[
            OpenApiParameter("kind", enum=list(Import.Kind.values), required=True),
            OpenApiParameter("file_name", description="To be recognised by."),
        ],
        request={"text/csv": OpenApiTypes.BINARY, "application/octet-stream": OpenApiTypes.BINARY},
        responses={201: ImportSerializer},
    ),
)
class ImportFiles(mixins.ListModelMixin, _Imports):
    """Files, newest first."""

    filterset_class = ImportFilter
    content_negotiation_class = _AnyBody
    max_bytes = MAX_BYTES
    repeatable = False
    query_parameters = ("kind", "file_name")

    def known_parameters(self) -> set[str]:
        return super().known_parameters() - ({"file_name"} if self.is_list else set())

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Store the file as it arrives."""
        kind = request.query_params.get("kind", "")
        if kind not in Import.Kind.values:
            raise WrongFieldsError([("kind", f"must be one of {', '.join(Import.Kind.values)}.")])
        name = request.query_params.get("file_name", "import")
        try:
            made = services.upload(kind=kind, file_name=name, parts=_parts(request._request), now=timezone.now())
        except services.TransferError as error:
            raise WrongFieldsError([("file", str(error))]) from error
        return Response(self.get_serializer(made).data, status=201)


def _parts(request: HttpRequest) -> Iterator[bytes]:
    while part := request.read(PART):
        yield part


def _action(name: str, summary: str, description: str | None = None) -> Any:
    """One of the things that can be done with an import."""
    return extend_schema(
        operation_id=f"imports_{name}",
        summary=summary,
        description=description,
        tags=TAGS,
        request=None,
        responses={202: ImportSerializer, 409: CONFLICT},
    )


@extend_schema_view(
    retrieve=extend_schema(summary="How far an import is", tags=TAGS, operation_id="imports_retrieve"),
)
class ImportViewSet(mixins.RetrieveModelMixin, _Imports):
    """One import."""

    @extend_schema(
        operation_id="imports_choose",
        summary="Say what the columns mean",
        tags=TAGS,
        request=ChoiceSerializer,
        responses={200: ImportSerializer, 409: CONFLICT},
    )
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Columns and options; what is not given stays."""
        source: Import = self.get_object()
        given = ChoiceSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        mapping = given.validated_data.get("mapping", source.mapping)
        options = given.validated_data.get("options", {})
        try:
            found = services.choose(import_id=pk, mapping=mapping, options=options, now=timezone.now())
        except services.StateError as error:
            raise ConflictError(str(error)) from error
        except services.TransferError as error:
            raise WrongFieldsError(
                [("mapping" if "mapping" in given.validated_data else "options", str(error))]
            ) from error
        return Response(self.get_serializer(found).data)

    @extend_schema(
        operation_id="imports_preview",
        summary="The first rows as they would be taken",
        tags=TAGS,
        responses={200: PreviewSerializer(many=True), 409: CONFLICT},
    )
    def preview(self, request: Request, pk: UUID) -> Response:
        """Twenty rows."""
        source: Import = self.get_object()
        if not source.mapping or not source.stored_size:
            raise ConflictError("There is no file to look at, or it has not been read yet.")
        return Response([_told(row) for row in services.preview(source=source, now=timezone.now())])

    @_action("check", "Check the whole file without writing")
    def check(self, request: Request, pk: UUID) -> Response:
        """Queue the check."""
        return self._done(services.check)

    @_action("start", "Take the file")
    def start(self, request: Request, pk: UUID) -> Response:
        """Queue the import."""
        return self._done(services.run)

    @_action("cancel", "Stop an import", "What was taken already stays, and can be undone.")
    def cancel(self, request: Request, pk: UUID) -> Response:
        """Stop it."""
        return self._done(services.cancel)

    @_action(
        "undo",
        "Take an import back",
        "What it made is deleted and what it changed is put back, where nobody has done anything since.",
    )
    def undo(self, request: Request, pk: UUID) -> Response:
        """Queue taking it back."""
        return self._done(services.undo)

    def _done(self, what: Any) -> Response:
        source: Import = self.get_object()
        try:
            found = what(import_id=source.pk, now=timezone.now())
        except services.TransferError as error:
            raise ConflictError(str(error)) from error
        return accepted(self.get_serializer(found).data)


class ImportErrors(_Imports):
    """The wrong rows as a file."""

    content_negotiation_class = _AnyBody

    @extend_schema(
        summary="The rows with problems as CSV",
        description="With what is wrong, and no cell a formula. Corrected, it can be imported again.",
        tags=TAGS,
        operation_id="imports_errors",
        responses={(200, "text/csv"): OpenApiTypes.BINARY},
    )
    def file(self, request: Request, pk: UUID) -> HttpResponseBase:
        """All that are kept."""
        source: Import = self.get_object()
        answer = StreamingHttpResponse(services.bad_rows_csv(source=source), content_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = 'attachment; filename="errors.csv"'
        return answer


def _told(row: services.PreviewRow) -> dict[str, Any]:
    problems = [{"column": column, "message": str(text)} for column, text in row.problems]
    return {"row": row.number, "cells": list(row.cells), "values": row.values, "problems": problems}


urlpatterns = [
    path("imports", ImportFiles.as_view({"get": "list", "post": "create"})),
    path("imports/<uuid:pk>", ImportViewSet.as_view({"get": "retrieve", "patch": "partial_update"}, detail=True)),
    path("imports/<uuid:pk>/preview", ImportViewSet.as_view({"get": "preview"}, detail=True)),
    path("imports/<uuid:pk>/check", ImportViewSet.as_view({"post": "check"}, detail=True)),
    path("imports/<uuid:pk>/start", ImportViewSet.as_view({"post": "start"}, detail=True)),
    path("imports/<uuid:pk>/cancel", ImportViewSet.as_view({"post": "cancel"}, detail=True)),
    path("imports/<uuid:pk>/undo", ImportViewSet.as_view({"post": "undo"}, detail=True)),
    path("imports/<uuid:pk>/errors.csv", ImportErrors.as_view({"get": "file"}, detail=True)),
]
