"""Names that customer data platforms send: what they mean, and what could not be taken."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.touchpoints.models import Touchpoint, TrackedName, TrackingProblem
from apps.workspace import lists_hooks as lists
from apps.workspace.paging import page
from apps.workspace.tracking_forms import MeaningForm, NewNameForm, TrackedNameFilter, meanings

CHANGE = "touchpoints.change_trackedname"


@login_required
@require_safe
def names(request: HttpRequest) -> HttpResponse:
    """The last seen first, filtered; what was not taken above them."""
    return _page(request, NewNameForm(None, touchpoints=_touchpoints()))


@login_required
@permission_required(CHANGE, raise_exception=True)
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Says what a name means before it comes for the first time."""
    form = NewNameForm(request.POST, touchpoints=_touchpoints())
    if not form.is_valid():
        return _page(request, form)
    now = timezone.now()
    defaults = {"first_seen_at": now, "last_seen_at": now}
    row, _made = TrackedName.objects.get_or_create(name=form.cleaned_data["name"], defaults=defaults)
    form.apply(row)
    row.save(update_fields=["touchpoint", "is_ignored"])
    messages.success(request, _("Saved what “%(name)s” means.") % {"name": row.name})
    return redirect("workspace:tracking")


@login_required
@permission_required(CHANGE, raise_exception=True)
@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Says what a name means."""
    row = get_object_or_404(TrackedName, pk=pk)
    form = MeaningForm(request.POST, touchpoints=_touchpoints())
    if form.is_valid():
        form.apply(row)
        row.save(update_fields=["touchpoint", "is_ignored"])
        messages.success(request, _("Saved what “%(name)s” means.") % {"name": row.name})
    else:
        messages.error(request, _("This touchpoint is not there any more. Choose another one."))
    back = request.POST.get("back", "")
    if back.startswith("?") and url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return redirect(f"{request.path.rsplit('/', 2)[0]}/{back}")
    return redirect("workspace:tracking")


def _page(request: HttpRequest, form: NewNameForm) -> HttpResponse:
    filtered = TrackedNameFilter(request.GET)
    found = page(lists.tracked_names(filtered.values()), field="last_seen_at", cursor=request.GET.get("cursor", ""))
    context = {
        "filter": filtered,
        "page": found,
        "form": form,
        "meanings": meanings(form.by_key.values()),
        "problems": TrackingProblem.objects.order_by("-last_seen_at"),
        "may_change": request.user.has_perm(CHANGE),
        "address": request.build_absolute_uri("/api/v1/segment/"),
    }
    return render(request, "workspace/tracking.html", context)


def _touchpoints() -> list[Touchpoint]:
    return list(Touchpoint.objects.filter(is_active=True).select_related("stage"))
