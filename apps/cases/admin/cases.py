"""Cases: who takes care of which answer, how far they are, and what happened."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.cases.models import Case, CaseChange
from apps.cases.services import CLOSED, Changes, change
from apps.common.admin import BaseAdmin, BaseTabular, ReadOnly
from apps.common.admin_site import tenant_admin

CHANGEABLE = ("status", "owner", "is_urgent", "due_at", "result", "root_cause", "outcome")
_AS_CHANGES = {"owner": "owner_id", "result": "result_id", "root_cause": "root_cause_id"}


class CaseForm(forms.ModelForm):
    """A case is closed with a sentence on how it ended, or an outcome; it says when it was changed meanwhile."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("status") in CLOSED and not (data.get("outcome") or "").strip() and not data.get("result"):
            self.add_error("outcome", _("Say how it ended before you close the case."))
        return data


class ChangeInline(ReadOnly, BaseTabular):
    """What happened, the latest last."""

    model = CaseChange
    verbose_name_plural = _("history")
    fields = ("at", "kind", "what", "by")
    readonly_fields = fields
    ordering = ("at", "pk")
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("by")

    @admin.display(description=_("details"))
    def what(self, change: CaseChange) -> str:
        data = dict(change.data)
        if {"from", "to"} <= data.keys():
            return f"{_shown(data['from'])} → {_shown(data['to'])}"
        told = {name: value for name, value in data.items() if value not in (None, "")}
        return ", ".join(f"{name}: {value}" for name, value in told.items())


def _shown(value: Any) -> str:
    return "–" if value in (None, "") else str(value)


@admin.register(Case, site=tenant_admin)
class CaseAdmin(BaseAdmin):
    """Cases are opened by rules, campaigns and people at work; here they are handed over and closed."""

    form = CaseForm
    fields = (
        "contact", "response", "rule", *CHANGEABLE, "opened_at", "contact_due_at", "first_contact_at", "closed_at",
        "merged_into",
    )  # fmt: skip
    readonly_fields = tuple(name for name in fields if name not in CHANGEABLE)
    inlines = (ChangeInline,)
    list_display = ("opened_at", "contact", "response", "state", "is_urgent", "owner", "due_at")
    list_filter = ("status", "is_urgent", "owner", "rule", "result", "root_cause")
    list_select_related = ("contact", "response", "owner")
    search_fields = ("contact__email", "contact__name", "outcome")
    date_hierarchy = "opened_at"
    ordering = ("-opened_at", "-id")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """One that went into another case goes on there."""
        return super().has_change_permission(request, obj) and (obj is None or obj.merged_into_id is None)

    def save_model(self, request: HttpRequest, obj: Case, form: Any, change: bool) -> None:
        """Only what was changed on the page, so that nothing that somebody else wrote meanwhile is put back."""
        names = [name for name in form.changed_data if name in CHANGEABLE]
        wanted = {_AS_CHANGES.get(name, name): getattr(obj, _AS_CHANGES.get(name, name)) for name in names}
        save(case=obj, changes=Changes(**wanted), request=request)

    @display(
        description=_("status"),
        ordering="status",
        label={"new": "danger", "contacted": "info", "solved": "success", "lost": "warning"},
    )
    def state(self, case: Case) -> tuple[str, str]:
        return case.status, case.get_status_display()


def save(*, case: Case, changes: Changes, request: HttpRequest) -> None:
    """Write what was changed."""
    change(case_id=case.pk, revision=None, changes=changes, by=request.user, now=timezone.now())  # type: ignore[arg-type]
