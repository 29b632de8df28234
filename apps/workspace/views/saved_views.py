"""Views saved under a name: the list, opening one, changing it, and sharing it by links."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from apps.insights.models import SavedView, ShareLink
from apps.workspace import saved
from apps.workspace.dashboard_filter import DashboardFilter
from apps.workspace.paging import page
from apps.workspace.views import dashboard
from apps.workspace.views.case_acts import user_of


@require_safe
@login_required
def views(request: HttpRequest) -> HttpResponse:
    """All saved views, the one that changed last first."""
    form = saved.ViewFilter(request.GET)
    found = page(saved.views(form.values()), field="updated_at", cursor=request.GET.get("cursor", ""))
    return render(request, "workspace/views.html", {"filter": form, "page": found})


@require_safe
@login_required
def view(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The page as it was saved, with the figures of today."""
    row = get_object_or_404(SavedView, pk=pk)
    if row.page == SavedView.Page.DASHBOARD:
        return dashboard.page(request, _form(row), view=row)
    try:
        return HttpResponseRedirect(f"{reverse('workspace:journey')}?{urlencode({**row.query, 'view': str(row.pk)})}")
    except NoReverseMatch as error:
        raise Http404 from error


@require_GET
@login_required
@permission_required(dashboard.EXPORT, raise_exception=True)
def export(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Its figures as a file."""
    return dashboard.file_of(_form(get_object_or_404(SavedView, pk=pk, page=SavedView.Page.DASHBOARD)))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Save what the address says under a name."""
    now = timezone.now()
    is_journey = request.GET.get("page") == SavedView.Page.JOURNEY
    kind = SavedView.Page.JOURNEY if is_journey else SavedView.Page.DASHBOARD
    row = SavedView(
        page=kind, query=_asked(request, kind), created_by_id=user_of(request).pk, created_at=now, updated_at=now
    )
    form = saved.NameForm(request.POST or None, instance=row)
    if request.method == "POST":
        if SavedView.objects.count() >= saved.MAX_VIEWS:
            form.add_error(None, _("As many views are saved as there can be. Delete one first."))
        if form.is_valid() and saved.keep(form):
            messages.success(request, _("View saved. It keeps the filters; the figures are always those of today."))
            return redirect("workspace:view_edit" if is_journey else "workspace:view", row.pk)
    context = {"form": form, "row": row, "query": urlencode(row.query), "back": _back(row)}
    return render(request, "workspace/view_new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Its name and its links; POST gives it another name."""
    row = get_object_or_404(SavedView, pk=pk)
    form = saved.NameForm(request.POST or None, instance=row)
    if request.method == "POST":
        _must_be_allowed(request, row)
        if form.is_valid() and saved.keep(form):
            messages.success(request, _("View saved."))
            return redirect("workspace:view_edit", pk)
        row.refresh_from_db()
    return _settings(request, row, form=form)


@require_POST
@login_required
def update(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Keep the filters that the address has in place of those it kept."""
    row = get_object_or_404(SavedView, pk=pk, page=SavedView.Page.DASHBOARD)
    _must_be_allowed(request, row)
    row.query, row.updated_at = _asked(request, row.page), timezone.now()
    row.save(update_fields=["query", "updated_at"])
    messages.success(request, _("View saved. Links to it show it as it is now."))
    return redirect("workspace:view", pk)


@require_POST
@login_required
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The view is gone with its links."""
    row = get_object_or_404(SavedView, pk=pk)
    _must_be_allowed(request, row)
    row.delete()
    messages.success(request, _("View deleted. Links to it no longer work."))
    return redirect("workspace:views")


@require_POST
@login_required
@permission_required(saved.SHARE, raise_exception=True)
def share(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Make a link that shows it to anybody who has it."""
    now, row = timezone.now(), get_object_or_404(SavedView, pk=pk)
    form = saved.LinkForm(request.POST, now=now)
    if saved.working(row.links.all(), now=now).count() >= saved.MAX_LINKS:
        form.add_error(None, _("This view has as many links as it can have. Revoke one first."))
    if not form.is_valid():
        return _settings(request, row, link_form=form)
    day = form.cleaned_data["expires_on"]
    # Up to the end of that day, as days are everywhere in figures: UTC's.
    ends = datetime.combine(day + timedelta(days=1), time(), tzinfo=UTC) if day else None
    saved.share(view=row, expires_at=ends, by=user_of(request), now=now)
    messages.success(request, _("Link made. Whoever has it sees these figures, without a sign-in."))
    return redirect("workspace:view_edit", pk)


@require_POST
@login_required
def revoke(request: HttpRequest, pk: UUID, link_pk: UUID) -> HttpResponse:
    """The link shows nothing any more."""
    link = get_object_or_404(ShareLink.objects.select_related("view"), pk=link_pk, view=pk)
    if link.created_by_id != user_of(request).pk and not request.user.has_perm(saved.SHARE):
        _must_be_allowed(request, link.view)
    ShareLink.objects.filter(pk=link_pk, revoked_at=None).update(revoked_at=timezone.now())
    messages.success(request, _("Link revoked. It shows nothing any more."))
    return redirect("workspace:view_edit", pk)


@never_cache
def _settings(request: HttpRequest, row: SavedView, **forms: Any) -> HttpResponse:
    now = timezone.now()
    may_share = request.user.has_perm(saved.SHARE)
    links = list(row.links.select_related("created_by")[: 2 * saved.MAX_LINKS])
    context = {
        "view": row,
        "form": saved.NameForm(instance=row),
        "link_form": saved.LinkForm(now=now),
        "may_change": saved.may_change(user_of(request), row),
        "may_share": may_share,
        "links": [(link, _address(request, link) if may_share and _works(link, now) else "") for link in links],
        "now": now,
        **forms,
    }
    status = 422 if any(form.errors for form in forms.values()) else 200
    return render(request, "workspace/view_edit.html", context, status=status)


def _form(row: SavedView) -> DashboardFilter:
    return DashboardFilter({**row.query, "view": str(row.pk)}, now=timezone.now())


def _asked(request: HttpRequest, kind: str) -> dict[str, str]:
    """The filters of the address, as far as the page knows them."""
    if kind == SavedView.Page.JOURNEY:
        return saved.kept({name: value for name, value in request.GET.items() if name != "page"})
    return DashboardFilter(request.GET, now=timezone.now()).stored


def _back(row: SavedView) -> str:
    """The page that is being saved."""
    name = "journey" if row.page == SavedView.Page.JOURNEY else "dashboard"
    return f"{reverse(f'workspace:{name}')}?{urlencode(row.query)}".rstrip("?")


def _must_be_allowed(request: HttpRequest, row: SavedView) -> None:
    if not saved.may_change(user_of(request), row):
        raise PermissionDenied


def _works(link: ShareLink, now: datetime) -> bool:
    return link.revoked_at is None and (link.expires_at is None or link.expires_at > now)


def _address(request: HttpRequest, link: ShareLink) -> str:
    return request.build_absolute_uri(reverse("workspace:shared", args=[saved.token_of(link)]))
