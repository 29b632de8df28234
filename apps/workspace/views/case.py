"""One case: all that was said about it, what is known of its contact, and what is done."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from apps.cases import services
from apps.cases.errors import MergedError
from apps.cases.models import Case
from apps.cases.policy import current_terms
from apps.responses.models import Response
from apps.responses.selectors import is_anonymous
from apps.surveys.definition import COMMENT, NPS
from apps.workspace import case_hours, lists
from apps.workspace import lists_cases as rows
from apps.workspace.asked import Told, asked
from apps.workspace.case_filter import Choices
from apps.workspace.case_forms import CaseForm, CloseForm, MailForm, NoteForm
from apps.workspace.case_mail import letterhead
from apps.workspace.case_story import story
from apps.workspace.views.case_acts import ACTS, user_of


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def case(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Shows a case; POST does something about it. One that went into another leads there."""
    found = _find(pk)
    if found.merged_into_id is not None:
        return redirect("workspace:case", found.merged_into_id)
    choices = rows.choices(with_touchpoints=False)
    if request.method != "POST":
        return _page(request, found, choices)
    act = ACTS.get(request.POST.get("do", ""))
    if act is None:
        return HttpResponseBadRequest()
    try:
        done = act(request, found, choices)
    except MergedError as error:
        return redirect("workspace:case", error.case.merged_into_id)
    if not isinstance(done, dict):
        return done
    # Somebody else changed it: shown as it is now.
    return _page(
        request, _find(pk) if "sides" in done else found, choices, status=409 if "sides" in done else 422, **done
    )


def _find(pk: UUID) -> Case:
    try:
        return rows.case(pk)
    except Case.DoesNotExist as error:
        raise Http404 from error


def _page(request: HttpRequest, found: Case, choices: Choices, *, status: int = 200, **again: Any) -> HttpResponse:
    response = found.response
    closing = request.GET.get("close", "")
    head = letterhead(found, user_of(request))
    others = rows.cases_of(found.contact, but=found.pk) if found.contact else []
    context = {
        "case": found,
        "is_closed": found.is_closed,
        "now": timezone.now(),
        "is_anonymous": is_anonymous(response),
        "further": _further(response),
        "entries": story(found, choices),
        "hours": case_hours.in_words(current_terms()),
        "earlier": rows.answers_of(found.contact) if found.contact else [],
        "others": others,
        "mergeable": [] if found.is_closed else [row for row in others if row.closed_at is None],
        "people": choices.people,
        "is_mine": found.owner_id == user_of(request).pk,
        "form": CaseForm(case=found, choices=choices),
        "close_form": CloseForm(case=found, choices=choices, status=closing if closing in services.CLOSED else ""),
        "is_closing": closing in services.CLOSED,
        "note_form": NoteForm(),
        "letterhead": head,
        "mail_form": MailForm(subject=head.subject),
        "writes": "note",
        **again,
    }
    return render(request, "workspace/case.html", context, status=status)


def _further(response: Response) -> list[Told]:
    """What was answered beyond score and comment, which stand there anyway."""
    told = asked(response, lists.answers(response), ()).answers
    return [one for one in told if one.words and one.kind not in (NPS, COMMENT)]


@require_POST
@login_required
def open_case(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Opens a case for a response, or shows the one it has."""
    try:
        opened = services.open_by_hand(response_id=pk, by=user_of(request), now=timezone.now())
    except Response.DoesNotExist as error:
        raise Http404 from error
    return redirect("workspace:case", opened.pk)
