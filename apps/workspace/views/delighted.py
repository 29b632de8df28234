"""The Delighted connection: set up once, and how it goes."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.touchpoints.models import Event
from apps.triggers import delighted as service
from apps.triggers.models import AutopilotMember, DelightedConnection
from apps.workspace.delighted_form import ConnectionForm, initial_of

LATELY = timedelta(days=30)
CHANGE = "triggers.change_delightedconnection"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delighted(request: HttpRequest) -> HttpResponse:
    """Shows address and state; POST sets the connection up or changes it."""
    row, now = service.current(), timezone.now()
    form = ConnectionForm(request.POST or None, initial=initial_of(row))
    may_change = request.user.has_perm(CHANGE)
    if request.method == "POST":
        if not may_change:
            raise PermissionDenied
        if form.is_valid():
            service.connect(choices=form.choices(), now=now)
            messages.success(request, _("Connection saved."))
            return redirect("workspace:delighted")
    context = {
        "row": row,
        "form": form,
        "may_change": may_change,
        "base_url": request.build_absolute_uri("/v1/"),
        "public_url": f"{settings.PUBLIC_SCHEME}://{settings.PUBLIC_HOST}/v1/",
        **_state(row, now),
    }
    return render(request, "workspace/delighted.html", context)


def _state(row: DelightedConnection | None, now: datetime) -> dict[str, Any]:
    """The newest person sent in lately, and how many members Autopilot has. Two queries."""
    lately = Event.objects.filter(occurred_at__gte=now - LATELY).order_by("-occurred_at")
    last = lately.filter(touchpoint=row.touchpoint).first() if row else None
    members = dict(AutopilotMember.objects.values_list("platform").annotate(n=Count("id")).order_by())
    return {"last": last, "email_members": members.get("email", 0), "sms_members": members.get("sms", 0)}
