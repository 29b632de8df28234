"""Webhooks: endpoints that are told what happens, what was sent to them, and sending it again."""

from datetime import timedelta
from typing import Any

import django_filters
from django.core.exceptions import ValidationError as ModelError
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiViewSet, key_ref
from apps.api.filters import Since, Until, Words, YesNo
from apps.api.problems import ConflictError, WrongFieldsError
from apps.api.resources.webhook_data import (
    DeliveryDetailSerializer,
    DeliverySerializer,
    EndpointSerializer,
    NewEndpointSerializer,
    ReplayInSerializer,
    ReplaySerializer,
    RotateSerializer,
    SecretSerializer,
    TestSerializer,
)
from apps.common import limits
from apps.integrations import endpoints, replays, webhooks
from apps.integrations.models import TEST, Attempt, Delivery, Endpoint, EventType, Replay, Scope

TAGS = ["webhooks"]
MAX_TESTS = 10
SWITCHED_OFF = "The endpoint is switched off. Switch it on first."
STILL_TRIED = "It is still being tried."
TOO_MANY_TESTS = f"An endpoint gets {MAX_TESTS} tests in a minute at most. Wait a minute."
TYPES = [(value, value) for value in (*EventType.values, TEST)]
BY_TIME = ("-created_at", "-pk")
LOG = Delivery.objects.defer("payload")
EXAMPLE = {"name": "CRM", "url": "https://crm.example/hooks/resonanz", "event_types": ["response.created"]}


class EndpointFilter(django_filters.FilterSet):
    """Narrows the list of endpoints."""

    is_active = YesNo()
    q = Words(method="by_words", max_length=100, label="Part of the name or the address.")

    class Meta:
        model = Endpoint
        fields = ()

    def by_words(self, rows: QuerySet[Endpoint], _name: str, value: str) -> QuerySet[Endpoint]:
        return rows.filter(Q(name__icontains=value) | Q(url__icontains=value))


class DeliveryFilter(django_filters.FilterSet):
    """Narrows an endpoint's log."""

    status = django_filters.ChoiceFilter(choices=Delivery.Status.choices)
    event_type = django_filters.ChoiceFilter(choices=TYPES)
    since = Since("created_at", "Happened at this time or later.")
    until = Until("created_at", "Happened before this time.")

    class Meta:
        model = Delivery
        fields = ()


@extend_schema_view(
    list=extend_schema(summary="List webhook endpoints", tags=TAGS),
    retrieve=extend_schema(summary="One webhook endpoint", tags=TAGS),
    create=extend_schema(
        summary="Add a webhook endpoint",
        tags=TAGS,
        responses={201: NewEndpointSerializer},
        examples=[OpenApiExample("A CRM", EXAMPLE, request_only=True)],
    ),
    partial_update=extend_schema(
        summary="Change a webhook endpoint, or switch it on or off",
        tags=TAGS,
        examples=[OpenApiExample("Switched off", {"is_active": False}, request_only=True)],
    ),
    destroy=extend_schema(summary="Delete a webhook endpoint with its log", tags=TAGS),
)
class EndpointViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, mixins.UpdateModelMixin,
    mixins.DestroyModelMixin, ApiViewSet,
):  # fmt: skip
    """Webhook endpoints, newest first. The signing secret is told when it is made, and never again. What was sent holds
    answers of every kind, so the log needs the scope `setup:write`, which could add an endpoint as well."""

    queryset = Endpoint.objects.all()
    serializer_class = EndpointSerializer
    filterset_class = EndpointFilter
    lookup_value_converter = "bigid"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    @property
    def repeatable(self) -> bool:  # type: ignore[override]
        """What was answered to an Idempotency-Key is stored as it is: no place for a secret, and a test is a test."""
        return self.action_map.get((self.request.method or "").lower()) not in {"create", "rotate", "test"}

    def scope_of(self, request: HttpRequest | Request) -> str:
        return Scope.SETUP_WRITE if self.action_map.get("get") == "deliveries" else super().scope_of(request)

    def get_serializer_class(self) -> Any:
        return NewEndpointSerializer if self.action == "create" else EndpointSerializer

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        return rows.defer("secret", "old_secret") if self.action == "list" else rows

    def perform_update(self, serializer: Any) -> None:
        before: Endpoint = serializer.instance
        was_active, url = before.is_active, before.url
        row = serializer.save()
        if row.is_active and (not was_active or row.url != url):
            endpoints.switch(endpoint_id=row.pk, on=True, now=timezone.now())
        elif was_active and not row.is_active:
            endpoints.switch(endpoint_id=row.pk, on=False, now=timezone.now())
        row.refresh_from_db()

    @extend_schema(
        summary="Replace the signing secret",
        tags=TAGS,
        request=RotateSerializer,
        responses=SecretSerializer,
        examples=[OpenApiExample("At leisure", {"overlap_seconds": 86400}, request_only=True)],
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def rotate(self, request: Request, pk: int) -> Response:
        """Makes a new secret. The old one signs along for `overlap_seconds`, so that nothing fails meanwhile."""
        body = RotateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        overlap = timedelta(seconds=body.validated_data["overlap_seconds"])
        row = endpoints.rotate(endpoint_id=self.get_object().pk, now=timezone.now(), overlap=overlap)
        return Response(SecretSerializer(row).data)

    @extend_schema(
        summary="Send a test",
        tags=TAGS,
        request=None,
        responses={200: OpenApiResponse(TestSerializer, "What came of it, good or bad.")},
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def test(self, request: Request, pk: int) -> Response:
        """Sends a signed `webhook.test` at once, also to an endpoint that is off, and waits for the answer."""
        row = self.get_object()
        if limits.count_for("webhook-test", str(row.pk)) > MAX_TESTS:
            raise ConflictError(TOO_MANY_TESTS)
        tried = endpoints.send_test(endpoint_id=row.pk, now=timezone.now())
        if tried is None:
            raise ConflictError("The endpoint was deleted meanwhile.")
        return Response(TestSerializer(tried).data)

    @extend_schema(
        operation_id="webhooks_deliveries_list",
        summary="What was sent to an endpoint",
        tags=TAGS,
        responses=DeliverySerializer(many=True),
    )
    @action(detail=True, queryset=LOG, filterset_class=DeliveryFilter, lists=True, page_ordering=BY_TIME)
    def deliveries(self, request: Request, pk: int) -> Response:
        """The last thirty days, newest first."""
        row = get_object_or_404(Endpoint, pk=pk)
        rows = self.filter_queryset(self.get_queryset().filter(endpoint=row))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(DeliverySerializer(page, many=True).data)

    @extend_schema(
        summary="Send a span of time again",
        tags=TAGS,
        request=ReplayInSerializer,
        responses={202: ReplaySerializer},
        examples=[
            OpenApiExample(
                "What failed in a night",
                {"since": "2026-03-01T22:00:00Z", "until": "2026-03-02T06:00:00Z", "status": "failed"},
                request_only=True,
            )
        ],
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def replay(self, request: Request, pk: int) -> Response:
        """Sends all finished deliveries of the time once more, under their old ids; `status` and `event_type` narrow
        it down. How far it is shows at `/webhooks/{id}/replays`."""
        row = self.get_object()
        body = ReplayInSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        by = f"API: {key_ref(request).name}"
        try:
            replay = replays.start(endpoint=row, now=timezone.now(), by=by, **body.validated_data)
        except ModelError as error:
            if hasattr(error, "error_dict"):
                told = [(name, text) for name, texts in error.message_dict.items() for text in texts]
                raise WrongFieldsError(told) from None
            raise ConflictError(" ".join(error.messages)) from None
        return Response(ReplaySerializer(replay).data, status=202)

    @extend_schema(
        operation_id="webhooks_replays_list",
        summary="How far repetitions are",
        tags=TAGS,
        responses=ReplaySerializer(many=True),
    )
    @action(detail=True, queryset=Replay.objects.all(), filterset_class=None, lists=True, page_ordering=BY_TIME)
    def replays(self, request: Request, pk: int) -> Response:
        """The last thirty days, newest first."""
        row = get_object_or_404(Endpoint, pk=pk)
        page = self.paginate_queryset(self.get_queryset().filter(endpoint=row)) or []
        known = replays.progress_of_all(page)
        return self.get_paginated_response(ReplaySerializer(page, many=True, context={"progress": known}).data)


@extend_schema_view(retrieve=extend_schema(summary="One delivery, with all its tries", tags=TAGS))
class DeliveryViewSet(mixins.RetrieveModelMixin, ApiViewSet):
    """What was sent to an endpoint, and what came back."""

    queryset = Delivery.objects.select_related("endpoint").prefetch_related(
        Prefetch("attempts", Attempt.objects.order_by("at", "pk"))
    )
    serializer_class = DeliveryDetailSerializer
    lookup_value_converter = "uuid"
    read_scope = Scope.SETUP_WRITE

    @extend_schema(summary="Send a delivery again", tags=TAGS, request=None, responses={202: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: Any) -> Response:
        """Under its old id: a receiver that remembers ids takes nothing twice."""
        row: Delivery = self.get_object()
        if not webhooks.redeliver(ids=[row.pk], now=timezone.now()):
            raise ConflictError(STILL_TRIED if row.endpoint.is_active else SWITCHED_OFF)
        row.refresh_from_db()
        return Response(DeliverySerializer(row).data, status=202)
