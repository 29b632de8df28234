"""Team channels: messengers and signed webhooks that a team is told by. For those who may change channels."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.alerts import channels
from apps.alerts.models import Channel
from apps.common import limits, sealed
from apps.workspace import lists_alerts as lists
from apps.workspace.alert_forms import ChannelFilter, ChannelForm
from apps.workspace.paging import page

CHANGE = "alerts.change_channel"
MAX_TESTS = 10
"""So many tests a channel gets in a minute: each keeps a process of ours waiting."""
View = Callable[..., HttpResponse]


def _allowed(view: View) -> View:
    """For those who may change channels; never kept by a browser."""
    checked: View = login_required(permission_required(CHANGE, raise_exception=True)(never_cache(view)))
    return wraps(view)(checked)


@_allowed
@require_safe
def channel_list(request: HttpRequest) -> HttpResponse:
    """Newest first, filtered."""
    form = ChannelFilter(request.GET)
    found = page(lists.channels(form.values()), field="created_at", cursor=request.GET.get("cursor", ""))
    context = {"filter": form, "page": found, "may_channels": True}
    return render(request, "workspace/alert_channels.html", context)


@_allowed
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("alerts.add_channel", raise_exception=True)
def new(request: HttpRequest) -> HttpResponse:
    """Type in an address; then subscriptions can lead there."""
    form = ChannelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        row = form.save()
        messages.success(request, _("Channel saved. Send a test, then have a subscription lead there."))
        return redirect("workspace:alert_channel", row.pk)
    return render(request, "workspace/alert_channel.html", {"form": form}, status=422 if form.errors else 200)


@_allowed
@require_http_methods(["GET", "HEAD", "POST"])
def channel(request: HttpRequest, pk: int) -> HttpResponse:
    """One channel: how it does, who has it told of what, and its settings; POST changes these."""
    row = get_object_or_404(Channel, pk=pk)
    form = ChannelForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        # Only these: workers note how the receiver does in the same row.
        anew = {"failures": 0, "rests_until": None} if request.POST.get("url") else {}
        Channel.objects.filter(pk=pk).update(**form.cleaned_data, **anew)
        messages.success(request, _("Channel saved."))
        return redirect("workspace:alert_channel", pk)
    stored = Channel.objects.get(pk=pk)
    context = {
        "form": form,
        "channel": stored,
        "problem": sealed.problem(stored.url) or sealed.problem(stored.secret),
        "subscriptions": stored.subscriptions.select_related("user").order_by("name", "pk")[:50],
    }
    return render(request, "workspace/alert_channel.html", context, status=422 if form.errors else 200)


@_allowed
@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test now, and say what came of it."""
    row = get_object_or_404(Channel, pk=pk)
    if limits.count_for("alert-test", str(pk)) > MAX_TESTS:
        messages.warning(request, _("That was too often. Please try again in a minute."))
        return redirect("workspace:alert_channel", pk)
    answer = channels.send_test(
        channel_id=row.pk, base_url=request.build_absolute_uri("/").rstrip("/"), now=timezone.now()
    )
    if answer.is_taken:
        messages.success(request, _("The channel took the test. Look there whether it arrived."))
    else:
        messages.error(request, _("The channel did not take the test. What came back stands below."))
    return redirect("workspace:alert_channel", pk)


@_allowed
@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch it on or off."""
    get_object_or_404(Channel, pk=pk)
    on = request.POST.get("on") == "1"
    channels.switch(channel_id=pk, on=on, now=timezone.now())
    said = _("The channel is on; what waited is sent now.") if on else _("The channel is off; what is due waits.")
    messages.success(request, said)
    return redirect("workspace:alert_channel", pk)


@_allowed
@require_POST
@permission_required("alerts.delete_channel", raise_exception=True)
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete it, with the subscriptions that lead there and what waits."""
    get_object_or_404(Channel, pk=pk).delete()
    messages.success(request, _("Channel deleted."))
    return redirect("workspace:alert_channels")
