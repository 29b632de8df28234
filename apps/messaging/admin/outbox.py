"""The outbox."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator

from apps.common.admin import BaseTabular, FlowAdmin, ReadOnly
from apps.common.admin_site import tenant_admin
from apps.messaging import by_hand
from apps.messaging.links import masked
from apps.messaging.models import DeliveryEvent, OutgoingEmail
from apps.messaging.parcels import as_sent

MOST = 100
"""So many ids fit into an address."""
TITLES = {
    by_hand.HAS_LEFT: _("These messages arrived, or at least left?"),
    by_hand.SEND_NOW: _("These messages did not leave: send them now?"),
    by_hand.RETRY: _("Try to send these messages again?"),
}


class DeliveryEventInline(ReadOnly, BaseTabular):
    """What mail services reported."""

    model = DeliveryEvent
    fields = ("kind", "at", "detail")
    ordering = ("at", "id")


@admin.register(OutgoingEmail, site=tenant_admin)
class OutgoingEmailAdmin(FlowAdmin):
    inlines = (DeliveryEventInline,)
    list_display = ("queued_at", "to_email", "subject", "state", "attempts", "sent_at", "last_error")
    list_filter = ("status", "channel")
    search_fields = ("to_email", "subject", "=message_id", "=reason", "=stream")
    search_help_text = _("Address, subject, message id, reason or what it belongs to (survey:3)")
    date_hierarchy = "queued_at"
    ordering = ("-queued_at", "-id")
    paginator = InfinitePaginator
    fieldsets = (
        (None, {"fields": ("from_header", "to_name", "to_email", "reply_to", "subject", "text_without_links")}),
        (
            _("Delivery"),
            {
                "fields": (
                    "channel", "status", "stream", "relay", "attempts", "last_error", "due_at", "queued_at", "sent_at",
                    "message_id", "esp_id", "reason",
                )
            },
        ),
    )  # fmt: skip
    readonly_fields = ("text_without_links",)
    actions = ("send_again", "have_left", "send_now")
    actions_detail = ("send_again_this", "has_left_this", "send_now_this")

    def has_send_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(by_hand.PERMISSION))

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutgoingEmail]:
        # Pages of the list show nothing of them, and they are long.
        return super().get_queryset(request).defer("values", "headers")

    @admin.action(description=_("Failed ones: try again …"), permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[OutgoingEmail]) -> HttpResponse:
        return self._ask(by_hand.RETRY, queryset.values_list("pk", flat=True)[:MOST])

    @admin.action(description=_("Unknown ones: they arrived, or they left …"), permissions=["send"])
    def have_left(self, request: HttpRequest, queryset: QuerySet[OutgoingEmail]) -> HttpResponse:
        return self._ask(by_hand.HAS_LEFT, queryset.values_list("pk", flat=True)[:MOST])

    @admin.action(description=_("Unknown ones: they did not leave, send now …"), permissions=["send"])
    def send_now(self, request: HttpRequest, queryset: QuerySet[OutgoingEmail]) -> HttpResponse:
        return self._ask(by_hand.SEND_NOW, queryset.values_list("pk", flat=True)[:MOST])

    @action(description=_("Try again …"), url_path="send-again", icon="refresh", permissions=["send"])
    def send_again_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(by_hand.RETRY, [object_id])

    @action(description=_("It arrived, or it left …"), url_path="has-left", icon="check", permissions=["send"])
    def has_left_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(by_hand.HAS_LEFT, [object_id])

    @action(description=_("It did not leave: send now …"), url_path="send-now", icon="send", permissions=["send"])
    def send_now_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(by_hand.SEND_NOW, [object_id])

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what fits the message's fate."""
        status = OutgoingEmail.objects.filter(pk=object_id).values_list("status", flat=True).first()
        wanted = {"failed": ("send_again_this",), "unknown": ("has_left_this", "send_now_this")}.get(str(status), ())
        found = super().get_actions_detail(request, object_id)
        return [one for one in found if any(one.action_name.endswith(name) for name in wanted)]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.by_hand_view)
        return [path("by-hand/", view, name="messaging_outgoingemail_by_hand"), *super().get_urls()]

    def _url(self, name: str) -> str:
        return reverse(f"{self.admin_site.name}:messaging_outgoingemail_{name}")

    def _ask(self, what: str, ids: Any) -> HttpResponse:
        return HttpResponseRedirect(f"{self._url('by_hand')}?what={what}&ids={','.join(map(str, ids))}")

    def by_hand_view(self, request: HttpRequest) -> HttpResponse:
        """Ask once more, then do it."""
        what = request.GET.get("what", "")
        if not self.has_send_permission(request) or not isinstance(request.user, AbstractUser):
            raise PermissionDenied
        ids = _ids(request.GET.get("ids", ""))
        if what not in TITLES or not ids:
            return HttpResponseRedirect(self._url("changelist"))
        if request.method == "POST":
            count = by_hand.act(email_ids=ids, what=what, user=request.user, now=timezone.now())
            text = ngettext("Done for %(count)d message.", "Done for %(count)d messages.", count)
            self.message_user(request, text % {"count": count})
            return HttpResponseRedirect(self._url("changelist"))
        rows = list(by_hand.open_to(email_ids=ids, what=what))
        context = {"what": what, "rows": rows, "left_out": len(ids) - len(rows), "opts": self.opts}
        page = {**self.admin_site.each_context(request), "title": TITLES[what], **context}
        return TemplateResponse(request, "admin/messaging/outgoingemail/by_hand.html", page)

    @admin.display(description=_("text"))
    def text_without_links(self, mail: OutgoingEmail) -> str:
        """Links are personal: whoever has one can answer in the contact's name."""
        sent = as_sent(mail)
        return masked(sent.text) if sent else gettext("Deleted after the time set in the mail policy.")

    @display(
        description=_("status"),
        ordering="status",
        label={
            "queued": "info", "paused": "info", "sending": "info", "sent": "success", "delivered": "success",
            "bounced": "danger", "complained": "danger", "failed": "danger", "unknown": "warning",
            "revoked": "warning",
        },
    )  # fmt: skip
    def state(self, mail: OutgoingEmail) -> tuple[str, str]:
        return mail.status, mail.get_status_display()


def _ids(given: str) -> list[UUID]:
    found = []
    for text in given.split(",")[:MOST]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
