"""Targets: which score is to be reached where, how far it is, and which one comes next."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.insights import targets
from apps.insights.actions import today_of
from apps.insights.models import Target
from apps.touchpoints.models import Touchpoint
from apps.workspace import lists_improve as lists
from apps.workspace.improve_forms import TargetFilter, TargetForm
from apps.workspace.lists import touchpoints
from apps.workspace.paging import page

ADD, CHANGE, DELETE = (f"insights.{verb}_target" for verb in ("add", "change", "delete"))


@login_required
@require_safe
def target_list(request: HttpRequest) -> HttpResponse:
    """Newest first, filtered, each with how it stands."""
    now = timezone.now()
    form = TargetFilter(request.GET, touchpoints=touchpoints())
    found = lists.target_rows(form.values(), today=today_of(now))
    rows = page(found, field="created_at", cursor=request.GET.get("cursor", ""))
    context = {"filter": form, "page": rows, "rows": targets.states(rows.rows, now=now)}
    return render(request, "workspace/targets.html", context)


@login_required
@require_safe
def target(request: HttpRequest, pk: int) -> HttpResponse:
    """How one stands, and those before and after it."""
    row = get_object_or_404(Target.objects.select_related("touchpoint", "next", "created_by"), pk=pk)
    context = {"state": targets.states([row], now=timezone.now())[0], "target": row, "chain": lists.chain(row)}
    return render(request, "workspace/target.html", context)


@login_required
@permission_required(ADD, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Set one; ``?touchpoint=`` says where, ``?follows=`` after which one."""
    before = _before(request)
    initial: dict[str, Any] = {
        "touchpoint": Touchpoint.objects.filter(key=request.GET.get("touchpoint", "")[:60]).first()
    }
    if before is not None:
        state = targets.states([before], now=timezone.now())[0]
        if state.proposal is None and request.method != "POST":
            messages.warning(request, _("Nothing follows this target for now: it is not met, or the next one is set."))
            return redirect("workspace:target", before.pk)
        initial = {"touchpoint": before.touchpoint_id, "goal": state.proposal, "days": before.days}
    form = TargetForm(request.POST or None, initial=initial)
    if before is not None:
        form.fields["touchpoint"].disabled = True
    if request.method == "POST" and form.is_valid():
        row = _set(request, form, before)
        if row is not None:
            messages.success(request, _("Target set."))
            return redirect("workspace:target", row.pk)
    context = {"form": form, "before": before}
    return render(request, "workspace/target_form.html", context, status=422 if form.errors else 200)


def _before(request: HttpRequest) -> Target | None:
    """The target that this one is to follow; none that is no number, or not there."""
    text = request.GET.get("follows", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    return Target.objects.select_related("touchpoint", "next").filter(pk=int(text)).first()


def _set(request: HttpRequest, form: TargetForm, before: Target | None) -> Target | None:
    by: Any = request.user
    data = {name: form.cleaned_data[name] for name in ("goal", "days", "due_on")}
    place = form.cleaned_data["touchpoint"]
    try:
        return targets.set_target(
            touchpoint_id=place.pk if place else None, by=by, now=timezone.now(),
            follows_id=before.pk if before else None, **data,
        )  # fmt: skip
    except targets.TargetError as error:
        _tell(form, error)
        return None


def _tell(form: TargetForm, error: targets.TargetError) -> None:
    field, text = {
        "open_exists": ("touchpoint", _("There is an open target already. Change that one, or drop it first.")),
        "already_met": ("goal", _("The score is there already, and not by accident. Aim higher.")),
        "ended": (None, _("This target has ended meanwhile. Set a new one.")),
        "followed": (None, _("The next target was set already.")),
        "not_met": (None, _("The target before it is not met any more, so nothing follows it yet.")),
    }[error.code]
    form.add_error(field, text)


@login_required
@permission_required(CHANGE, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change one that is open."""
    row = get_object_or_404(Target.objects.select_related("touchpoint"), pk=pk)
    if row.status != Target.Status.OPEN:
        messages.warning(request, _("This target has ended. Set a new one."))
        return redirect("workspace:target", pk)
    form = TargetForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        data = {name: form.cleaned_data[name] for name in ("goal", "days", "due_on")}
        try:
            targets.change(target_id=pk, now=timezone.now(), **data)
        except targets.TargetError as error:
            _tell(form, error)
        else:
            messages.success(request, _("Target saved."))
            return redirect("workspace:target", pk)
    context = {"form": form, "target": Target.objects.select_related("touchpoint").get(pk=pk)}
    return render(request, "workspace/target_form.html", context, status=422 if form.errors else 200)


@login_required
@permission_required(CHANGE, raise_exception=True)
@require_POST
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    """End one that is not met, or do without the one that was proposed next."""
    row = get_object_or_404(Target, pk=pk)
    if row.status == Target.Status.MET:
        targets.decline(target_id=pk)
        messages.success(request, _("There is no next target for now."))
        return redirect("workspace:target", pk)
    try:
        targets.drop(target_id=pk, now=timezone.now())
        messages.success(request, _("Target dropped."))
    except targets.TargetError:
        messages.warning(request, _("This target has ended meanwhile."))
    return redirect("workspace:target", pk)


@login_required
@permission_required(DELETE, raise_exception=True)
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete one for good, as if it had never been set."""
    get_object_or_404(Target, pk=pk).delete()
    messages.success(request, _("Target deleted."))
    return redirect("workspace:targets")
