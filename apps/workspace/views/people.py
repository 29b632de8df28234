"""Contacts at risk, advocates, and silent ones: why they are there, and what to do next."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from apps.cases import services as cases
from apps.common.conditions import ConditionError
from apps.contacts.models import Contact
from apps.insights import people
from apps.insights.people_finding import TooManyError, patience
from apps.insights.people_words import MEANINGS, TITLES
from apps.transfers.export_people import people_table
from apps.transfers.exports import download, note
from apps.workspace import lists, lists_cases
from apps.workspace import lists_people as rows
from apps.workspace.paging import Page
from apps.workspace.people_filter import PeopleFilter
from apps.workspace.views.case_acts import user_of
from apps.workspace.views.exports import CONTACTS, may_export, used

BROKEN = gettext_lazy(
    "A segment of contacts that was chosen cannot be evaluated. Mend its condition, or choose another one."
)
PAGES = {people.AT_RISK: "people", people.ADVOCATES: "people_advocates", people.SILENT: "people_silent"}
MAX_AT_ONCE = 100
"""So many cases are opened at once; a page shows 25 contacts."""


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def at_risk(request: HttpRequest) -> HttpResponse:
    """Contacts who may leave, the most urgent first; POST opens cases for those that are ticked."""
    if request.method == "POST":
        return _open_cases(request)
    return _page(request, people.AT_RISK)


@login_required
@require_safe
def advocates(request: HttpRequest) -> HttpResponse:
    """Contacts who speak well of the tenant, the latest first."""
    return _page(request, people.ADVOCATES)


@login_required
@require_safe
def silent(request: HttpRequest) -> HttpResponse:
    """Contacts who were asked and never answered, those who were asked last first."""
    return _page(request, people.SILENT)


def _form(request: HttpRequest, standing: str) -> PeopleFilter:
    users = lists_cases.everybody() if standing == people.AT_RISK else ()
    return PeopleFilter(
        request.GET, standing=standing, touchpoints=lists.touchpoints(), segments=lists.segments(), users=users
    )


def _page(request: HttpRequest, standing: str) -> HttpResponse:
    form = _form(request, standing)
    try:
        with patience():
            told = _look(request, standing, form)
    except TooManyError:
        told = {"page": _no_page(), "people": [], "is_too_much": True}
    counted = told.get("counts", {})
    context = {
        "standing": standing,
        "title": TITLES[standing],
        "meaning": MEANINGS[standing],
        "tabs": [
            (reverse(f"workspace:{name}"), TITLES[one], counted.get(one), one == standing)
            for one, name in PAGES.items()
        ],
        "filter": form,
        "campaigns": rows.campaigns(standing, form.wanted()) if told["people"] else [],
        "export": f"workspace:{PAGES[standing]}_export",
        **told,
    }
    return render(request, "workspace/people.html", context)


def _no_page() -> Page:
    return Page(total=0, rows=[], is_first=True, next_cursor="")


def _look(request: HttpRequest, standing: str, form: PeopleFilter) -> dict[str, Any]:
    """The page's contacts, and how many there are in each list. Raises TooManyError."""
    now, values = timezone.now(), form.values()
    try:
        found = rows.found(standing, values["reason"], form.wanted(), now=now)
    except ConditionError:
        return {"page": _no_page(), "people": [], "counts": rows.counts(now=now, known={}), "broken": BROKEN}
    shown = rows.one_page(standing, found, sort=values["sort"], cursor=request.GET.get("cursor", ""))
    return {
        "page": shown,
        "people": rows.read(standing, shown, now=now),
        "counts": rows.counts(now=now, known={} if form.is_used else {standing: shown}),
        "is_newest_only": shown.total_is_bound and standing == people.AT_RISK and not values["sort"],
    }


def _open_cases(request: HttpRequest) -> HttpResponse:
    """For ticked ones without an open case."""
    ids = _ids(request.POST.getlist("response"))
    if not ids:
        messages.warning(request, _("Tick some contacts first."))
        return redirect(request.get_full_path())
    opened = cases.open_many_by_hand(response_ids=ids, by=user_of(request), now=timezone.now())
    if opened:
        text = ngettext("%(n)d case opened.", "%(n)d cases opened.", len(opened))
        messages.success(request, text % {"n": len(opened)})
    if len(opened) < len(ids):
        left = len(ids) - len(opened)
        text = ngettext(
            "%(n)d contact has a case already, or the answer is gone: nothing was opened.",
            "%(n)d contacts have a case already, or their answers are gone: nothing was opened.",
            left,
        )
        messages.info(request, text % {"n": left})
    return redirect(request.get_full_path())


def _ids(values: list[str]) -> list[UUID]:
    found = []
    for value in values[:MAX_AT_ONCE]:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return list(dict.fromkeys(found))


@login_required
@require_GET
def export(request: HttpRequest, kind: str, standing: str) -> HttpResponseBase:
    """All of a list that the filters leave, the newest first, as a file; none where they cannot be evaluated."""
    user = may_export(request, kind, CONTACTS)
    now = timezone.now()
    form = _form(request, standing)
    try:
        found = rows.found(standing, form.values()["reason"], form.wanted(), now=now)
    except ConditionError:
        # A file of nobody would be taken for the answer: back to the list, which says why there is none.
        messages.error(request, BROKEN)
        return redirect(f"{reverse(f'workspace:{PAGES[standing]}')}?{request.GET.urlencode()}")
    found = found.order_by(*rows.order_of(standing))
    table = people_table(found, standing=standing, now=now, zone=timezone.get_current_timezone())
    note(Contact, user=user, kind=kind, filters=[standing, *used(form)])
    return download(table, kind=kind, name=standing.replace("_", "-"), today=timezone.localdate())
