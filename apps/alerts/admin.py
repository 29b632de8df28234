"""Who is told what, in the configuration: everybody's subscriptions, the channels, and what was told."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from apps.alerts.models import AlertSettings, Channel, Kind, Notice, ScoreSegment, Subscription
from apps.common.admin import BaseAdmin, FlowAdmin
from apps.common.admin_site import tenant_admin


class SubscriptionForm(forms.ModelForm):
    """Kinds and segments to tick."""

    kinds = forms.MultipleChoiceField(
        label=Subscription._meta.get_field("kinds").verbose_name,
        choices=Kind.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    score_segments = forms.MultipleChoiceField(
        label=Subscription._meta.get_field("score_segments").verbose_name,
        choices=ScoreSegment.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )


@admin.register(Subscription, site=tenant_admin)
class SubscriptionAdmin(BaseAdmin):
    form = SubscriptionForm
    list_display = ("name", "user", "channel", "when", "is_active")
    list_filter = ("is_active", "when", "channel")
    list_select_related = ("user", "channel")
    search_fields = ("name", "user__username")
    fields = (
        "name", "user", "channel", "is_active", "kinds", "score_segments", "segment", "keywords", "touchpoints",
        "survey", "when", "hour", "weekday",
    )  # fmt: skip


@admin.register(Channel, site=tenant_admin)
class ChannelAdmin(BaseAdmin):
    """Whoever knows the address can write there, so a stored one is not shown; the workspace replaces it."""

    list_display = ("name", "kind", "is_active", "disabled_reason", "failures", "last_at", "last_result")
    list_filter = ("is_active", "kind")
    search_fields = ("name",)
    readonly_fields = ("disabled_reason", "failures", "rests_until", "last_at", "last_result")

    def get_fields(self, request: HttpRequest, obj: Channel | None = None) -> tuple[str, ...]:
        own = ("name", "kind", "language")
        return (*own, "url") if obj is None else (*own, *self.readonly_fields)

    def save_model(self, request: HttpRequest, obj: Channel, form: Any, change: bool) -> None:
        """Only what the form has: workers note how the receiver does in the same row."""
        obj.save(update_fields=form.changed_data if change else None)


@admin.register(AlertSettings, site=tenant_admin)
class AlertSettingsAdmin(BaseAdmin):
    list_display = ("user", "personal", "quiet_from", "quiet_to", "skip_weekends", "skip_holidays")
    list_select_related = ("user",)
    search_fields = ("user__username",)


@admin.register(Notice, site=tenant_admin)
class NoticeAdmin(FlowAdmin):
    list_display = ("created_at", "kind", "user", "channel", "status", "when", "due_at", "sent_at", "last_error")
    list_filter = ("status", "kind", "when", "channel")
    list_select_related = ("user", "channel")
    search_fields = ("user__username", "reason")
    ordering = ("-created_at",)
    show_full_result_count = False
    fields: Any = (
        "kind", "user", "channel", "reason", "path", "when", "in_digest", "status", "due_at", "attempts", "last_error",
        "created_at", "sent_at",
    )  # fmt: skip
