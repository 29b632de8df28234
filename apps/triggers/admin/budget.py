"""The contact budget, with the touchpoints it makes exceptions for; a change can be tried against the past first."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.common.admin_site import tenant_admin
from apps.common.windows import BUILDER
from apps.contacts.admin import ContactBudgetAdmin
from apps.contacts.models import ContactBudget
from apps.touchpoints.models import Touchpoint
from apps.triggers import dry_runs
from apps.triggers.admin.live import TryPage
from apps.triggers.models import DryRun


class TriableBudgetAdmin(TryPage, ContactBudgetAdmin):
    """The contact budget as the contacts show it; and what a change would have done."""

    change_form_outer_after_template = "triggers/budget.html"

    @property
    def media(self) -> Any:
        return super().media + BUILDER

    def page_context(self, request: HttpRequest, obj: ContactBudget | None) -> dict[str, Any]:
        exceptions = Touchpoint.objects.filter(Q(exception_days__isnull=False) | Q(beyond_caps=True))
        context = {**super().page_context(request, obj), "exceptions": exceptions}
        if self.admin_site._registry[Touchpoint].has_view_or_change_permission(request):
            context["touchpoints_url"] = reverse(f"{self.admin_site.name}:touchpoints_touchpoint_changelist")
        return context

    def start_trial(self, request: HttpRequest, form: Any, days: int) -> DryRun:
        values = {field.name: getattr(form.instance, field.name) for field in ContactBudget._meta.concrete_fields}
        values.pop("id")
        now = timezone.now()
        return dry_runs.start(title=_("Contact budget"), days=days, now=now, budget=values, user=request.user)


tenant_admin.unregister(ContactBudget)
tenant_admin.register(ContactBudget, TriableBudgetAdmin)
