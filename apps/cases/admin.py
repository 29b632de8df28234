"""Cases: who takes care of which answer, and how far they are."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.cases.models import Case
from apps.cases.services import CLOSED, change_status
from apps.common.admin import BaseAdmin
from apps.common.admin_site import tenant_admin


class CaseForm(forms.ModelForm):
    """A case is closed with a sentence on how it ended."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("status") in CLOSED and not data.get("outcome", "").strip():
            self.add_error("outcome", _("Say how it ended before you close the case."))
        return data


@admin.register(Case, site=tenant_admin)
class CaseAdmin(BaseAdmin):
    """Cases are opened by campaigns; here they are handed over and closed."""

    form = CaseForm
    fields = ("contact", "response", "status", "owner", "outcome", "opened_at", "due_at", "closed_at")
    readonly_fields = ("contact", "response", "opened_at", "due_at", "closed_at")
    list_display = ("opened_at", "contact", "response", "state", "owner", "due_at")
    list_filter = ("status", "owner")
    list_select_related = ("contact", "response", "owner")
    search_fields = ("contact__email", "contact__name", "outcome")
    date_hierarchy = "opened_at"
    ordering = ("-opened_at", "-id")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Case, form: Any, change: bool) -> None:
        change_status(case_id=obj.pk, status=obj.status, outcome=obj.outcome, owner=obj.owner, now=timezone.now())

    @display(
        description=_("status"),
        ordering="status",
        label={"new": "danger", "contacted": "info", "solved": "success", "lost": "warning"},
    )
    def state(self, case: Case) -> tuple[str, str]:
        return case.status, case.get_status_display()
