"""Stages and touchpoints are added, changed and removed."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.touchpoints import arranging
from apps.touchpoints.arranging import ImpossibleError, Map, read
from apps.workspace.journey_arrange_forms import STAY, Named, StageForm, TouchpointForm
from apps.workspace.journey_arrange_words import refusal, what_lies_on

View = Callable[..., HttpResponse]


def _allowed(*rights: str) -> Callable[[View], View]:
    """For those who may do all of this."""

    def decorate(view: View) -> View:
        names = [f"touchpoints.{right}" for right in rights]
        checked: View = login_required(permission_required(names, raise_exception=True)(view))
        return wraps(view)(checked)

    return decorate


def _page(request: HttpRequest, template: str, form: Named, found: Map, **context: object) -> HttpResponse:
    values = {"form": form, "map": found, **context}
    return render(request, f"workspace/{template}.html", values, status=422 if form.errors else 200)


def _refused(form: Named, error: ImpossibleError | ValidationError, found: Map) -> None:
    """What was typed stays; a second try is on top of the map as it is now."""
    if isinstance(error, ValidationError):
        told = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        for name, texts in told.items():
            form.add_error(name if name in form.fields else None, texts)
        return
    form.add_error(None, refusal(error.code))
    form.data = {**form.data.dict(), "revision": found.revision}  # type: ignore[attr-defined]


@_allowed("change_touchpoint", "add_stage")
@require_http_methods(["GET", "HEAD", "POST"])
def new_stage(request: HttpRequest) -> HttpResponse:
    """One more stage or sub-step, last in its row."""
    found = read()
    form = StageForm(request.POST or None, found=found, initial={"parent": request.GET.get("on", "")})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            row = arranging.add_stage(key=values["key"], name=values["name"], parent_id=values["parent"])
        except (ImpossibleError, ValidationError) as error:
            _refused(form, error, read())
        else:
            messages.success(request, _("“%(name)s” is on the map now.") % {"name": row})
            return redirect("workspace:journey_arrange")
    return _page(request, "journey_arrange_stage", form, found)


@_allowed("change_touchpoint", "change_stage")
@require_http_methods(["GET", "HEAD", "POST"])
def stage(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a stage, or make it a sub-step."""
    found = read()
    row = found.stages.get(pk)
    if row is None:
        raise Http404
    initial = {"name": row.name, "parent": row.parent_id, "revision": found.revision}
    form = StageForm(request.POST or None, found=found, stage_id=pk, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            arranging.change_stage(
                stage_id=pk, name=values["name"], parent_id=values["parent"], revision=values["revision"]
            )
        except (ImpossibleError, ValidationError) as error:
            _refused(form, error, read())
        else:
            messages.success(request, _("Saved."))
            return redirect("workspace:journey_arrange")
    return _page(request, "journey_arrange_stage", form, found, stage=row, lying=what_lies_on(found, pk))


@_allowed("change_touchpoint", "delete_stage")
@require_POST
def remove_stage(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an empty stage off the map."""
    found = read()
    if pk not in found.stages:
        raise Http404
    try:
        arranging.remove_stage(stage_id=pk)
    except ImpossibleError as error:
        lying = what_lies_on(read(), pk)
        told = _("Not removed, for this still lies on it: %(names)s. Move it elsewhere first.") % {"names": lying}
        messages.error(request, told if lying else refusal(error.code))
    else:
        messages.success(request, _("“%(name)s” is off the map.") % {"name": found.stages[pk]})
    return redirect("workspace:journey_arrange")


@_allowed("change_touchpoint", "add_touchpoint")
@require_http_methods(["GET", "HEAD", "POST"])
def new_touchpoint(request: HttpRequest) -> HttpResponse:
    """One more touchpoint, last on its stage."""
    found = read()
    if found.is_empty:
        messages.info(request, _("Make a stage first: a touchpoint lies on one."))
        return redirect("workspace:journey_arrange_stage_new")
    form = TouchpointForm(request.POST or None, found=found, initial={"where": request.GET.get("on", "")})
    if request.method == "POST" and form.is_valid():
        values, place = form.cleaned_data, form.place
        try:
            row = arranging.add_touchpoint(
                key=values["key"], name=values["name"], stage_id=place[0] if place else 0,
                legal_basis=values["legal_basis"],
            )  # fmt: skip
        except (ImpossibleError, ValidationError) as error:
            _refused(form, error, read())
        else:
            messages.success(request, _("“%(name)s” is on the map now.") % {"name": row})
            return redirect("workspace:journey_arrange")
    return _page(request, "journey_arrange_touchpoint", form, found)


@_allowed("change_touchpoint")
@require_http_methods(["GET", "HEAD", "POST"])
def touchpoint(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a touchpoint, put it elsewhere, switch it on or off."""
    found = read()
    row = found.touchpoints.get(pk)
    if row is None:
        raise Http404
    initial = {
        "name": row.name, "legal_basis": row.legal_basis, "is_active": row.is_active, "where": STAY,
        "revision": found.revision,
    }  # fmt: skip
    form = TouchpointForm(request.POST or None, found=found, touchpoint_id=pk, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            arranging.change_touchpoint(
                touchpoint_id=pk, name=values["name"], legal_basis=values["legal_basis"],
                is_active=values["is_active"], where=form.place, revision=values["revision"],
            )  # fmt: skip
        except (ImpossibleError, ValidationError) as error:
            _refused(form, error, read())
        else:
            messages.success(request, _("Saved."))
            return redirect("workspace:journey_arrange")
    used = arranging.is_used(touchpoint_id=pk)
    return _page(request, "journey_arrange_touchpoint", form, found, touchpoint=row, used=used)


@_allowed("change_touchpoint", "delete_touchpoint")
@require_POST
def remove_touchpoint(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a touchpoint off the map, or switch it off if something happened there."""
    found = read()
    if pk not in found.touchpoints:
        raise Http404
    name = {"name": found.touchpoints[pk]}
    try:
        is_gone = arranging.remove_touchpoint(touchpoint_id=pk)
    except ImpossibleError as error:
        messages.error(request, refusal(error.code))
    else:
        off = _("“%(name)s” is switched off. It stays on the map, for something happened there or refers to it.")
        messages.success(request, (_("“%(name)s” is off the map.") if is_gone else off) % name)
    return redirect("workspace:journey_arrange")
