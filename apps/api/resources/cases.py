"""Cases: who takes care of which answer, how far they are, and what colleagues write about it."""

from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework import response as rest
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request

from apps.api.base import ApiViewSet, expand_parameter
from apps.api.filters import Since, Until, Words, YesNo
from apps.api.problems import ConflictError, WrongFieldsError
from apps.api.resources.case_data import (
    CaseChangeSerializer,
    CaseNoteInSerializer,
    CaseNoteSerializer,
    CaseOpenSerializer,
    CaseSerializer,
)
from apps.cases import selectors, services
from apps.cases.models import Case, CaseNote
from apps.integrations.models import Scope
from apps.responses.models import Answer, Response
from apps.responses.selectors import with_promise

TAGS = ["cases"]
ALONG = ("rule", "owner", "result", "root_cause")
EXPAND = expand_parameter("contact", "response")
UNKNOWN_RESPONSE = "There is no such response, or it must stay hidden."
MEANWHILE = "Somebody changed the case since revision {sent}: it is at revision {now}. Read it again."
MERGED = "The case went into the case {into}. Change that one."
NEEDS_WORDS = "Say how it ended (`outcome`), or give a `result_id`: a case is closed with one of them."
_FIELD_OF = {"unknown_owner": "owner_id", "unknown_status": "status", "outcome_missing": "outcome"}
_SENTENCES = {
    "unknown_owner": "Nobody with this id works here.",
    "unknown_status": "There is no such status.",
    "outcome_missing": NEEDS_WORDS,
    "unknown_entry": "There is no such entry in your list.",
}


class CaseFilter(django_filters.FilterSet):
    """Narrows the list of cases."""

    status = django_filters.ChoiceFilter(choices=Case.Status.choices)
    open = YesNo(method="by_open", label="Open cases, or closed ones.")
    overdue = YesNo(method="by_overdue", label="Open past their time, or past that of the first contact; or not.")
    urgent = YesNo("is_urgent")
    owner = Words("owner__username", max_length=150, label="A user name.")
    owned = YesNo("owner", lookup_expr="isnull", exclude=True, label="Cases that are somebody's, or nobody's.")
    touchpoint = Words("response__touchpoint__key", max_length=60, label="Key of a touchpoint.")
    survey = Words("response__survey__key", max_length=60, label="Key of a survey.")
    contact = django_filters.UUIDFilter("contact_id", label="Id of a contact.")
    response = django_filters.UUIDFilter("response_id", label="Id of a response.")
    opened_since = Since("opened_at", "Opened at this time or later.")
    opened_until = Until("opened_at", "Opened before this time.")
    closed_since = Since("closed_at", "Closed at this time or later.")
    closed_until = Until("closed_at", "Closed before this time.")
    updated_since = Since("updated_at", "Changed at this time or later; these come in the order of change.")

    class Meta:
        model = Case
        fields = ()

    def by_open(self, rows: QuerySet[Case], _name: str, value: bool) -> QuerySet[Case]:
        return rows.filter(closed_at__isnull=value)

    def by_overdue(self, rows: QuerySet[Case], _name: str, value: bool) -> QuerySet[Case]:
        late = selectors.overdue(Case.objects.all(), now=timezone.now())
        return selectors.overdue(rows, now=timezone.now()) if value else rows.exclude(pk__in=late.values("pk"))


@extend_schema_view(
    list=extend_schema(summary="List cases", tags=TAGS, parameters=[EXPAND]),
    retrieve=extend_schema(summary="One case", tags=TAGS, parameters=[EXPAND]),
)
class CaseViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Cases, the last opened first. One that went into another is in no list; by its id it tells where it went."""

    queryset = Case.objects.select_related("response__survey", "response__touchpoint", *ALONG)
    serializer_class = CaseSerializer
    filterset_class: Any = CaseFilter
    lookup_value_converter = "uuid"
    write_scope = Scope.CASES_WRITE
    expandable = {"contact": ["contact"], "response": []}

    @property
    def page_ordering(self) -> tuple[str, ...]:  # type: ignore[override]
        """By the time of opening; whoever follows changes gets them in their order. Notes as they were written."""
        if self.action == "notes":
            return ("created_at", "pk")
        return ("updated_at", "pk") if "updated_since" in self.request.query_params else ("-opened_at", "-pk")

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset()
        if self.is_list:
            rows = selectors.visible(rows)
        if "response" in self.expanded() and not getattr(self, "swagger_fake_view", False):
            answers = Answer.objects.select_related("question").order_by("question__position", "question_id")
            found = with_promise(Response.objects.select_related("survey", "version", "touchpoint"))
            found = found.defer("version__definition").prefetch_related(Prefetch("answers", answers))
            # Loaded on its own, with what it is made of, rather than joined.
            contact = self.expanded() & {"contact"}
            rows = rows.select_related(None).select_related(*ALONG, *contact)
            rows = rows.prefetch_related(Prefetch("response", found))
        return rows

    def _told(self, case: Case) -> dict[str, Any]:
        """The case as a key may read it: who may not read is told its id."""
        if not self.get_serializer_context()["may_read"]:
            return {"id": str(case.pk)}
        return dict(self.get_serializer(get_object_or_404(self.get_queryset(), pk=case.pk)).data)

    @extend_schema(
        summary="Open a case for a response",
        tags=TAGS,
        parameters=[EXPAND],
        request=CaseOpenSerializer,
        responses={
            201: CaseSerializer,
            200: OpenApiResponse(CaseSerializer, "The response had a case already; it is told as it is."),
        },
        examples=[
            OpenApiExample("For a response", {"response_id": "0197a0c4-0000-7000-8000-000000000001"}, request_only=True)
        ],
    )
    def create(self, request: Request) -> rest.Response:
        """The rule that fits says whose it is, how urgent, and until when; a response has one case at most. A key
        without the scope `read` is told the id only."""
        body = CaseOpenSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        response_id, now = body.validated_data["response_id"], timezone.now()
        try:
            is_there = Case.objects.filter(response=response_id).exists()
            case = services.open_by_hand(response_id=response_id, by=None, now=now)
        except Response.DoesNotExist:
            raise WrongFieldsError([("response_id", UNKNOWN_RESPONSE)]) from None
        return rest.Response(self._told(case), status=200 if is_there else 201)

    @extend_schema(
        summary="Change a case, or close it",
        tags=TAGS,
        parameters=[EXPAND],
        request=CaseChangeSerializer,
        responses=CaseSerializer,
        examples=[
            OpenApiExample("Close it", {"status": "solved", "outcome": "Refunded, and apologised."}, request_only=True),
            OpenApiExample("Make it urgent", {"is_urgent": True}, request_only=True),
        ],
    )
    def partial_update(self, request: Request, pk: UUID) -> rest.Response:
        """Closing stamps the time, opening it again takes it away. 409: it went into another case, or was changed since
        the `revision` you sent. A key without the scope `read` is told the id only."""
        body = CaseChangeSerializer(data=request.data)
        row: Case = self.get_object()
        body.is_valid(raise_exception=True)
        revision = body.validated_data.get("revision")
        try:
            case = services.change(
                case_id=row.pk, revision=revision, changes=body.changes(), by=None, now=timezone.now()
            )
        except services.ChangedMeanwhileError as error:
            raise ConflictError(MEANWHILE.format(sent=revision, now=error.case.revision)) from None
        except services.MergedError as error:
            raise ConflictError(MERGED.format(into=error.case.merged_into_id)) from None
        except services.CaseError as error:
            field = _FIELD_OF.get(error.code, str(error))
            raise WrongFieldsError([(field, _SENTENCES[error.code])]) from None
        return rest.Response(self._told(case))

    @extend_schema(
        operation_id="cases_notes_list",
        summary="What colleagues wrote about a case",
        tags=TAGS,
        responses=CaseNoteSerializer(many=True),
    )
    @action(detail=True, filterset_class=None, lists=True, expandable={})
    def notes(self, request: Request, pk: UUID) -> rest.Response:
        """The first one first. Of a case that went into another they are there."""
        case = get_object_or_404(Case, pk=pk)
        rows = CaseNote.objects.filter(case=case).select_related("author").prefetch_related("mentions")
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(CaseNoteSerializer(page, many=True).data)

    @extend_schema(
        operation_id="cases_notes_create",
        summary="Add a note to a case",
        tags=TAGS,
        request=CaseNoteInSerializer,
        responses={201: CaseNoteSerializer},
        examples=[OpenApiExample("For a colleague", {"text": "@ada, please call back."}, request_only=True)],
    )
    @notes.mapping.post
    def add_note(self, request: Request, pk: UUID) -> rest.Response:
        """Whom it mentions (`@` and a user name or a full name) is told. 409: the case went into another one. A key
        without the scope `read` is told the id only."""
        case = get_object_or_404(Case, pk=pk)
        body = CaseNoteInSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            note = services.add_note(case_id=case.pk, text=body.validated_data["text"], by=None, now=timezone.now())
        except services.MergedError as error:
            raise ConflictError(MERGED.format(into=error.case.merged_into_id)) from None
        may_read = self.get_serializer_context()["may_read"]
        return rest.Response(CaseNoteSerializer(note).data if may_read else {"id": str(note.pk)}, status=201)
