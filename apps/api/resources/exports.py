"""Contacts and responses as files: all that the filters leave, sent while it is read."""

from datetime import UTC
from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

from apps.api.base import ApiViewSet
from apps.api.resources.contacts import ContactFilter
from apps.api.resources.responses import ResponseFilter
from apps.contacts.models import Contact
from apps.responses.models import Response
from apps.responses.selectors import with_promise
from apps.transfers.export_contacts import contact_table
from apps.transfers.export_responses import response_table
from apps.transfers.export_rows import Table
from apps.transfers.exports import CSV, KINDS, XLSX, download


class _TheFile(BaseContentNegotiation):
    """The address says what comes, whatever the client says that it takes."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class _Export(ApiViewSet):
    """A list as one file."""

    content_negotiation_class = _TheFile
    pagination_class = None  # type: ignore[assignment]
    http_method_names = ["get", "head", "options"]
    kind = CSV
    about = ""

    def table(self, found: QuerySet[Any]) -> Table:
        """The rows as they are to be written."""
        raise NotImplementedError

    def file(self, request: Request) -> HttpResponseBase:
        """All rows that the filters leave."""
        found = self.filter_queryset(self.get_queryset())
        today = timezone.now().astimezone(UTC).date()
        return download(self.table(found), kind=self.kind, name=self.about, today=today)


class _Contacts(_Export):
    queryset = Contact.objects.order_by("-pk")
    filterset_class = ContactFilter
    about = "contacts"

    def table(self, found: QuerySet[Any]) -> Table:
        return contact_table(found, zone=UTC)


class _Responses(_Export):
    queryset = with_promise(Response.objects.order_by("-answered_at", "-pk"))
    filterset_class = ResponseFilter
    about = "responses"

    def table(self, found: QuerySet[Any]) -> Table:
        return response_table(found, zone=UTC)


def _described(what: str, kind: str) -> Any:
    """Summary, filters and type of one file."""
    return extend_schema(
        operation_id=f"export_{what}_{kind}",
        summary=f"All {what} as {kind.upper()}",
        description="Narrowed like the list, with the columns of the export in the workspace: no cell is a formula, "
        "times are in UTC. Anonymous responses name nobody, and only the day.",
        tags=["exports"],
        filters=True,
        responses={(200, KINDS[kind].partition(";")[0]): OpenApiTypes.BINARY},
    )


class ContactsCsv(_Contacts):
    """Contacts as CSV, newest first."""

    @_described("contacts", CSV)
    def file(self, request: Request) -> HttpResponseBase:
        return super().file(request)


class ContactsXlsx(_Contacts):
    """Contacts as XLSX, newest first."""

    kind = XLSX

    @_described("contacts", XLSX)
    def file(self, request: Request) -> HttpResponseBase:
        return super().file(request)


class ResponsesCsv(_Responses):
    """Responses as CSV, newest first."""

    @_described("responses", CSV)
    def file(self, request: Request) -> HttpResponseBase:
        return super().file(request)


class ResponsesXlsx(_Responses):
    """Responses as XLSX, newest first."""

    kind = XLSX

    @_described("responses", XLSX)
    def file(self, request: Request) -> HttpResponseBase:
        return super().file(request)


urlpatterns = [
    path("contacts.csv", ContactsCsv.as_view({"get": "file"})),
    path("contacts.xlsx", ContactsXlsx.as_view({"get": "file"})),
    path("responses.csv", ResponsesCsv.as_view({"get": "file"})),
    path("responses.xlsx", ResponsesXlsx.as_view({"get": "file"})),
]
