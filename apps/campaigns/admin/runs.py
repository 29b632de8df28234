"""Enrolments and their steps: looked at, stopped, and tried again; written by services only."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator

from apps.campaigns import sentences, services, standing
from apps.campaigns.models import Enrolment, StepRun
from apps.campaigns.names import Names
from apps.campaigns.picture import draw
from apps.campaigns.wording import STEPS, reason_in_words
from apps.common.admin import BaseTabular, FlowAdmin, ReadOnly
from apps.common.admin_site import tenant_admin

MOST = 5_000
"""So many are stopped or tried again at once."""
PERMISSION = "campaigns.change_enrolment"


class StepRunInline(ReadOnly, BaseTabular):
    model = StepRun
    fields = ("position", "kind_in_words", "status", "because", "due_at", "done_at", "last_error")
    readonly_fields = ("kind_in_words", "because")
    ordering = ("position",)

    @admin.display(description=_("kind"))
    def kind_in_words(self, run: StepRun) -> str:
        return str(STEPS.get(run.kind, run.kind))

    @admin.display(description=_("because"))
    def because(self, run: StepRun) -> str:
        return str(reason_in_words(run.reason)) if run.reason else ""


@admin.register(Enrolment, site=tenant_admin)
class EnrolmentAdmin(FlowAdmin):
    inlines = (StepRunInline,)
    list_display = ("enrolled_at", "campaign", "number", "response", "person", "standing", "because", "round")
    list_filter = ("state", "arm", "campaign", "end_reason")
    list_select_related = ("campaign", "version", "response", "contact")
    search_fields = ("contact__email", "contact__name", "campaign__name")
    date_hierarchy = "enrolled_at"
    ordering = ("-enrolled_at", "-id")
    paginator = InfinitePaginator
    fields = (
        "campaign", "number", "response", "contact", "launch", "arm", "state", "because", "round", "enrolled_at",
        "ended_at",
    )  # fmt: skip
    readonly_fields = ("number", "because")
    actions = ("stop", "try_again")
    actions_detail = ("stop_this", "try_this_again")
    change_form_outer_before_template = "campaigns/enrolment.html"

    class Media:
        css = {"all": ["triggers/builder.css", "campaigns/flow.css"]}

    def has_steer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(PERMISSION))

    @admin.display(description=_("version"), ordering="version__number")
    def number(self, enrolment: Enrolment) -> int:
        return enrolment.version.number

    @admin.display(description=_("contact"))
    def person(self, enrolment: Enrolment) -> str:
        return str(enrolment.contact or "")

    @admin.display(description=_("because"), ordering="end_reason")
    def because(self, enrolment: Enrolment) -> str:
        return str(reason_in_words(enrolment.end_reason)) if enrolment.end_reason else ""

    @display(
        description=_("state"),
        ordering="state",
        label={"running": "info", "done": "success", "stopped": "warning", "failed": "danger"},
    )
    def standing(self, enrolment: Enrolment) -> tuple[str, str]:
        return enrolment.state, enrolment.get_state_display()

    @admin.action(description=_("Running ones: stop before the next step"), permissions=["steer"])
    def stop(self, request: HttpRequest, queryset: QuerySet[Enrolment]) -> None:
        self._stop(request, list(queryset.values_list("pk", flat=True)[:MOST]))

    @admin.action(description=_("Failed ones: try the step again"), permissions=["steer"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Enrolment]) -> None:
        self._try_again(request, list(queryset.values_list("pk", flat=True)[:MOST]))

    @action(description=_("Stop"), url_path="stop", icon="block", permissions=["steer"])
    def stop_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        self._stop(request, [object_id])
        return self._back(object_id)

    @action(description=_("Try again"), url_path="try-again", icon="refresh", permissions=["steer"])
    def try_this_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        self._try_again(request, [object_id])
        return self._back(object_id)

    def _back(self, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"{self.admin_site.name}:campaigns_enrolment_change", args=[object_id]))

    def _stop(self, request: HttpRequest, ids: list[Any]) -> None:
        count = services.stop(enrolment_ids=ids, reason="by_hand", now=timezone.now())
        text = ngettext("%(count)d stopped.", "%(count)d stopped.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS if count else messages.WARNING)

    def _try_again(self, request: HttpRequest, ids: list[Any]) -> None:
        count = services.retry(enrolment_ids=ids, now=timezone.now())
        text = ngettext("%(count)d tried again.", "%(count)d tried again.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS if count else messages.WARNING)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what fits how far it is."""
        state = Enrolment.objects.filter(pk=object_id).values_list("state", flat=True).first()
        wanted = {"running": "stop_this", "failed": "try_this_again"}.get(str(state), "-")
        found = super().get_actions_detail(request, object_id)
        return [one for one in found if one.action_name.endswith(wanted)]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """With the sequence as a picture: how far this one is in it."""
        row = self.get_object(request, object_id) if object_id else None
        if row is not None and self.has_view_permission(request, row):
            names = Names.load()
            cards = draw(row.version.document, names, standing.progress(row.pk))
            start = sentences.entry(row.campaign, names)
            extra_context = {**(extra_context or {}), "cards": cards, "enrolment": row, "start": start}
        return super().changeform_view(request, object_id, form_url, extra_context)


@admin.register(StepRun, site=tenant_admin)
class StepRunAdmin(FlowAdmin):
    list_display = ("due_at", "campaign", "step_key", "kind_in_words", "person", "state", "because", "done_at")
    list_filter = ("status", "reason", "kind", "enrolment__campaign", "enrolment__arm", "enrolment__state")
    list_select_related = ("enrolment__campaign", "enrolment__contact")
    search_fields = ("enrolment__contact__email", "enrolment__contact__name", "=step_key")
    date_hierarchy = "due_at"
    ordering = ("-due_at", "-id")
    paginator = InfinitePaginator
    actions = ("stop", "try_again")

    def has_steer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(PERMISSION))

    @admin.display(description=_("campaign"))
    def campaign(self, run: StepRun) -> str:
        return str(run.enrolment.campaign)

    @admin.display(description=_("contact"))
    def person(self, run: StepRun) -> str:
        return str(run.enrolment.contact or "")

    @admin.display(description=_("kind"), ordering="kind")
    def kind_in_words(self, run: StepRun) -> str:
        return str(STEPS.get(run.kind, run.kind))

    @admin.display(description=_("because"), ordering="reason")
    def because(self, run: StepRun) -> str:
        return str(reason_in_words(run.reason)) if run.reason else ""

    @display(
        description=_("status"),
        ordering="status",
        label={"pending": "info", "done": "success", "skipped": "warning", "failed": "danger"},
    )
    def state(self, run: StepRun) -> tuple[str, str]:
        return run.status, run.get_status_display()

    @admin.action(description=_("Pending ones: stop the enrolment before it"), permissions=["steer"])
    def stop(self, request: HttpRequest, queryset: QuerySet[StepRun]) -> None:
        ids = list(queryset.filter(status="pending").values_list("enrolment_id", flat=True)[:MOST])
        count = services.stop(enrolment_ids=ids, reason="by_hand", now=timezone.now())
        self.message_user(request, ngettext("%(count)d stopped.", "%(count)d stopped.", count) % {"count": count})

    @admin.action(description=_("Failed ones: try again"), permissions=["steer"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[StepRun]) -> None:
        ids = list(queryset.filter(status="failed").values_list("enrolment_id", flat=True)[:MOST])
        count = services.retry(enrolment_ids=ids, now=timezone.now())
        text = ngettext("%(count)d tried again.", "%(count)d tried again.", count)
        self.message_user(request, text % {"count": count})
