"""Vouchers: every code with what became of it, and a shop's word that one was redeemed."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base import ApiViewSet, Strict
from apps.api.fields import WrittenTextsField
from apps.api.filters import Whole, Words
from apps.api.problems import ConflictError, WrongFieldsError
from apps.incentives import codes, services
from apps.incentives.models import PLAIN_CODE, Voucher
from apps.integrations.models import Scope

TAGS = ["vouchers"]
UNKNOWN = "There is no voucher with this code."
REFUSED = {
    "not_issued": "This code was never given out.",
    "withdrawn": "This voucher was withdrawn.",
    "expired": "This voucher was out of date at that time.",
    "redeemed": "This voucher was redeemed before, with another order or with none.",
}
WRONG_TIME = "must not lie in the future, nor before the voucher was given out."


class VoucherSerializer(serializers.ModelSerializer[Voucher]):
    """One code."""

    pool: Any = serializers.IntegerField(source="pool_id", help_text="Id of its pool.")
    response_id = serializers.UUIDField(allow_null=True)
    contact_id = serializers.UUIDField(allow_null=True)
    order = serializers.CharField(source="order_reference")
    amount = serializers.DecimalField(12, 2, source="order_amount", allow_null=True, help_text="Value of the order.")

    class Meta:
        model = Voucher
        fields = (
            "id", "pool", "code", "status", "response_id", "contact_id", "issued_at", "valid_until", "redeemed_at",
            "order", "amount",
        )  # fmt: skip


class RedeemSerializer(Strict):
    """A shop's word that a code was redeemed."""

    code = serializers.CharField(max_length=codes.MAX_CODE, help_text="In capital or small letters.")
    order = serializers.CharField(max_length=100, required=False, allow_blank=True, help_text="The order's number.")
    amount = serializers.DecimalField(
        12, 2, min_value=0, required=False, allow_null=True, help_text="What the order came to, in the pool's currency."
    )
    redeemed_at = serializers.DateTimeField(required=False, help_text="Default: now.")


class RedeemedSerializer(serializers.Serializer[Voucher]):
    """A voucher that is redeemed, as far as a shop needs to know it."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    pool: Any = serializers.CharField(help_text="Name of its pool.")
    value: Any = WrittenTextsField(source="pool.value", help_text="What it is worth: a text per language.")
    redeemed_at = serializers.DateTimeField()
    order = serializers.CharField(source="order_reference", allow_blank=True)
    amount = serializers.DecimalField(12, 2, source="order_amount", allow_null=True)


class VoucherFilter(django_filters.FilterSet):
    """Narrows the list of vouchers."""

    code = Words(method="by_code", max_length=codes.MAX_CODE, label="The whole code, in capital or small letters.")
    pool = Whole("pool", label="Id of a pool.")
    status = django_filters.ChoiceFilter(choices=Voucher.Status.choices)
    contact = django_filters.UUIDFilter("contact", label="Id of a contact.")
    response = django_filters.UUIDFilter("response", label="Id of a response.")

    class Meta:
        model = Voucher
        fields = ()

    def by_code(self, rows: QuerySet[Voucher], _name: str, value: str) -> QuerySet[Voucher]:
        return rows.annotate(plain=PLAIN_CODE).filter(plain=codes.plain(value))


@extend_schema_view(
    list=extend_schema(summary="List vouchers", tags=TAGS),
    retrieve=extend_schema(summary="One voucher", tags=TAGS),
)
class VoucherViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Vouchers, newest first. Whoever reads them could redeem them: give the scope `read` to those only who may."""

    queryset = Voucher.objects.all()
    serializer_class = VoucherSerializer
    filterset_class = VoucherFilter
    lookup_value_converter = "uuid"
    write_scope = Scope.VOUCHERS_WRITE

    @extend_schema(
        summary="Redeem a voucher",
        tags=TAGS,
        request=RedeemSerializer,
        responses={
            200: RedeemedSerializer,
            404: OpenApiResponse(description="There is no voucher with this code."),
        },
        examples=[
            OpenApiExample(
                "At the end of an order",
                {"code": "SORRY-7K3M-XQ9P", "order": "A-1001", "amount": "129.90"},
                request_only=True,
            )
        ],
    )
    @action(detail=False, methods=["post"], filterset_class=None)
    def redeem(self, request: Request) -> Response:
        """Call it once an order with the code is placed. The same `order` again gets the same answer; without `order`
        repeat it with an `Idempotency-Key`, since nothing else tells two orders apart. `409` says why a code is not
        accepted: redeemed with another order, out of date, withdrawn, or never given out. What was valid
        at `redeemed_at` is accepted, however late you tell us."""
        body = RedeemSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        told = body.validated_data
        try:
            done = services.redeemed(
                code=told["code"],
                order=told.get("order", ""),
                amount=told.get("amount"),
                at=told.get("redeemed_at"),
                now=timezone.now(),
            )
        except services.RedemptionError as error:
            raise _refusal(error.code) from None
        return Response(RedeemedSerializer(done.voucher).data)


def _refusal(code: str) -> Exception:
    if code == "unknown":
        return NotFound(UNKNOWN)
    if code == "time":
        return WrongFieldsError([("redeemed_at", WRONG_TIME)])
    return ConflictError(REFUSED[code])
