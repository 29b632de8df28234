"""What was decided, and events that can be decided again."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from apps.common.admin import FlowAdmin
from apps.common.admin_site import tenant_admin
from apps.touchpoints.admin import EventAdmin
from apps.touchpoints.models import Event
from apps.triggers import reasons, services
from apps.triggers.models import Decision


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
    list_display = ("decided_at", "contact", "touchpoint", "rule_or_cadence", "state", "why", "until")
    list_filter = ("status", "reason", "rule", "cadence")
    list_select_related = ("contact", "rule", "cadence", "event__touchpoint")
    search_fields = ("contact__email", "contact__name", "=contact__external_id", "=event__external_id")
    search_help_text = gettext_lazy("Name, e-mail or external id of the contact, or external id of the event")
    date_hierarchy = "decided_at"
    ordering = ("-decided_at", "-id")
    paginator = InfinitePaginator

    @admin.display(description=gettext_lazy("touchpoint"))
    def touchpoint(self, decision: Any) -> str:
        return str(decision.event.touchpoint) if decision.event else "–"

    @admin.display(description=gettext_lazy("rule or cadence"))
    def rule_or_cadence(self, decision: Any) -> str:
        return str(decision.rule or decision.cadence or "–")

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
