"""Who was invited."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from apps.common.admin import FlowAdmin
from apps.common.admin_site import tenant_admin
from apps.surveys.models import Invitation


@admin.register(Invitation, site=tenant_admin)
class InvitationAdmin(FlowAdmin):
    list_display = ("created_at", "contact", "survey", "touchpoint", "state", "status_reason", "send_at")
    list_filter = ("status", "survey", "touchpoint")
    list_select_related = ("contact", "survey", "touchpoint")
    search_fields = ("contact__email", "contact__name", "=contact__external_id", "=reason")
    search_help_text = _("Name, e-mail or external id of the contact")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    paginator = InfinitePaginator

    @display(
        description=_("status"),
        ordering="status",
        label={"scheduled": "info", "queued": "success", "shown": "success", "revoked": "warning", "expired": "danger"},
    )
    def state(self, invitation: Invitation) -> tuple[str, str]:
        return invitation.status, invitation.get_status_display()
