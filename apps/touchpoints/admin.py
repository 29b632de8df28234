"""The journey's stages and touchpoints; what happened there."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from apps.common.admin import BaseAdmin, FlowAdmin
from apps.common.admin_site import tenant_admin
from apps.touchpoints.arranging import renumber
from apps.touchpoints.models import Event, Stage, Touchpoint


@admin.register(Stage, site=tenant_admin)
class StageAdmin(BaseAdmin):
    list_display = ("__str__", "key", "parent", "position", "number_of_touchpoints")
    list_select_related = ("parent",)
    list_editable = ("position",)
    search_fields = ("key", "name")

    def save_model(self, request: HttpRequest, obj: Stage, form: Any, change: bool) -> None:
        """A sub-step stands after its stage on the map."""
        super().save_model(request, obj, form, change)
        if "parent" in form.changed_data:
            renumber()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Stage]:
        return super().get_queryset(request).annotate(touchpoint_count=Count("touchpoints"))

    @admin.display(description=_("touchpoints"))
    def number_of_touchpoints(self, stage: Any) -> int:
        return stage.touchpoint_count


@admin.register(Touchpoint, site=tenant_admin)
class TouchpointAdmin(BaseAdmin):
    list_display = ("__str__", "key", "stage", "legal_basis", "position", "is_active")
    list_filter = ("is_active", "stage", "legal_basis")
    list_select_related = ("stage",)
    search_fields = ("key", "name")


@admin.register(Event, site=tenant_admin)
class EventAdmin(FlowAdmin):
    list_display = ("occurred_at", "touchpoint", "contact", "source", "external_id", "state", "error")
    list_filter = ("status", "touchpoint", "source")
    list_select_related = ("touchpoint", "contact")
    search_fields = ("=external_id", "contact__email", "contact__name", "=contact__external_id")
    search_help_text = _("External id of the event, or name, e-mail or external id of the contact")
    date_hierarchy = "occurred_at"
    ordering = ("-occurred_at",)
    paginator = InfinitePaginator

    @display(description=_("status"), ordering="status", label={"pending": "info", "failed": "danger"})
    def state(self, event: Event) -> tuple[str, str]:
        return event.status, event.get_status_display()
