"""The list of cases: filtered, saved under a name, and many of them changed at once."""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from apps.cases import services
from apps.cases.errors import CaseError
from apps.cases.models import Case, CaseView
from apps.workspace import case_views
from apps.workspace import lists_cases as lists
from apps.workspace.case_filter import CaseFilter, Choices, written
from apps.workspace.case_forms import MAX_AT_ONCE, BulkForm, ViewForm
from apps.workspace.views.case_acts import user_of
from apps.workspace.wording import case_refusal

TOO_LONG = 500
Again = dict[str, Any]
"""What the page is shown with once more, with what is wrong."""


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def cases(request: HttpRequest) -> HttpResponse:
    """Open cases by due time unless something else is asked for; POST changes those that are ticked, or saves lists."""
    choices = lists.choices()
    form = CaseFilter(request.GET, choices=choices)
    if request.method != "POST":
        return _page(request, form, choices)
    do = _DO.get(request.POST.get("do", ""))
    if do is None:
        return HttpResponseBadRequest()
    done = do(request, form, choices)
    if isinstance(done, dict):
        return _page(request, form, choices, status=422, **done)
    return done


def _page(request: HttpRequest, form: CaseFilter, choices: Choices, *, status: int = 200, **again: Any) -> HttpResponse:
    user, now = user_of(request), timezone.now()
    values = form.values()
    views = lists.views_of(user)
    view = case_views.current(values, views)
    found = lists.cases(values, user=user, now=now)
    context = {
        "filter": form,
        "page": lists.one_page(found, values, cursor=request.GET.get("cursor", "")),
        "now": now,
        "tabs": case_views.built_in(values, lists.counts(user=user, now=now)),
        "saved": case_views.saved(values, views, user.pk),
        "view": view,
        "is_own_view": view is not None and view.user_id == user.pk,
        "is_view_changed": view is not None and view.query != written(values),
        "view_form": ViewForm(instance=view),
        "bulk": BulkForm(choices=choices),
        "query": written(values),
        **again,
    }
    return render(request, "workspace/cases.html", context, status=status)


def _bulk(request: HttpRequest, form: CaseFilter, choices: Choices) -> HttpResponse | Again:
    """Change those that are ticked, and say what came of it."""
    ticked = request.POST.getlist("case")
    ids = _ids(ticked)
    bulk = BulkForm(request.POST, choices=choices)
    if not ids:
        messages.warning(request, _("Tick some cases first."))
        return redirect(request.get_full_path())
    if not bulk.is_valid():
        return {"bulk": bulk, "picked": set(ids)}
    if bulk.cleaned_data["action"] == BulkForm.MERGE:
        _merge(request, ids)
    else:
        user = user_of(request)
        many = services.change_many(case_ids=ids, changes=bulk.changes(user), by=user, now=timezone.now())
        _say(request, len(many.changed), many.refused.values())
    if len(ticked) > MAX_AT_ONCE:
        text = _("At most %(most)d cases are changed at once: the other %(n)d stayed as they are.")
        messages.warning(request, text % {"most": MAX_AT_ONCE, "n": len(ticked) - MAX_AT_ONCE})
    return redirect(request.get_full_path())


def _ids(values: Iterable[str]) -> list[UUID]:
    found = []
    for value in list(values)[:MAX_AT_ONCE]:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return list(dict.fromkeys(found))


def _say(request: HttpRequest, changed: int, refused: Iterable[str]) -> None:
    if changed:
        text = ngettext("%(n)d case changed.", "%(n)d cases changed.", changed)
        messages.success(request, text % {"n": changed})
    for reason, number in Counter(refused).items():
        text = ngettext("%(n)d case not changed: %(why)s", "%(n)d cases not changed: %(why)s", number)
        messages.warning(request, text % {"n": number, "why": case_refusal(reason)})
    if not changed and not refused:
        messages.info(request, _("Nothing was different: no case changed."))


def _merge(request: HttpRequest, ids: list[UUID]) -> None:
    """All of them become the one that was opened first."""
    rows = list(Case.objects.filter(pk__in=ids, merged_into=None).order_by("opened_at", "pk"))
    if len(rows) < 2:
        messages.warning(request, _("Tick at least two cases of one contact to merge them."))
        return
    first, *others = rows
    try:
        services.merge(into=first.pk, others=[row.pk for row in others], by=user_of(request), now=timezone.now())
    except CaseError as error:
        messages.error(request, _("Nothing was merged: %(why)s") % {"why": case_refusal(error.code)})
        return
    text = ngettext("%(n)d case went into the oldest one.", "%(n)d cases went into the oldest one.", len(others))
    messages.success(request, text % {"n": len(others)})


def _new_view(request: HttpRequest, form: CaseFilter, choices: Choices) -> HttpResponse | Again:
    """Save what the list is filtered by under a name."""
    user = user_of(request)
    view = CaseView(user_id=user.pk, query=written(form.values()), position=0)
    named = _named(request, view)
    if CaseView.objects.filter(user_id=user.pk).count() >= case_views.MAX_VIEWS:
        named.add_error(None, _("You have saved as many lists as there can be. Delete one first."))
    if not named.is_valid():
        return {"view_form": named, "is_saving": True}
    named.save()
    messages.success(request, _("List saved."))
    return redirect(_address(view))


def _change_view(request: HttpRequest, form: CaseFilter, choices: Choices) -> HttpResponse | Again:
    """Another name, shared or not, and the filters as they are now."""
    view = get_object_or_404(CaseView, user=user_of(request).pk, pk=form.values()["view"] or 0)
    view.query = written(form.values())
    named = _named(request, view)
    if not named.is_valid():
        return {"view_form": named, "is_changing": True}
    named.save()
    messages.success(request, _("List saved."))
    return redirect(_address(view))


def _delete_view(request: HttpRequest, form: CaseFilter, choices: Choices) -> HttpResponse | Again:
    """The list is gone, its cases are not."""
    get_object_or_404(CaseView, user=user_of(request).pk, pk=form.values()["view"] or 0).delete()
    messages.success(request, _("List deleted. Its cases are where they were."))
    return redirect("workspace:cases")


def _named(request: HttpRequest, view: CaseView) -> ViewForm:
    named = ViewForm(request.POST, instance=view)
    if named.is_valid():
        same = CaseView.objects.filter(user_id=user_of(request).pk, name=named.cleaned_data["name"]).exclude(pk=view.pk)
        if same.exists():
            named.add_error("name", _("You have a list of this name already."))
        if len(view.query) > TOO_LONG:
            named.add_error(None, _("These are too many filters to be saved. Shorten the search."))
    return named


def _address(view: CaseView) -> str:
    return f"{reverse('workspace:cases')}?view={view.pk}&{view.query}".rstrip("&")


_DO = {"bulk": _bulk, "new_view": _new_view, "change_view": _change_view, "delete_view": _delete_view}
