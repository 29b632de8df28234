"""Trigger rules, told as sentences, and what they decided."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from apps.common.admin import BaseAdmin, FlowAdmin
from apps.common.admin_site import tenant_admin
from apps.common.durations import format_duration
from apps.touchpoints.admin import EventAdmin
from apps.touchpoints.models import Event
from apps.triggers import reasons, services
from apps.triggers.models import Decision, TriggerRule


def sentence(rule: TriggerRule) -> str:
    """“3 days after Order received, ask order-survey”."""
    values = {"delay": format_duration(rule.delay), "touchpoint": rule.touchpoint, "survey": rule.survey}
    if not rule.delay:
        return _("Right after %(touchpoint)s, ask %(survey)s") % values
    return _("%(delay)s after %(touchpoint)s, ask %(survey)s") % values


class TriggerRuleForm(forms.ModelForm):
    """The rule's fields with examples of how to write a time span."""

    class Meta:
        model = TriggerRule
        fields = ("name", "touchpoint", "survey", "delay", "expires_after", "priority", "is_active")
        help_texts = {
            "delay": gettext_lazy("After the event: “3 days”, “2 hours”, “90 minutes”."),
            "expires_after": gettext_lazy("Counted from when it should have been sent: “14 days”."),
        }


@admin.register(TriggerRule, site=tenant_admin)
class TriggerRuleAdmin(BaseAdmin):
    form = TriggerRuleForm
    fieldsets = (
        (None, {"fields": ("name", "is_active")}),
        (gettext_lazy("When and what"), {"fields": ("touchpoint", "delay", "survey")}),
        (gettext_lazy("Limits"), {"fields": ("expires_after", "priority")}),
    )
    list_display = ("name", "as_sentence", "priority", "is_active")
    list_filter = ("is_active", "touchpoint", "survey")
    list_select_related = ("touchpoint", "survey")
    search_fields = ("name", "touchpoint__key", "survey__key")

    def save_model(self, request: HttpRequest, rule: TriggerRule, form: Any, change: bool) -> None:
        super().save_model(request, rule, form, change)
        if change and not rule.is_active:
            count = services.withdraw(rule_id=rule.pk)
            if count:
                text = ngettext(
                    "%(count)d planned invitation taken back.", "%(count)d planned invitations taken back.", count
                )
                self.message_user(request, text % {"count": count})

    @admin.display(description=gettext_lazy("rule"))
    def as_sentence(self, rule: TriggerRule) -> str:
        return sentence(rule)


class ReplayableEventAdmin(EventAdmin):
    """Events as the journey shows them; failed ones can be decided again."""

    actions = ("decide_again",)

    @admin.action(description=gettext_lazy("Decide failed events again"), permissions=["decide"])
    def decide_again(self, request: HttpRequest, events: QuerySet[Event]) -> None:
        ids = list(events.values_list("id", flat=True))
        count = services.decide_again(event_ids=ids, now=timezone.now())
        self.message_user(
            request, ngettext("%(count)d event waits again.", "%(count)d events wait again.", count) % {"count": count}
        )

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("touchpoints.change_event")


tenant_admin.unregister(Event)
tenant_admin.register(Event, ReplayableEventAdmin)


@admin.register(Decision, site=tenant_admin)
class DecisionAdmin(FlowAdmin):
    list_display = ("decided_at", "contact", "touchpoint", "rule", "state", "why", "until")
    list_filter = ("status", "reason", "rule")
    list_select_related = ("contact", "rule", "event__touchpoint")
    search_fields = ("contact__email", "contact__name", "=contact__external_id", "=event__external_id")
    search_help_text = gettext_lazy("Name, e-mail or external id of the contact, or external id of the event")
    date_hierarchy = "decided_at"
    ordering = ("-decided_at", "-id")
    paginator = InfinitePaginator

    @admin.display(description=gettext_lazy("touchpoint"))
    def touchpoint(self, decision: Any) -> str:
        return str(decision.event.touchpoint)

    @admin.display(description=gettext_lazy("reason"), ordering="reason")
    def why(self, decision: Decision) -> str:
        return str(reasons.sentence(decision.reason))

    @display(
        description=gettext_lazy("status"),
        ordering="status",
        label={"scheduled": "success", "deferred": "info", "skipped": "warning", "blocked": "danger"},
    )
    def state(self, decision: Decision) -> tuple[str, str]:
        return decision.status, decision.get_status_display()
