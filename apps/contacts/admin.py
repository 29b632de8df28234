"""Contacts, companies, why we may write to them, and how often we do."""

from typing import Any

from django.contrib import admin
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from apps.common.admin import BaseAdmin, BaseTabular, FlowAdmin, SingletonAdmin
from apps.common.admin_site import tenant_admin
from apps.contacts.ledger import ZONE_KEY
from apps.contacts.models import BusinessCalendar, Company, Contact, ContactBudget, LegalBasis, Outreach


@admin.register(Company, site=tenant_admin)
class CompanyAdmin(BaseAdmin):
    list_display = ("name", "external_id")
    search_fields = ("name", "=external_id")
    ordering = ("name",)
    paginator = InfinitePaginator


PLACE = ("time_zone", "country", "region")


class LegalBasisInline(BaseTabular):
    model = LegalBasis
    fields = ("kind", "source", "text_version", "granted_at", "revoked_at")


@admin.register(Contact, site=tenant_admin)
class ContactAdmin(BaseAdmin):
    inlines = (LegalBasisInline,)
    autocomplete_fields = ("company",)
    fields = ("name", "email", "external_id", "locale", "company", *PLACE, "properties", "created_at", "updated_at")
    readonly_fields = ("created_at", "updated_at")
    list_display = ("__str__", "email", "external_id", "locale", "company", "created_at")
    list_filter = ("locale",)
    list_select_related = ("company",)
    search_fields = ("name", "email", "=external_id", "company__name")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    paginator = InfinitePaginator

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting the row would leave what was sent about the contact elsewhere; erasing is a service's work."""
        return False


@admin.register(LegalBasis, site=tenant_admin)
class LegalBasisAdmin(FlowAdmin):
    list_display = ("granted_at", "contact", "kind", "source", "text_version", "revoked_at")
    list_filter = ("kind", "source", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("contact",)
    search_fields = ("contact__email", "contact__name", "source")
    date_hierarchy = "granted_at"
    ordering = ("-granted_at", "-id")
    paginator = InfinitePaginator


@admin.register(Outreach, site=tenant_admin)
class OutreachAdmin(FlowAdmin):
    list_display = ("at", "contact", "kind", "budget_state", "reason")
    list_filter = ("kind", "state")
    list_select_related = ("contact",)
    search_fields = ("contact__email", "contact__name", "=reason")
    date_hierarchy = "at"
    ordering = ("-at", "-id")
    paginator = InfinitePaginator

    @display(
        description=_("state"),
        ordering="state",
        label={"reserved": "info", "spent": "success", "released": "warning"},
    )
    def budget_state(self, outreach: Outreach) -> tuple[str, str]:
        return outreach.state, outreach.get_state_display()


@admin.register(BusinessCalendar, site=tenant_admin)
class BusinessCalendarAdmin(SingletonAdmin):
    """One row: the tenant's own clock and holidays."""

    fields = PLACE

    def save_model(self, request: HttpRequest, row: BusinessCalendar, form: Any, change: bool) -> None:
        super().save_model(request, row, form, change)
        cache.delete(ZONE_KEY)


@admin.register(ContactBudget, site=tenant_admin)
class ContactBudgetAdmin(SingletonAdmin):
    """One row: how often a contact may be approached."""
