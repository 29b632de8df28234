"""Suppressions: addresses that must not be written to."""

from typing import Any

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiViewSet, Strict, key_ref
from apps.api.filters import Since, Until
from apps.api.problems import ConflictError, WrongFieldsError
from apps.contacts.ledger import home_calendar
from apps.integrations.models import Scope
from apps.messaging import suppressions
from apps.messaging.models import Suppression
from apps.messaging.suppression_files import is_address
from apps.messaging.suppressions import Entry, address_hash, plain_address

TAGS = ["suppressions"]
STATES = [("in_force", "in force"), ("lifted", "lifted"), ("all", "both")]
NO_ADDRESS = "must be an e-mail address, or a telephone number with its country."
BOUND = "Its owner unsubscribed or complained: only their new, confirmed consent can take that back."
MAX_BECAUSE = 200


class SuppressionSerializer(serializers.ModelSerializer[Suppression]):
    """An address that must not be written to. It is kept as a keyed hash, so that it outlives its contact's erasure."""

    address = serializers.CharField(source="email", help_text="Empty after the contact was erased.")

    class Meta:
        model = Suppression
        fields = (
            "id", "address", "reason", "source", "created_at", "lifted_at", "lifted_because", "lifted_by",
        )  # fmt: skip


class SuppressionInSerializer(Strict):
    """An address to block."""

    address = serializers.CharField(max_length=254, help_text="An e-mail address, or a telephone number.")
    reason = serializers.ChoiceField(
        Suppression.Reason.choices,
        default=Suppression.Reason.MANUAL,
        help_text="What a person said themselves (unsubscribed, complained) takes the place of another reason, and "
        "can only be taken back by them.",
    )
    source: Any = serializers.CharField(
        max_length=120, required=False, allow_blank=True, help_text="Default: the key's name."
    )

    def validate_address(self, value: str) -> str:
        address = plain_address(value, home_calendar().country)
        if not is_address(address):
            raise serializers.ValidationError(NO_ADDRESS)
        return address


class SuppressionFilter(django_filters.FilterSet):
    """Narrows the list of suppressions."""

    address = django_filters.CharFilter(method="by_address", max_length=254, label="The whole address.")
    reason = django_filters.ChoiceFilter(choices=Suppression.Reason.choices)
    state = django_filters.ChoiceFilter(method="by_state", choices=STATES, label="Default: in force.")
    since = Since("created_at", "Blocked at this time or later.")
    until = Until("created_at", "Blocked before this time.")

    class Meta:
        model = Suppression
        fields = ()

    def by_address(self, rows: QuerySet[Suppression], _name: str, value: str) -> QuerySet[Suppression]:
        """By its hash: also one whose contact was erased is found by whoever knows the address."""
        return rows.filter(address_hash=address_hash(plain_address(value, home_calendar().country)))

    def by_state(self, rows: QuerySet[Suppression], _name: str, value: str) -> QuerySet[Suppression]:
        return rows if value == "all" else rows.filter(lifted_at__isnull=value == "in_force")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("state") else found.filter(lifted_at=None)


@extend_schema_view(
    list=extend_schema(summary="List suppressions", tags=TAGS),
    retrieve=extend_schema(summary="One suppression", tags=TAGS),
)
class SuppressionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Suppressions, newest first; those that were lifted stay as history."""

    queryset = Suppression.objects.all()
    serializer_class = SuppressionSerializer
    filterset_class = SuppressionFilter
    page_ordering = ("-created_at", "-pk")
    lookup_value_converter = "bigid"
    write_scope = Scope.SUPPRESSIONS_WRITE

    def known_parameters(self) -> set[str]:
        return super().known_parameters() | ({"because"} if self.action == "destroy" else set())

    @extend_schema(
        summary="Block an address",
        tags=TAGS,
        request=SuppressionInSerializer,
        responses={
            201: SuppressionSerializer,
            200: OpenApiResponse(
                SuppressionSerializer, "It was blocked before, and keeps its reason if that is firmer."
            ),
        },
        examples=[
            OpenApiExample("An objection", {"address": "ada@example.com", "reason": "unsubscribed"}, request_only=True)
        ],
    )
    def create(self, request: Request) -> Response:
        """From now on nothing goes there any more; what waits for delivery is held back as well."""
        body = SuppressionInSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        entry = Entry(values["address"], values["reason"], values.get("source") or key_ref(request).name)
        with transaction.atomic():
            count = suppressions.add(entries=[entry], now=timezone.now())
            row = Suppression.objects.get(address_hash=address_hash(entry.address), lifted_at=None)
        return Response(SuppressionSerializer(row).data, status=201 if count else 200)

    @extend_schema(
        summary="Lift a suppression",
        tags=TAGS,
        parameters=[
            OpenApiParameter(
                "because",
                {"type": "string", "minLength": 1, "maxLength": MAX_BECAUSE},
                required=True,
                description="Why the address may be written to again; it is kept with the entry.",
            )
        ],
        responses={204: None},
    )
    def destroy(self, request: Request, pk: int) -> Response:
        """What bounced, or was blocked by hand or by an import, may have been a mistake. Whoever unsubscribed or
        complained can only take that back themselves (409)."""
        row = self.get_object()
        because = " ".join(request.query_params.get("because", "").split())
        if not because or len(because) > MAX_BECAUSE or "\x00" in because:
            raise WrongFieldsError([("because", f"is required, with at most {MAX_BECAUSE} characters.")])
        by, now = f"API: {key_ref(request).name}"[:150], timezone.now()
        if suppressions.lift(ids=[row.pk], because=because, by=by, now=now).refused:
            raise ConflictError(BOUND)
        return Response(status=204)
