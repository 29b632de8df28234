"""Voucher pools: codes of one kind, what each is worth, and how many are left."""

from collections.abc import Mapping
from typing import Any

import django_filters
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers

from apps.api.base import ApiViewSet
from apps.api.fields import Cleaned, OptionalTextsField, TextsField
from apps.api.filters import Words, YesNo
from apps.incentives import stock
from apps.incentives.figures import Figures, figures_of
from apps.incentives.models import VoucherPool

TAGS = ["vouchers"]
EXAMPLE = {
    "name": "Sorry, 10 %",
    "value": {"en": "10 % off", "de": "10 % Rabatt"},
    "kind": "generated",
    "pattern": "SORRY-####-####",
    "valid_days": 30,
    "max_per_month": 500,
    "unit_cost": "4.50",
    "currency": "EUR",
}


class FiguresSerializer(serializers.Serializer[Figures]):
    """What came of a pool."""

    free = serializers.IntegerField(help_text="Codes in stock.")
    given = serializers.IntegerField(help_text="Ever given out, whatever became of it.")
    redeemed = serializers.IntegerField()
    expired = serializers.IntegerField()
    withdrawn = serializers.IntegerField()
    orders = serializers.DecimalField(20, 2, help_text="What the orders came to in which vouchers were redeemed.")
    cost = serializers.DecimalField(20, 2, allow_null=True, help_text="What the redeemed ones cost, if that is known.")


class VoucherPoolSerializer(Cleaned):
    """Codes of one kind."""

    fixed = ("kind",)
    value = TextsField(help_text="What a voucher is worth, as people read it: a text per language.")
    terms: Any = OptionalTextsField(required=False, help_text="Small print: a text per language.")

    class Meta:
        model = VoucherPool
        fields: tuple[str, ...] = (
            "id", "name", "value", "terms", "kind", "pattern", "is_active", "ends_on", "valid_days", "max_issued",
            "max_per_month", "unit_cost", "currency", "low_stock", "is_low", "created_at",
        )  # fmt: skip
        read_only_fields = ("is_low", "created_at")
        extra_kwargs: dict[str, Any] = {"name": {"validators": []}}  # The model says it.

    def _save(self, row: VoucherPool, values: Mapping[str, Any]) -> VoucherPool:
        self.apply(row, values)
        stock.save_pool(pool=row, fields=values, now=timezone.now())
        return row


class VoucherPoolDetailSerializer(VoucherPoolSerializer):
    """With its figures."""

    figures = serializers.SerializerMethodField()

    class Meta(VoucherPoolSerializer.Meta):
        fields = (*VoucherPoolSerializer.Meta.fields, "figures")

    @extend_schema_field(FiguresSerializer)
    def get_figures(self, pool: VoucherPool) -> Any:
        return FiguresSerializer(figures_of([pool])[pool.pk]).data


class VoucherPoolFilter(django_filters.FilterSet):
    """Narrows the list of pools."""

    q = Words("name", lookup_expr="icontains", max_length=100, label="Part of the name.")
    kind = django_filters.ChoiceFilter(choices=VoucherPool.Kind.choices)
    is_active = YesNo()
    is_low = YesNo(label="Whether it runs out.")

    class Meta:
        model = VoucherPool
        fields = ()


@extend_schema_view(
    list=extend_schema(summary="List voucher pools", tags=TAGS),
    retrieve=extend_schema(summary="One voucher pool, with its figures", tags=TAGS),
    create=extend_schema(
        summary="Make a voucher pool",
        tags=TAGS,
        examples=[OpenApiExample("Codes made here", EXAMPLE, request_only=True)],
    ),
    partial_update=extend_schema(
        summary="Change a voucher pool, or switch it off",
        tags=TAGS,
        examples=[OpenApiExample("A larger budget", {"max_per_month": 800}, request_only=True)],
    ),
)
class VoucherPoolViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, mixins.UpdateModelMixin, ApiViewSet
):
    """Voucher pools, newest first. Codes are uploaded in the workspace. A pool is not deleted but switched off: what
    was given out goes on holding."""

    queryset = VoucherPool.objects.all()
    serializer_class = VoucherPoolSerializer
    filterset_class = VoucherPoolFilter
    lookup_value_converter = "bigid"
    http_method_names = ["get", "post", "patch", "head", "options"]

    def get_serializer_class(self) -> Any:
        return VoucherPoolDetailSerializer if self.action == "retrieve" else VoucherPoolSerializer
