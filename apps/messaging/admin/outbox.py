"""The outbox."""

import re

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from apps.common.admin import FlowAdmin
from apps.common.admin_site import tenant_admin
from apps.messaging.models import OutgoingEmail
from apps.messaging.parcels import as_sent
from apps.messaging.services import requeue

_LINK = re.compile(r"(https?://[^/\s<>\"']+(?:/[a-z]+)?)[^\s<>\"']*")


@admin.register(OutgoingEmail, site=tenant_admin)
class OutgoingEmailAdmin(FlowAdmin):
    list_display = ("queued_at", "to_email", "subject", "state", "attempts", "sent_at", "last_error")
    list_filter = ("status",)
    search_fields = ("to_email", "subject", "=message_id", "=reason")
    search_help_text = _("Address, subject, message id or reason")
    date_hierarchy = "queued_at"
    ordering = ("-queued_at", "-id")
    paginator = InfinitePaginator
    fieldsets = (
        (None, {"fields": ("from_header", "to_name", "to_email", "reply_to", "subject", "text_without_links")}),
        (
            _("Delivery"),
            {"fields": ("status", "attempts", "last_error", "due_at", "queued_at", "sent_at", "message_id", "reason")},
        ),
    )
    readonly_fields = ("text_without_links",)
    actions = ("send_again",)

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.change_outgoingemail")

    @admin.action(description=_("Try failed e-mails again"), permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[OutgoingEmail]) -> None:
        count = requeue(email_ids=list(queryset.values_list("pk", flat=True)), now=timezone.now())
        text = ngettext("%(count)d e-mail waits again.", "%(count)d e-mails wait again.", count)
        self.message_user(request, text % {"count": count})

    @admin.display(description=_("text"))
    def text_without_links(self, mail: OutgoingEmail) -> str:
        """Links are personal: whoever has one can answer in the contact's name."""
        sent = as_sent(mail)
        return _LINK.sub(r"\1/…", sent.text) if sent else "–"

    @display(
        description=_("status"),
        ordering="status",
        label={
            "queued": "info", "sending": "info", "sent": "success", "delivered": "success", "bounced": "danger",
            "complained": "danger", "failed": "danger", "unknown": "warning", "revoked": "warning",
        },
    )  # fmt: skip
    def state(self, mail: OutgoingEmail) -> tuple[str, str]:
        return mail.status, mail.get_status_display()
