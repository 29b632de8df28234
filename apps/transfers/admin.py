"""Imports, read only: they are started, stopped and undone in the workspace and by the API."""

from django.contrib import admin

from apps.common.admin import FlowAdmin
from apps.common.admin_site import tenant_admin
from apps.transfers.models import Import


@admin.register(Import, site=tenant_admin)
class ImportAdmin(FlowAdmin):
    list_display = ("created_at", "file_name", "kind", "status", "rows_done", "created", "updated", "bad")
    list_filter = ("kind", "status")
    search_fields = ("file_name",)
    ordering = ("-created_at", "-id")
