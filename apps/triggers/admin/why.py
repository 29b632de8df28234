"""“Why?” in the configuration: what a decision came from, and what would be decided now."""

from typing import Any

from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from apps.common.admin_site import tenant_admin
from apps.triggers.admin.decisions import DecisionAdmin
from apps.triggers.models import Decision


class ExplainedDecisionAdmin(DecisionAdmin):
    """Decisions; each leads to its explanation."""

    actions_detail = ("why_page",)

    @action(description=gettext_lazy("Why?"), url_path="why", permissions=["view"])
    def why_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        decision = self.get_object(request, unquote(object_id))
        if decision is None:
            raise Http404
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Why?"),
            "decision": decision,
            "now": timezone.now(),
        }
        return TemplateResponse(request, "triggers/why_admin.html", context)


tenant_admin.unregister(Decision)
tenant_admin.register(Decision, ExplainedDecisionAdmin)
