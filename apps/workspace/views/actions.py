"""Improvement actions: what is tried where customers are unhappy, how far it is, and whether it helped."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.insights import actions, measuring
from apps.insights.models import Action
from apps.touchpoints.models import Touchpoint
from apps.workspace import lists_improve as lists
from apps.workspace.improve_forms import ActionFilter, ActionForm, MoveForm, people
from apps.workspace.lists import touchpoints
from apps.workspace.paging import page

ADD, CHANGE, DELETE = (f"insights.{verb}_action" for verb in ("add", "change", "delete"))


@login_required
@require_safe
def action_list(request: HttpRequest) -> HttpResponse:
    """Newest first, filtered, each with what came of it."""
    now = timezone.now()
    today = actions.today_of(now)
    form = ActionFilter(request.GET, touchpoints=touchpoints(), owners=people())
    found = lists.action_rows(form.values(), user_id=request.user.pk or 0, today=today)
    rows = page(found, field="created_at", cursor=request.GET.get("cursor", ""))
    came = measuring.of_actions(rows.rows, now=now)
    shown = [(row, came.get(row.pk), actions.is_overdue(row, today=today)) for row in rows.rows]
    return render(request, "workspace/actions.html", {"filter": form, "page": rows, "rows": shown})


@login_required
@permission_required(ADD, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Log one more; ``?touchpoint=`` says where."""
    place = Touchpoint.objects.filter(key=request.GET.get("touchpoint", "")[:60]).first()
    form = ActionForm(request.POST or None, initial={"touchpoint": place, "owner": request.user.pk})
    return _form(request, form)


@login_required
@permission_required(CHANGE, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Change one."""
    return _form(request, ActionForm(request.POST or None, instance=get_object_or_404(Action, pk=pk)))


def _form(request: HttpRequest, form: ActionForm) -> HttpResponse:
    is_new = form.instance._state.adding
    if request.method == "POST" and form.is_valid():
        by: Any = request.user
        try:
            row = actions.save(row=form.instance, by=by, now=timezone.now(), fields=form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Action saved."))
            return redirect("workspace:action", row.pk)
    # The title is what is stored, not what was typed.
    stored = None if is_new else Action.objects.get(pk=form.instance.pk)
    context = {"form": form, "action": stored}
    return render(request, "workspace/action_form.html", context, status=422 if form.errors else 200)


@login_required
@require_safe
def action(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What it is, how far, and what came of it."""
    return _page(request, pk)


def _page(request: HttpRequest, pk: UUID, *, form: MoveForm | None = None, status: int = 200) -> HttpResponse:
    found = Action.objects.select_related("touchpoint", "owner", "control_touchpoint", "created_by")
    row = get_object_or_404(found, pk=pk)
    now = timezone.now()
    context = {
        "action": row,
        "measured": measuring.of_actions([row], now=now).get(row.pk),
        "is_overdue": actions.is_overdue(row, today=actions.today_of(now)),
        "ways": actions.FLOW[row.status],
        "form": form or MoveForm(initial={"on": row.done_on or actions.today_of(now), "learned": row.learned}),
    }
    return render(request, "workspace/action.html", context, status=status)


@login_required
@permission_required(CHANGE, raise_exception=True)
@require_POST
def move(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Bring it into another status."""
    row = get_object_or_404(Action, pk=pk)
    form = MoveForm(request.POST)
    if not form.is_valid():
        return _page(request, pk, form=form, status=422)
    data = form.cleaned_data
    learned = data["learned"] if "learned" in request.POST else None
    try:
        actions.move(action_id=row.pk, to=data["to"], on=data["on"], now=timezone.now(), learned=learned)
    except ValidationError as error:
        form.add_error(None if set(error.message_dict) - {"done_on", "starts_on"} else "on", error.messages)
        return _page(request, pk, form=form, status=422)
    except actions.ActionError as error:
        if error.code == "not_yet":
            form.add_error("on", _("This day is to come. Mark it as done once customers notice it."))
            return _page(request, pk, form=form, status=422)
        messages.error(request, _("Somebody moved it meanwhile. Look at how far it is now."))
    else:
        messages.success(request, _("Saved."))
    return redirect("workspace:action", pk)


@login_required
@permission_required(DELETE, raise_exception=True)
@require_POST
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Delete one for good."""
    get_object_or_404(Action, pk=pk).delete()
    messages.success(request, _("Action deleted."))
    return redirect("workspace:actions")
