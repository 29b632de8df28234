"""Webhooks: the endpoints, one of them with its log, and what is done to it.

What was sent holds answers, anonymous ones included, so all of it is for those who may change endpoints.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.common import limits, sealed
from apps.integrations import attempts, endpoints, replays, webhooks
from apps.integrations.models import Delivery, Endpoint, Replay
from apps.workspace import lists_webhooks as lists
from apps.workspace.json_text import pretty
from apps.workspace.paging import page
from apps.workspace.webhook_forms import DeliveryFilter, EndpointFilter, EndpointForm, ReplayForm, RotateForm

CHANGE = "integrations.change_endpoint"
MAX_TESTS = 10
"""So many tests an endpoint gets in a minute: each keeps a process of ours waiting."""
View = Callable[..., HttpResponse]


def _allowed(view: View) -> View:
    """For those who may change endpoints; never kept by a browser."""
    checked: View = login_required(permission_required(CHANGE, raise_exception=True)(never_cache(view)))
    return wraps(view)(checked)


@_allowed
@require_safe
def endpoint_list(request: HttpRequest) -> HttpResponse:
    """Newest first, filtered."""
    form = EndpointFilter(request.GET)
    found = page(lists.endpoints(form.values()), field="created_at", cursor=request.GET.get("cursor", ""))
    rows = lists.with_numbers(found.rows, now=timezone.now())
    return render(request, "workspace/webhooks.html", {"filter": form, "page": found, "rows": rows})


@_allowed
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("integrations.add_endpoint", raise_exception=True)
def new(request: HttpRequest) -> HttpResponse:
    """Type in an address; the endpoint is told from then on."""
    form = EndpointForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        row = form.save()
        messages.success(request, _("Endpoint saved. Put its secret into your receiver, then send a test."))
        return redirect("workspace:webhook", row.pk)
    return render(request, "workspace/webhook_form.html", {"form": form}, status=422 if form.errors else 200)


@_allowed
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change name, address, or what it is told about."""
    row = get_object_or_404(Endpoint, pk=pk)
    form = EndpointForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        # Only these: workers note how the receiver does in the same row. Another address has a life of its own.
        anew = {"failing_since": None, "is_slow": False} if "url" in form.changed_data else {}
        Endpoint.objects.filter(pk=pk).update(**form.cleaned_data, **anew)
        messages.success(request, _("Endpoint saved."))
        return redirect("workspace:webhook", pk)
    context = {"form": form, "endpoint": row}
    return render(request, "workspace/webhook_form.html", context, status=422 if form.errors else 200)


@_allowed
@require_safe
def endpoint(request: HttpRequest, pk: int) -> HttpResponse:
    """How it does, its secret, and its log."""
    return _page(request, get_object_or_404(Endpoint, pk=pk))


def _page(
    request: HttpRequest, row: Endpoint, *, replay_form: ReplayForm | None = None, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    form = DeliveryFilter(request.GET)
    cursor = request.GET.get("cursor", "")
    replay = lists.last_replay(row, now=now)
    local = timezone.localtime(now)
    context: dict[str, Any] = {
        "endpoint": row,
        "secret_problem": sealed.problem(row.secret),
        "has_old_secret": row.old_secret_until is not None and row.old_secret_until > now,
        "filter": form,
        "page": page(lists.deliveries(row, form.values(), now=now), field="created_at", cursor=cursor),
        "rotate_form": RotateForm(),
        "replay_form": replay_form or ReplayForm(initial={"since": local - lists.LATELY, "until": local}),
        **_progress(replay),
    }
    return render(request, "workspace/webhook.html", context, status=status)


def _progress(replay: Replay | None) -> dict[str, Any]:
    return {"replay": replay, "progress": replays.progress_of(replay) if replay else None}


@_allowed
@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test now, and show what came of it."""
    row = get_object_or_404(Endpoint, pk=pk)
    if limits.count_for("webhook-test", str(pk)) > MAX_TESTS:
        messages.warning(request, _("That was too often. Please try again in a minute."))
        return redirect("workspace:webhook", pk)
    tried = endpoints.send_test(endpoint_id=row.pk, now=timezone.now())
    if tried is None:
        raise Http404
    if tried.delivery.status == Delivery.Status.DELIVERED:
        messages.success(request, _("The receiver took the test."))
    else:
        messages.error(request, _("The receiver did not take the test. What came back stands below."))
    return redirect("workspace:webhook_delivery", pk, tried.delivery_id)


@_allowed
@require_POST
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a new secret; the old one signs along for as long as was chosen."""
    get_object_or_404(Endpoint, pk=pk)
    form = RotateForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose how long the old secret is to sign along."))
        return redirect("workspace:webhook", pk)
    endpoints.rotate(endpoint_id=pk, now=timezone.now(), overlap=form.overlap)
    messages.success(request, _("There is a new secret. Put it into your receiver."))
    return redirect("workspace:webhook", pk)


@_allowed
@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch it on or off."""
    get_object_or_404(Endpoint, pk=pk)
    on = request.POST.get("on") == "1"
    endpoints.switch(endpoint_id=pk, on=on, now=timezone.now())
    said = _("The endpoint is on; what waited is sent now.") if on else _("The endpoint is off; what is due waits.")
    messages.success(request, said)
    return redirect("workspace:webhook", pk)


@_allowed
@require_POST
def replay(request: HttpRequest, pk: int) -> HttpResponse:
    """Send all of a span of time again."""
    row = get_object_or_404(Endpoint, pk=pk)
    form = ReplayForm(request.POST)
    if form.is_valid():
        user = request.user
        try:
            replays.start(endpoint=row, now=timezone.now(), by=user.get_username(), **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("It is being sent again."))
            return redirect("workspace:webhook", pk)
    return _page(request, row, replay_form=form, status=422)


@_allowed
@require_safe
def progress(request: HttpRequest, pk: int, replay_pk: UUID) -> HttpResponse:
    """How far a repetition is, for a page that waits; 204 once it is done."""
    found = get_object_or_404(Replay, endpoint=pk, pk=replay_pk)
    context = _progress(found)
    if context["progress"].is_done:
        return HttpResponse(status=204)
    return render(request, "workspace/_webhook_replay.html", context)


@_allowed
@require_safe
def delivery(request: HttpRequest, pk: int, delivery_pk: UUID) -> HttpResponse:
    """One delivery: what was sent, and what came back from each try."""
    try:
        row = lists.delivery(pk, delivery_pk)
    except Delivery.DoesNotExist as error:
        raise Http404 from error
    context = {"endpoint": row.endpoint, "delivery": row, "body": pretty(attempts.content_of(row))}
    return render(request, "workspace/webhook_delivery.html", context)


@_allowed
@require_POST
def again(request: HttpRequest, pk: int, delivery_pk: UUID) -> HttpResponse:
    """Send one delivery again, under its old id."""
    row = get_object_or_404(Delivery.objects.select_related("endpoint"), endpoint=pk, pk=delivery_pk)
    if webhooks.redeliver(ids=[row.pk], now=timezone.now()):
        messages.success(request, _("It is being sent again. Reload the page in a moment to see what came of it."))
    elif not row.endpoint.is_active:
        messages.warning(request, _("The endpoint is switched off. Switch it on first."))
    else:
        messages.warning(request, _("It is still being tried."))
    return redirect("workspace:webhook_delivery", pk, delivery_pk)
