"""What is done about one case on its page. Each returns where to go next, or what the page is shown with again."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import AbstractUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.cases import services, writing
from apps.cases.errors import CaseError, ChangedMeanwhileError, OutcomeMissingError
from apps.cases.models import Case
from apps.cases.services import Changes
from apps.workspace.case_conflicts import close_on_top, on_top
from apps.workspace.case_filter import Choices
from apps.workspace.case_forms import CaseForm, CloseForm, MailForm, NoteForm
from apps.workspace.wording import case_refusal

Again = dict[str, Any]
Act = Callable[[HttpRequest, Case, Choices], HttpResponse | Again]


def user_of(request: HttpRequest) -> AbstractUser:
    """Whoever signed in."""
    user = request.user
    assert isinstance(user, AbstractUser)  # noqa: S101 - nobody else gets to these pages
    return user


def _change(request: HttpRequest, case: Case, changes: Changes, revision: int | None) -> None:
    services.change(case_id=case.pk, revision=revision, changes=changes, by=user_of(request), now=timezone.now())


def _save(request: HttpRequest, case: Case, choices: Choices) -> HttpResponse | Again:
    """Owner, due time, urgency, and how far it is."""
    form = CaseForm(request.POST, case=case, choices=choices)
    if not form.is_valid():
        return {"form": form}
    try:
        _change(request, case, form.changes(), form.cleaned_data["revision"])
    except ChangedMeanwhileError as error:
        fresh, sides = on_top(form, error.case, choices)
        return {"form": fresh, "sides": sides}
    messages.success(request, _("Case saved."))
    return redirect("workspace:case", case.pk)


def _close(request: HttpRequest, case: Case, choices: Choices) -> HttpResponse | Again:
    """How it ended; for a closed one, how it really ended."""
    form = CloseForm(request.POST, case=case, choices=choices)
    if not form.is_valid():
        return {"close_form": form, "is_closing": True}
    try:
        _change(request, case, form.changes(), form.cleaned_data["revision"])
    except OutcomeMissingError:
        form.add_error("outcome", str(case_refusal(OutcomeMissingError.code)))
        return {"close_form": form, "is_closing": True}
    except ChangedMeanwhileError as error:
        fresh, sides = close_on_top(form, error.case, choices)
        return {"close_form": fresh, "is_closing": True, "sides": sides}
    messages.success(request, _("Case saved.") if case.is_closed else _("Case closed."))
    return redirect("workspace:case", case.pk)


def _quick(changes: Callable[[AbstractUser], Changes]) -> Act:
    """One button that says all there is to say: whatever else changed meanwhile stays."""

    def act(request: HttpRequest, case: Case, choices: Choices) -> HttpResponse | Again:
        _change(request, case, changes(user_of(request)), None)
        messages.success(request, _("Case saved."))
        return redirect("workspace:case", case.pk)

    return act


def _contacted(request: HttpRequest, case: Case, choices: Choices) -> HttpResponse | Again:
    """The contact was heard. On a page from before somebody closed the case the click does not open it again."""
    try:
        if not case.is_closed:
            _change(request, case, Changes(status=Case.Status.CONTACTED), case.revision)
            messages.success(request, _("Case saved."))
            return redirect("workspace:case", case.pk)
    except ChangedMeanwhileError as error:
        if not error.case.is_closed:
            return _contacted(request, error.case, choices)
    messages.warning(request, _("It was closed meanwhile. Reopen it if it is not done."))
    return redirect("workspace:case", case.pk)


def _note(request: HttpRequest, case: Case, choices: Choices) -> HttpResponse | Again:
    """A note for colleagues; those it mentions are told."""
    form = NoteForm(request.POST)
    if not form.is_valid():
        return {"note_form": form}
    text = form.cleaned_data["text"]
    note = services.add_note(case_id=case.pk, text=text, by=user_of(request), now=timezone.now())
    return redirect(f"{reverse('workspace:case', args=[case.pk])}#entry-{note.pk}")


def _mail(request: HttpRequest, case: Case, choices: Choices) -> HttpResponse | Again:
    """A mail to the contact, whose answer comes back into the case."""
    form = MailForm(request.POST)
    if not form.is_valid():
        return {"mail_form": form, "writes": "mail"}
    try:
        mail = writing.write(
            case_id=case.pk,
            subject=form.cleaned_data["subject"],
            text=form.cleaned_data["body"],
            by=user_of(request),
            now=timezone.now(),
            base_url=request.build_absolute_uri("/").rstrip("/"),
        )
    except writing.NotAllowedError as error:
        form.add_error(None, error.sentence)
        return {"mail_form": form, "writes": "mail"}
    messages.success(request, _("Your mail is on its way. What comes back stands here."))
    return redirect(f"{reverse('workspace:case', args=[case.pk])}#entry-{mail.pk}")


def _merge(request: HttpRequest, case: Case, choices: Choices) -> HttpResponse | Again:
    """Other cases of the contact go into this one."""
    others = [pk for text in request.POST.getlist("other") if (pk := _uuid(text)) is not None]
    if not others:
        return {"is_merging": True, "merge_error": _("Tick the cases that go into this one.")}
    try:
        services.merge(into=case.pk, others=others, by=user_of(request), now=timezone.now())
    except Case.DoesNotExist:
        return {"is_merging": True, "merge_error": case_refusal("missing")}
    except CaseError as error:
        return {"is_merging": True, "merge_error": case_refusal(error.code)}
    text = ngettext("%(n)d case went into this one.", "%(n)d cases went into this one.", len(others))
    messages.success(request, text % {"n": len(others)})
    return redirect("workspace:case", case.pk)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


ACTS: dict[str, Act] = {
    "save": _save,
    "close": _close,
    "reopen": _quick(lambda user: Changes(status=Case.Status.CONTACTED)),
    "take": _quick(lambda user: Changes(owner_id=user.pk)),
    "contacted": _contacted,
    "note": _note,
    "mail": _mail,
    "merge": _merge,
}
