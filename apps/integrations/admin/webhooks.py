"""Webhook endpoints and what was sent to them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from apps.common import sealed
from apps.common.admin import BaseAdmin, BaseTabular, FlowAdmin, ReadOnly
from apps.common.admin_site import tenant_admin
from apps.integrations import endpoints, replays
from apps.integrations.log import KEEP
from apps.integrations.models import Attempt, Delivery, Endpoint, EventType, Replay
from apps.integrations.webhooks import redeliver, wake_waiting


class EndpointForm(forms.ModelForm):
    """A receiver's address and what it is told about."""

    event_types = forms.MultipleChoiceField(
        label=_("Told about"),
        choices=EventType.choices,
        required=False,
        help_text=_("Nothing chosen means everything."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = Endpoint
        fields = ("name", "url", "event_types", "secret", "delighted_key", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        problem = sealed.problem(self.instance.secret)
        if problem and "secret" in self.fields:
            self.fields["secret"].help_text = problem


@admin.register(Endpoint, site=tenant_admin)
class EndpointAdmin(BaseAdmin):
    form = EndpointForm
    list_display = ("__str__", "is_active", "disabled_reason", "failing_since", "is_slow", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name", "url")
    ordering = ("-created_at",)
    readonly_fields = ("disabled_reason", "failing_since", "is_slow", "old_secret_until")
    fields = ("name", "url", "event_types", "secret", "old_secret_until", "delighted_key", "is_active",
              "disabled_reason", "failing_since", "is_slow")  # fmt: skip
    actions = ("repeat_failed",)
    actions_detail = ("look",)

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        if obj.is_active:
            endpoints.start_anew(obj)
        super().save_model(request, obj, form, change)
        if obj.is_active:
            wake_waiting(now=timezone.now())

    @admin.action(description=_("Send again what failed in the last thirty days"), permissions=["change"])
    def repeat_failed(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        now, by = timezone.now(), request.user.get_username()
        for endpoint in queryset:
            try:
                replay = replays.start(
                    endpoint=endpoint, since=now - KEEP, until=now, now=now, status=Delivery.Status.FAILED, by=by
                )
            except ValidationError as error:
                self.message_user(request, f"{endpoint}: {' '.join(error.messages)}", messages.WARNING)
                continue
            text = ngettext(
                "%(name)s: %(count)d delivery will be sent again.",
                "%(name)s: %(count)d deliveries will be sent again.",
                replay.total,
            )  # fmt: skip
            self.message_user(request, text % {"count": replay.total, "name": endpoint}, messages.SUCCESS)

    @action(description=_("Log, test and new secret"), url_path="look", permissions=["look"])
    def look(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The workspace has the pages for that."""
        return HttpResponseRedirect(reverse("workspace:webhook", args=[object_id]))

    def has_look_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_change_permission(request)


class AttemptInline(ReadOnly, BaseTabular):
    model = Attempt
    fields = ("at", "status_code", "duration_ms", "error", "response_excerpt")
    ordering = ("at",)


@admin.register(Delivery, site=tenant_admin)
class DeliveryAdmin(FlowAdmin):
    inlines = (AttemptInline,)
    list_display = ("created_at", "endpoint", "event_type", "state", "attempt_count", "due_at")
    list_filter = ("status", "event_type", "endpoint")
    list_select_related = ("endpoint",)
    search_fields = ("=reason", "endpoint__url", "endpoint__name")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    paginator = InfinitePaginator
    actions = ("send_again",)

    def has_send_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "has_perm", lambda _name: False)("integrations.change_delivery"))

    @admin.action(description=_("Send again"), permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        count = redeliver(ids=list(queryset.values_list("pk", flat=True)), now=timezone.now())
        text = ngettext("%(count)d delivery will be sent again.", "%(count)d deliveries will be sent again.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    @display(
        description=_("status"),
        ordering="status",
        label={"pending": "info", "delivered": "success", "failed": "danger"},
    )
    def state(self, delivery: Delivery) -> tuple[str, str]:
        return delivery.status, delivery.get_status_display()


@admin.register(Replay, site=tenant_admin)
class ReplayAdmin(FlowAdmin):
    list_display = ("created_at", "endpoint", "since", "until", "event_type", "status", "queued", "total", "done_at")
    list_select_related = ("endpoint",)
    list_filter = ("endpoint",)
    ordering = ("-created_at",)
