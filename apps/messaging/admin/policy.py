"""What holds for all messages of the tenant."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from apps.common.admin import SingletonAdmin
from apps.common.admin_site import tenant_admin
from apps.messaging.models import MailPolicy


@admin.register(MailPolicy, site=tenant_admin)
class MailPolicyAdmin(SingletonAdmin):
    """One row. A shorter time for keeping words holds for what was sent before, too."""

    fieldsets = (
        (None, {"fields": ("keep_bodies_days", "bodies_deleted_until")}),
        (_("What mail services report"), {"fields": ("soft_bounces", "learns_from_opens")}),
        (_("Text messages"), {"fields": ("sms_use",)}),
    )
    readonly_fields = ("bodies_deleted_until",)
