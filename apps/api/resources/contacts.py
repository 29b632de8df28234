"""Contacts: found, sent one by one or many at once, changed; and why they may be written to."""

from typing import Any, cast
from uuid import UUID

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiRequest, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiViewSet, expand_parameter, key_ref
from apps.api.filters import Since, Until, Whole, Words
from apps.api.problems import ConflictError, WrongFieldsError
from apps.api.resources.contact_data import (
    ContactBulkSerializer,
    ContactChangeSerializer,
    ContactSerializer,
    ContactWrittenSerializer,
    LegalBasisInSerializer,
    LegalBasisSerializer,
    LegalBasisWrittenSerializer,
)
from apps.api.resources.events import ContactInSerializer
from apps.api.resources.segments import contacts_of
from apps.contacts import changes, services
from apps.contacts.identity import ContactData
from apps.contacts.models import Contact, LegalBasis
from apps.integrations.models import Scope
from apps.touchpoints.intake import InvalidEventError
from apps.touchpoints.people import MAX_PEOPLE, parse_person

MAX_BULK_BYTES = 8 * 1024 * 1024
TAGS = ["contacts"]
ADA = {
    "external_id": "c-1001",
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "locale": "en-GB",
    "company": {"external_id": "k-7", "name": "Analytical Engines"},
    "properties": {"plan": "pro"},
}
BASIS = {"kind": "consent", "source": "newsletter form", "wording": "Yes, ask me how you did.", "text_version": "3"}
GONE = "The contact was deleted at this moment."
OBJECTED = "The contact objected: only a new consent lets us write again, not the next purchase."


class ContactFilter(django_filters.FilterSet):
    """Narrows the list of contacts."""

    email = django_filters.CharFilter(method="by_email", max_length=254, label="The whole address.")
    external_id = Words(label="Your id of the contact.")
    company = Whole("company_id", label="Id of a company.")
    company_external_id = Words("company__external_id", label="Your id of a company.")
    segment = Words(method="by_segment", max_length=60, label="Key of a segment.")
    created_since = Since("created_at", "Created at this time or later.")
    created_until = Until("created_at", "Created before this time.")
    q = Words(method="by_words", max_length=100, label="Part of the name, the address or your id.")

    class Meta:
        model = Contact
        fields = ()

    def by_email(self, rows: QuerySet[Contact], _name: str, value: str) -> QuerySet[Contact]:
        return rows.filter(email=value.strip().lower())

    def by_segment(self, rows: QuerySet[Contact], _name: str, value: str) -> QuerySet[Contact]:
        return rows.filter(pk__in=contacts_of(key=value, now=timezone.now()))

    def by_words(self, rows: QuerySet[Contact], _name: str, value: str) -> QuerySet[Contact]:
        named = Q(name__icontains=value) | Q(email__icontains=value)
        return rows.filter(named | Q(external_id__icontains=value))


@extend_schema_view(
    list=extend_schema(summary="List contacts", tags=TAGS, parameters=[expand_parameter("company")]),
    retrieve=extend_schema(summary="One contact", tags=TAGS, parameters=[expand_parameter("company")]),
)
class ContactViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Contacts, newest first. They are not deleted here: their answers and what was sent to them go with an erasure."""

    queryset = Contact.objects.all()
    serializer_class = ContactSerializer
    filterset_class = ContactFilter
    lookup_value_converter = "uuid"
    write_scope = Scope.CONTACTS_WRITE
    expandable = {"company": ["company"]}

    @extend_schema(
        summary="Send a contact",
        tags=TAGS,
        parameters=[expand_parameter("company")],
        request=ContactInSerializer,
        responses={
            201: OpenApiResponse(ContactWrittenSerializer, "The contact was not known before."),
            200: OpenApiResponse(ContactWrittenSerializer, "The contact was known, and took over what was sent."),
        },
        examples=[OpenApiExample("A contact", ADA, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        """Found by external id, else by e-mail address, else made. What is empty or left out changes nothing;
        properties are added to. An address that another contact holds stays with that one."""
        now = timezone.now()
        try:
            person = parse_person(request.data, now)
        except InvalidEventError as error:
            raise WrongFieldsError(error.errors) from None
        (kept,) = changes.upsert_contacts(people=[person], now=now)
        if kept is None:
            raise ConflictError(GONE)
        return Response(self._told(kept.row.pk), status=201 if kept.is_new else 200)

    def _told(self, pk: UUID) -> Any:
        return ContactWrittenSerializer(self.get_queryset().get(pk=pk), context=self.get_serializer_context()).data

    @extend_schema(
        summary="Change a contact",
        tags=TAGS,
        parameters=[expand_parameter("company")],
        request=ContactChangeSerializer,
        responses=ContactWrittenSerializer,
        examples=[OpenApiExample("Another plan", {"properties": {"plan": "team"}}, request_only=True)],
    )
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """What is given takes the place of what was there, also where it is empty."""
        body = ContactChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        company = values.pop("company", None)
        if company is None and "company" in body.validated_data:
            values["company_id"] = None
        row = self.get_object()
        changes.change_contact(contact_id=row.pk, values=values, company=company, now=timezone.now())
        return Response(self._told(row.pk))

    @extend_schema(
        summary="Send many contacts",
        tags=TAGS,
        request=OpenApiRequest(ContactInSerializer(many=True)),
        responses={200: ContactBulkSerializer},
        examples=[OpenApiExample("Two contacts", [ADA, {"email": "bo@example.com"}], request_only=True)],
    )
    @action(
        detail=False, methods=["post"], filterset_class=None, pagination_class=None, max_bytes=MAX_BULK_BYTES,
        expandable={},
    )  # fmt: skip
    def bulk(self, request: Request) -> Response:
        """Up to 1,000 at once, 8 MB, each as if it were sent by itself. A wrong one keeps no other out."""
        if not isinstance(request.data, list):
            raise WrongFieldsError([("", "must be a list of contacts.")])
        if len(request.data) > MAX_PEOPLE:
            raise WrongFieldsError([("", f"must have at most {MAX_PEOPLE} contacts.")])
        now = timezone.now()
        read = [_read(raw, now) for raw in request.data]
        people = [one for one in read if not isinstance(one, InvalidEventError)]
        kept = iter(changes.upsert_contacts(people=people, now=now))
        results = [_result(number, one, kept) for number, one in enumerate(read)]
        states = [result["status"] for result in results]
        return Response({**{s: states.count(s) for s in ("created", "known", "refused")}, "results": results})

    @extend_schema(
        methods=["GET"],
        operation_id="contacts_legal_bases_list",
        summary="Why a contact may be written to",
        tags=TAGS,
        responses=LegalBasisSerializer(many=True),
    )
    @extend_schema(
        methods=["POST"],
        summary="Record a legal basis",
        tags=TAGS,
        request=LegalBasisInSerializer,
        responses={
            201: LegalBasisWrittenSerializer,
            200: OpenApiResponse(LegalBasisWrittenSerializer, "It was known before."),
        },
        examples=[OpenApiExample("A consent", BASIS, request_only=True)],
    )
    @extend_schema(methods=["DELETE"], summary="Note that a contact objects", tags=TAGS, responses={204: None})
    @action(
        detail=True, methods=["get", "post", "delete"], url_path="legal-bases", filterset_class=None, lists=True,
        expandable={},
    )  # fmt: skip
    def legal_bases(self, request: Request, pk: UUID) -> Response:
        """GET: also those that ended, the newest first. POST: one of the same kind and source stays as it was given.
        DELETE: every legal basis ends; an objection is never taken back, only a new consent can follow it."""
        contact: Contact = self.get_object()
        if request.method == "POST":
            return self._record(request, contact)
        if request.method == "DELETE":
            services.object_to_mail(contact_id=contact.pk, now=timezone.now())
            return Response(status=204)
        rows = self.paginate_queryset(cast("Any", contact.legal_bases.all()))
        return self.get_paginated_response(LegalBasisSerializer(rows, many=True).data)

    def _record(self, request: Request, contact: Contact) -> Response:
        if key_ref(request).is_intake:
            # Such a key stands where many can read it: with it anybody could agree for everybody.
            raise PermissionDenied("A write key cannot record legal bases. Use a server key.")
        body = LegalBasisInSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = {"granted_at": timezone.now(), **body.validated_data}
        try:
            kept = changes.record_basis(basis=LegalBasis(contact_id=contact.pk, **values))
        except changes.ObjectedError:
            raise ConflictError(OBJECTED) from None
        told = LegalBasisWrittenSerializer(kept.row, context=self.get_serializer_context())
        return Response(told.data, status=201 if kept.is_new else 200)


def _read(raw: object, now: Any) -> ContactData | InvalidEventError:
    try:
        return parse_person(raw, now)
    except InvalidEventError as error:
        return error


def _result(number: int, read: ContactData | InvalidEventError, kept: Any) -> dict[str, Any]:
    """What became of one: the contacts that were kept come in the order of those that could be read."""
    if isinstance(read, InvalidEventError):
        errors = [{"field": error.field, "message": error.message} for error in read.errors]
        return {"index": number, "status": "refused", "errors": errors}
    found = next(kept)
    if found is None:
        return {"index": number, "status": "refused", "errors": [{"field": "", "message": GONE}]}
    return {"index": number, "status": "created" if found.is_new else "known", "id": str(found.row.pk)}
