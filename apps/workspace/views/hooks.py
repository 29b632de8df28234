"""Hooks: the list, a new one, one of them with what it makes of its messages, and what is done to it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.common import sealed
from apps.touchpoints import hooks as engine
from apps.touchpoints.hook_presets import PRESETS, SIGNATURES, new_hook
from apps.touchpoints.models import Hook, HookTouchpoint, Touchpoint, TrackedName
from apps.workspace import lists_hooks as lists
from apps.workspace.hook_forms import Assignment, Assignments, HookFilter, HookForm, NewHookForm
from apps.workspace.hook_previews import in_words, previews, values_that_came
from apps.workspace.paging import page

CHANGE = "touchpoints.change_hook"


@login_required
@require_safe
def hooks(request: HttpRequest) -> HttpResponse:
    """Newest first, filtered."""
    form = HookFilter(request.GET)
    found = page(lists.hooks(form.values()), field="created_at", cursor=request.GET.get("cursor", ""))
    unmapped = TrackedName.objects.filter(touchpoint=None, is_ignored=False).count()
    return render(request, "workspace/hooks.html", {"filter": form, "page": found, "unmapped": unmapped})


@login_required
@permission_required(CHANGE, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Choose a tool and a name; the hook then listens at once."""
    form = NewHookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        hook = engine.create_hook(hook=new_hook(**form.cleaned_data), now=timezone.now())
        return redirect("workspace:hook", hook.pk)
    return render(request, "workspace/hook_new.html", {"form": form, "presets": PRESETS.values()})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def hook(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows a hook with its newest messages; POST changes it, or only looks what the changes would do."""
    found = _get(pk)
    touchpoints = _touchpoints()
    if request.method != "POST":
        rows = found.assignments.values_list("value", "touchpoint__key")
        given = Assignments((Assignment(*row) for row in rows), touchpoints)
        return _page(request, found, HookForm(instance=found), given, touchpoints)
    if not request.user.has_perm(CHANGE):
        return _forbidden(request)
    form, given = HookForm(request.POST, instance=found), Assignments.posted(request.POST, touchpoints)
    if _is_right(form, given) and "look" not in request.POST:
        _save(form, given)
        messages.success(request, _("Hook saved."))
        return redirect("workspace:hook", pk)
    return _page(request, form.instance, form, given, touchpoints)


@login_required
@permission_required(CHANGE, raise_exception=True)
@require_POST
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What the form as it stands would make of the kept messages; nothing is saved."""
    found, touchpoints = _get(pk), _touchpoints()
    form, given = HookForm(request.POST, instance=found), Assignments.posted(request.POST, touchpoints)
    _is_right(form, given)
    context = _preview(form.instance, form, given, touchpoints)
    return render(request, "workspace/_hook_previews.html", {**context, "may_change": True})


@login_required
@permission_required(CHANGE, raise_exception=True)
@require_POST
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """Gives the hook a new address."""
    engine.rotate_token(hook=_get(pk))
    messages.success(request, _("The hook has a new address. The old one leads nowhere now: change it in the tool."))
    return redirect("workspace:hook", pk)


@login_required
@permission_required(CHANGE, raise_exception=True)
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Deletes the hook with the messages it kept; the events it made stay."""
    _get(pk).delete()
    messages.success(request, _("Hook deleted."))
    return redirect("workspace:hooks")


@login_required
@permission_required(CHANGE, raise_exception=True)
@require_POST
def again(request: HttpRequest, pk: int, payload: UUID) -> HttpResponse:
    """Takes a kept message in once more, with the hook as it is saved."""
    kept = get_object_or_404(_get(pk).payloads, pk=payload)
    receipt = engine.take_again(payload_id=kept.pk, now=timezone.now())
    if receipt is None:
        messages.warning(request, _("Switch the hook on first; a message that was cut off cannot be taken in again."))
    elif receipt.events:
        messages.success(request, _("Taken in: events made: %(count)d.") % {"count": receipt.events})
    elif receipt.problems:
        messages.warning(request, str(in_words(receipt.problems)[0].sentence))
    else:
        messages.info(request, _("Nothing new came of it: its events were there already, or it is left out."))
    return redirect(f"{reverse('workspace:hook', args=[pk])}#messages")


def _get(pk: int) -> Hook:
    return get_object_or_404(Hook.objects.select_related("touchpoint__stage"), pk=pk)


def _touchpoints() -> dict[str, Touchpoint]:
    """The active ones by key, along the journey."""
    return {row.key: row for row in Touchpoint.objects.filter(is_active=True).select_related("stage")}


def _forbidden(request: HttpRequest) -> HttpResponse:
    messages.error(request, _("You may look at hooks, not change them. Ask an administrator."))
    return redirect("workspace:hooks")


def _is_right(form: HookForm, given: Assignments) -> bool:
    problem = given.problem()
    if problem is not None:
        form.add_error(None, problem)
    return form.is_valid()


@transaction.atomic
def _save(form: HookForm, given: Assignments) -> None:
    hook = form.instance
    # Only what the form has: messages that come note themselves in the same row, and its address may be new.
    hook.save(update_fields=list(form.cleaned_data))
    HookTouchpoint.objects.filter(hook=hook).delete()
    rows = [
        HookTouchpoint(hook=hook, value=value, touchpoint=given.touchpoints[key]) for value, key in given.taken.items()
    ]
    HookTouchpoint.objects.bulk_create(rows)


def _page(
    request: HttpRequest, hook: Hook, form: HookForm, given: Assignments, touchpoints: Mapping[str, Touchpoint]
) -> HttpResponse:
    context = _preview(hook, form, given, touchpoints)
    may_change = request.user.has_perm(CHANGE)
    saved = Hook(state=form.initial["state"])
    context |= {
        "hook": hook,
        "saved": saved,
        "form": form,
        "may_change": may_change,
        "preset": PRESETS[hook.tool],
        "rows": given.rows(values_that_came(hook, context["previews"])),
        "touchpoints": touchpoints.values(),
        "last_error": in_words(hook.last_error),
        "signature_tip": SIGNATURES.get(Hook.Tool(hook.tool)),
        "address": _address(request, hook) if may_change else "",
        "token_problem": sealed.problem(hook.token),
    }
    return render(request, "workspace/hook.html", context)


def _preview(hook: Hook, form: HookForm, given: Assignments, touchpoints: Mapping[str, Touchpoint]) -> dict[str, Any]:
    found = previews(hook, assigned=given.taken, touchpoints=touchpoints)
    return {"hook": hook, "previews": found, "form": form, "is_on": form.initial["state"] == Hook.State.ON}


def _address(request: HttpRequest, hook: Hook) -> str:
    return "" if sealed.problem(hook.token) else request.build_absolute_uri(reverse("hooks:receive", args=[hook.token]))
