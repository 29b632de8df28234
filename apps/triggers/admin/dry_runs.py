"""Dry runs, read only: they are started from a rule or the contact budget, and watched in the workspace."""

from django.contrib import admin

from apps.common.admin import FlowAdmin
from apps.common.admin_site import tenant_admin
from apps.triggers.models import DryRun


@admin.register(DryRun, site=tenant_admin)
class DryRunAdmin(FlowAdmin):
    list_display = ("created_at", "title", "status", "events_done", "events_total")
    list_filter = ("status",)
    search_fields = ("title",)
    ordering = ("-created_at", "-id")
