"""The board: cases in columns by how far they are, moved by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.cases import services
from apps.cases.errors import CaseError, MergedError, OutcomeMissingError
from apps.cases.models import Case
from apps.workspace import lists_cases as lists
from apps.workspace.case_filter import BoardFilter
from apps.workspace.case_forms import CloseForm, MoveForm
from apps.workspace.templatetags.cases import whose
from apps.workspace.views.case_acts import user_of
from apps.workspace.wording import case_refusal

_STATUSES = [(value, capfirst(label)) for value, label in Case.Status.choices]


@dataclass(frozen=True, slots=True)
class Column:
    """One column with its cards; ``more`` is the limit that shows further ones, 0 if all are there."""

    status: str
    name: str
    is_closed: bool
    number: int
    cards: list[Case]
    more: int


@require_safe
@login_required
def board(request: HttpRequest) -> HttpResponse:
    """All that is open, and what was closed of late, in columns."""
    now, choices = timezone.now(), lists.choices()
    form = BoardFilter(request.GET, choices=choices)
    found = lists.cases(form.values(), user=user_of(request), now=now)
    limits = {status: _limit(request.GET.get(f"show_{status}", "")) for status, _name in _STATUSES}
    context = {
        "filter": form,
        "now": now,
        "statuses": _STATUSES,
        "columns": _columns(lists.board(found, limits=limits, now=now), lists.column_counts(found, now=now), limits),
        "lately": lists.CLOSED_LATELY.days,
        "close_form": CloseForm(choices=choices),
        "back": request.GET.urlencode(),
    }
    return render(request, "workspace/case_board.html", context)


def _limit(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else lists.COLUMN
    return min(max(number, lists.COLUMN), lists.COLUMN_MAX)


def _columns(cards: Mapping[str, list[Case]], numbers: Mapping[str, int], limits: Mapping[str, int]) -> list[Column]:
    found = []
    for status, name in _STATUSES:
        shown, number = cards[status], numbers.get(status, 0)
        can_grow = number > len(shown) and limits[status] < lists.COLUMN_MAX
        more = limits[status] + lists.COLUMN if can_grow else 0
        found.append(Column(status, str(name), status in services.CLOSED, number, shown, more))
    return found


@require_POST
@login_required
def move(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Moves a card. A script gets JSON: the card as it is then, or why not; a form goes back to the board."""
    is_script = not request.accepts("text/html")
    get_object_or_404(Case, pk=pk)
    form = MoveForm(request.POST, choices=lists.choices(with_touchpoints=False))
    if not form.is_valid():
        return _refused(request, pk, "unknown_status", is_script=is_script)
    try:
        services.change(
            case_id=pk,
            revision=form.cleaned_data["revision"],
            changes=form.changes(),
            by=user_of(request),
            now=timezone.now(),
        )
    except OutcomeMissingError as error:
        if not is_script:
            # Without a script the case's own page asks how it ended.
            return redirect(f"{reverse('workspace:case', args=[pk])}?close={form.cleaned_data['status']}#close")
        return _refused(request, pk, error.code, is_script=True)
    except CaseError as error:
        return _refused(request, pk, error.code, is_script=is_script)
    row = lists.card(pk)
    said = _("%(name)s is in “%(column)s” now.") % {"name": whose(row), "column": capfirst(row.get_status_display())}
    if is_script:
        return JsonResponse({"said": said, **_card(request, row)})
    messages.success(request, said)
    return _back(request)


def _refused(request: HttpRequest, pk: UUID, code: str, *, is_script: bool) -> HttpResponse:
    said = _("Not moved: %(why)s") % {"why": case_refusal(code)}
    if not is_script:
        messages.error(request, said)
        return _back(request)
    told: dict[str, Any] = {"said": said, "code": code}
    row = Case.objects.filter(pk=pk, merged_into=None).first()
    # Where it is now, if it is anywhere, so that the next try is on top of that.
    told |= _card(request, lists.card(pk)) if row is not None and code != MergedError.code else {"card": ""}
    return JsonResponse(told, status=422 if code == OutcomeMissingError.code else 409)


def _card(request: HttpRequest, row: Case) -> dict[str, str]:
    context = {"case": row, "now": timezone.now(), "statuses": _STATUSES, "back": request.POST.get("back", "")}
    return {"status": row.status, "card": render_to_string("workspace/_case_card.html", context, request)}


def _back(request: HttpRequest) -> HttpResponse:
    query = QueryDict(request.POST.get("back", "")).urlencode()
    return redirect(f"{reverse('workspace:board')}?{query}".rstrip("?"))
