"""Versions of the journey map: kept, listed, and two of them side by side."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from apps.insights import journey_versions
from apps.insights.journey_versions import Snapshot
from apps.insights.models import JourneyVersion
from apps.touchpoints.models import Stage
from apps.workspace.journey_versions_forms import TODAY, CompareForm, KeepForm, VersionFilter
from apps.workspace.journey_versions_look import Look
from apps.workspace.paging import page
from apps.workspace.views.case_acts import user_of

CHANGE = "touchpoints.change_touchpoint"
CHOICES = 200
"""So many of the newest versions can be chosen to be compared."""


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def versions(request: HttpRequest) -> HttpResponse:
    """Newest first; a POST keeps the map as it is now."""
    may_keep = request.user.has_perm(CHANGE)
    form = KeepForm(request.POST or None)
    if request.method == "POST":
        return _keep(request, form)
    return _list(request, form, may_keep=may_keep)


def _list(request: HttpRequest, form: KeepForm, *, may_keep: bool, status: int = 200) -> HttpResponse:
    wanted = VersionFilter(request.GET)
    rows = JourneyVersion.objects.defer("layout", "figures").select_related("created_by")
    text = wanted.values()["q"]
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(note__icontains=text))
    found = page(rows, field="created_at", cursor=request.GET.get("cursor", ""))
    context = {
        "filter": wanted, "page": found, "form": form, "may_keep": may_keep,
        "has_map": Stage.objects.exists(),
    }  # fmt: skip
    return render(request, "workspace/journey_versions.html", context, status=status)


@permission_required(CHANGE, raise_exception=True)
def _keep(request: HttpRequest, form: KeepForm) -> HttpResponse:
    if not form.is_valid():
        return _list(request, form, may_keep=True, status=422)
    if not Stage.objects.exists():
        messages.error(request, _("There is no map yet to keep."))
        return redirect("workspace:journey_versions")
    row = journey_versions.keep(**form.cleaned_data, by=user_of(request), now=timezone.now())
    messages.success(request, _("Kept as version %(number)s.") % {"number": row.number})
    return redirect("workspace:journey_versions")


@require_safe
@login_required
def compare(request: HttpRequest) -> HttpResponse:
    """Two of them side by side."""
    rows = JourneyVersion.objects.defer("layout", "figures").order_by("-number")[:CHOICES]
    form = CompareForm(request.GET, versions=rows)
    if not form.fields["before"].choices:  # type: ignore[attr-defined]
        return redirect("workspace:journey_versions")
    if not form.is_valid():
        raise Http404
    before = _version(form.cleaned_data["before"])
    number = form.cleaned_data["after"]
    now = timezone.now()
    after = journey_versions.as_now(after=before.period.until, now=now) if number == TODAY else _version(number)
    look = Look(journey_versions.compare(before, after))
    return render(request, "workspace/journey_versions_compare.html", {"form": form, "look": look})


def _version(number: str) -> Snapshot:
    row = JourneyVersion.objects.filter(number=int(number)).first()
    if row is None:
        raise Http404
    return journey_versions.as_kept(row)
