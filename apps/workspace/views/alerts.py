"""Alerts: what one wants to be told, when, and what was told. Everybody sees their own."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.alerts import starts
from apps.alerts.channels import send_again
from apps.alerts.due import REASONS
from apps.alerts.models import AlertSettings, Notice, Subscription
from apps.workspace import lists_alerts as lists
from apps.workspace.alert_forms import NoticeFilter, SettingsForm, StartForm, SubscriptionFilter, SubscriptionForm
from apps.workspace.paging import page

CHANGE_CHANNELS = "alerts.change_channel"


def _may_use_channels(request: HttpRequest) -> bool:
    return request.user.has_perm(CHANGE_CHANNELS)


@login_required
@require_safe
def subscriptions(request: HttpRequest) -> HttpResponse:
    """One's own, newest first, filtered."""
    return _list(request, StartForm())


def _list(request: HttpRequest, start: StartForm, status: int = 200) -> HttpResponse:
    form = SubscriptionFilter(request.GET)
    rows = lists.subscriptions(request.user.pk or 0, form.values())
    context = {
        "filter": form,
        "page": page(rows, field="created_at", cursor=request.GET.get("cursor", "")),
        "start": start,
        "has_address": bool(getattr(request.user, "email", "")),
        "may_channels": _may_use_channels(request),
    }
    return render(request, "workspace/alerts.html", context, status=status)


@login_required
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """What most users want, in one step."""
    user_id = request.user.pk or 0
    if request.POST.get("what") == "detractors":
        starts.every_detractor(user_id=user_id)
    else:
        form = StartForm(request.POST)
        if not form.is_valid():
            return _list(request, form, status=422)
        starts.important_first(user_id=user_id, segment=form.cleaned_data["segment"])
    messages.success(request, _("Done. You are told from now on."))
    return redirect("workspace:alerts")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """One more subscription."""
    return _edit(request, Subscription(user_id=request.user.pk or 0))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change one of one's own."""
    return _edit(request, _own(request, pk))


def _edit(request: HttpRequest, row: Subscription) -> HttpResponse:
    form = SubscriptionForm(request.POST or None, instance=row, may_use_channels=_may_use_channels(request))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Subscription saved."))
        return redirect("workspace:alerts")
    context = {"form": form, "subscription": row if row.pk else None, "may_channels": _may_use_channels(request)}
    return render(request, "workspace/alert_form.html", context, status=422 if form.errors else 200)


def _own(request: HttpRequest, pk: int) -> Subscription:
    return get_object_or_404(Subscription, pk=pk, user=request.user.pk)


@login_required
@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch one on or off."""
    on = request.POST.get("on") == "1"
    if not Subscription.objects.filter(pk=pk, user=request.user.pk).update(is_active=on):
        raise Http404
    messages.success(request, _("You are told of this again.") if on else _("You are not told of this any more."))
    return redirect("workspace:alerts")


@login_required
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete one; what waits already still comes."""
    _own(request, pk).delete()
    messages.success(request, _("Subscription deleted."))
    return redirect("workspace:alerts")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """One's quiet hours, and how what concerns oneself comes."""
    row = AlertSettings.objects.filter(user=request.user.pk).first() or AlertSettings(user_id=request.user.pk or 0)
    form = SettingsForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        AlertSettings.objects.update_or_create(user_id=request.user.pk or 0, defaults=form.cleaned_data)
        messages.success(request, _("Settings saved. They hold for what is to be told from now on."))
        return redirect("workspace:alert_settings")
    context = {"form": form, "may_channels": _may_use_channels(request)}
    return render(request, "workspace/alert_settings.html", context, status=422 if form.errors else 200)


@login_required
@require_safe
def log(request: HttpRequest) -> HttpResponse:
    """What was told to oneself, and with the right to the teams; newest first, filtered."""
    form = NoticeFilter(request.GET)
    may_channels = _may_use_channels(request)
    rows = lists.notices(request.user.pk or 0, form.values(), of_channels=may_channels, now=timezone.now())
    found = page(rows, field="created_at", cursor=request.GET.get("cursor", ""))
    shown: list[tuple[Notice, Any]] = [(row, REASONS.get(row.last_error, row.last_error)) for row in found.rows]
    context = {"filter": form, "page": found, "rows": shown, "may_channels": may_channels}
    return render(request, "workspace/alert_log.html", context)


@login_required
@require_POST
def again(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send a notice that failed once more."""
    rows = lists.notices(
        request.user.pk or 0, NoticeFilter({}).values(), of_channels=_may_use_channels(request), now=timezone.now()
    )
    row = get_object_or_404(rows, pk=pk)
    if send_again(notice_ids=[row.pk], now=timezone.now()):
        messages.success(request, _("It is being sent again. Reload the page in a moment to see what came of it."))
    elif row.status == Notice.Status.FAILED:
        messages.warning(request, _("The channel is switched off. Mend it and switch it on first."))
    else:
        messages.warning(request, _("Only what failed can be sent again."))
    return redirect("workspace:alert_log")
