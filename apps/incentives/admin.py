"""Voucher pools, and the vouchers of each to look at."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from apps.common.admin import BaseAdmin, FlowAdmin
from apps.common.admin_site import tenant_admin
from apps.incentives import stock
from apps.incentives.models import Voucher, VoucherPool


@admin.register(VoucherPool, site=tenant_admin)
class VoucherPoolAdmin(BaseAdmin):
    """Plain configuration; codes are uploaded in the workspace."""

    fieldsets = (
        (None, {"fields": ("name", "value", "terms", "kind", "pattern", "is_active")}),
        (_("How long"), {"fields": ("ends_on", "valid_days")}),
        (_("How many"), {"fields": ("max_issued", "max_per_month", "low_stock")}),
        (_("Cost"), {"fields": ("unit_cost", "currency")}),
    )
    list_display = ("name", "kind", "is_active", "is_low", "ends_on", "max_issued", "max_per_month")
    list_filter = ("is_active", "is_low", "kind")
    search_fields = ("name",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What its codes are is settled when the pool is made."""
        return ("kind",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: VoucherPool | None = None) -> bool:
        """A pool with vouchers stays: it is switched off."""
        return super().has_delete_permission(request, obj) and not (obj and obj.vouchers.exists())

    def save_model(self, request: HttpRequest, obj: VoucherPool, form: Any, change: bool) -> None:
        stock.save_pool(pool=obj, fields=form.cleaned_data, now=timezone.now())


@admin.register(Voucher, site=tenant_admin)
class VoucherAdmin(FlowAdmin):
    list_display = ("code", "pool", "state", "contact", "issued_at", "valid_until", "redeemed_at", "order_reference")
    list_filter = ("status", "pool")
    list_select_related = ("pool", "contact")
    search_fields = ("code__istartswith", "contact__email", "contact__name", "order_reference")
    ordering = ("-id",)
    paginator = InfinitePaginator

    @display(
        description=_("status"),
        ordering="status",
        label={"free": "info", "issued": "info", "redeemed": "success", "expired": "warning", "withdrawn": "danger"},
    )
    def state(self, voucher: Voucher) -> tuple[str, str]:
        return voucher.status, voucher.get_status_display()
