"""Senders, the outbox, and addresses that must not be mailed."""

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from apps.common.admin import BaseAdmin, FlowAdmin
from apps.common.admin_site import tenant_admin
from apps.messaging.models import OutgoingEmail, Sender, Suppression
from apps.messaging.services import address_hash, requeue

_LINK = re.compile(r"(https?://[^/\s<>\"']+(?:/[a-z]+)?)[^\s<>\"']*")


@admin.register(Sender, site=tenant_admin)
class SenderAdmin(BaseAdmin):
    list_display = ("name", "email", "reply_to", "is_default")
    list_filter = ("is_default",)
    search_fields = ("name", "email")


class SuppressionForm(forms.ModelForm):
    """An address to be blocked by hand."""

    class Meta:
        model = Suppression
        fields = ("email", "source")
        labels = {"source": _("Why")}
        help_texts = {"email": ""}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "email" in self.fields:
            self.fields["email"].required = True

    def clean_email(self) -> str:
        email = self.cleaned_data["email"].strip().lower()
        if Suppression.objects.filter(address_hash=address_hash(email)).exists():
            raise ValidationError(_("This address is blocked already."))
        return email


@admin.register(Suppression, site=tenant_admin)
class SuppressionAdmin(BaseAdmin):
    """Entered by hand here; only such entries can be taken back, an objection cannot."""

    form = SuppressionForm
    list_display = ("created_at", "address", "why", "source")
    list_filter = ("reason",)
    search_fields = ("=email", "source")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    paginator = InfinitePaginator

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("email", "source") if obj is None else ("email", "reason", "source", "created_at")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        by_hand = obj is not None and obj.reason == Suppression.Reason.MANUAL
        return by_hand and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Suppression, form: Any, change: bool) -> None:
        obj.address_hash = address_hash(obj.email)
        obj.reason = Suppression.Reason.MANUAL
        obj.created_at = timezone.now()
        super().save_model(request, obj, form, change)

    @admin.display(description=_("e-mail"), ordering="email")
    def address(self, suppression: Suppression) -> Any:
        return suppression.email or _("(erased)")

    @display(
        description=_("reason"),
        ordering="reason",
        label={"unsubscribed": "info", "bounced": "warning", "complained": "danger", "manual": "primary"},
    )
    def why(self, suppression: Suppression) -> tuple[str, str]:
        return suppression.reason, suppression.get_reason_display()


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
        return _LINK.sub(r"\1/…", mail.text)

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
