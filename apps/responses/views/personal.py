"""Pages behind a token: the personal link of an invitation, or the one that an answer got."""

from datetime import datetime

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from apps.common import limits
from apps.common.tokens import TOKEN_LENGTH, hash_token, new_token
from apps.responses import finding, forms, services, suspicion, tickets
from apps.responses.finding import Found
from apps.responses.models import Response
from apps.responses.services import Origin, Submission
from apps.responses.suspicion import Act
from apps.responses.views import answering, public, showing

_TRAP_SECONDS = 600
_MAX_OPENED = 20
MAX_ANSWERS = 30
"""So many pages of one link are taken in a minute."""


# The token in the address is the authority, no cookie is involved: a CSRF token would only get in
# the way of respondents who block cookies.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def survey(request: HttpRequest, token: str) -> HttpResponse:
    """Show the survey, or store what was posted and go on."""
    now = timezone.now()
    found = finding.by_token(token, now=now) if len(token) == TOKEN_LENGTH else None
    if found is None:
        return public.survey(request, token, now)
    if refused := _refusal(request, found, now):
        return refused
    if request.method == "POST":
        return _store(request, token, found, now)
    if "score" in request.GET:
        _note_opened(token, request.GET["score"])
    number = _number(request.GET.get("page", ""), found)
    return showing.page(request, found, _sheet(request, token, found, now, number))


@require_http_methods(["GET", "HEAD"])
def thanks(request: HttpRequest, token: str) -> HttpResponse:
    """Thank for the answer; offer to change it."""
    now = timezone.now()
    found = finding.by_token(token, now=now)
    if found is None or _is_expired(found, now):
        return showing.wrong_link(request)
    if found.response is None:
        if found.used_on:
            return showing.used(request, found)
        return HttpResponseRedirect(showing.where(request, "survey", token))
    return _thanks(request, token, found, now)


@csrf_exempt
@require_http_methods(["POST"])
def call_back(request: HttpRequest, token: str) -> HttpResponse:
    """Note that the respondent wants to be called."""
    now = timezone.now()
    found = finding.by_token(token, now=now)
    if found is None or found.response is None or _is_expired(found, now):
        return showing.wrong_link(request)
    try:
        wanted = forms.read_call_back(request.POST.dict())
    except services.InvalidAnswerError as error:
        return _thanks(request, token, found, now, error.errors)
    services.ask_for_call_back(response_id=found.response.id, call_back=wanted, now=now)
    return HttpResponseRedirect(showing.where(request, "thanks", token), status=303)


@require_http_methods(["GET", "HEAD"])
def trap(request: HttpRequest, token: str) -> HttpResponse:
    """No human finds this address. Nothing is stored; for ten minutes we know that a machine reads the link's page."""
    if finding.by_token(token, now=timezone.now()) is None:
        return showing.wrong_link(request)
    cache.set(_key("trap", token), 1, _TRAP_SECONDS)
    return showing.closed(request, 404)


def _refusal(request: HttpRequest, found: Found, now: datetime) -> HttpResponse | None:
    """Why the survey is not to be had, as a page; None if it is."""
    if _is_expired(found, now):
        return showing.wrong_link(request)
    if not found.is_open:
        return showing.over(request, found)
    return showing.used(request, found) if found.used_on and found.response is None else None


def _is_expired(found: Found, now: datetime) -> bool:
    return found.expires_at is not None and found.expires_at < now


def _number(text: str, found: Found) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 3 else 0
    return number if number < len(found.definition.pages) else 0


def _sheet(
    request: HttpRequest, token: str, found: Found, now: datetime, number: int, errors: dict[str, str] | None = None
) -> showing.Sheet:
    return showing.sheet_of(
        request,
        found,
        number=number,
        hidden=showing.stamp(now),
        action=showing.where(request, "survey", token),
        errors=errors,
        trap=reverse("responses:trap", args=[token]),
        kiosk_url=public.kiosk_of(found),
    )


def _thanks(
    request: HttpRequest, token: str, found: Found, now: datetime, errors: dict[str, str] | None = None
) -> HttpResponse:
    sheet = showing.sheet_of(
        request,
        found,
        errors=errors,
        change_url=showing.where(request, "survey", token) if found.is_open else "",
        call_back_url="" if public.kiosk_of(found) else showing.where(request, "call_back", token),
        kiosk_url=public.kiosk_of(found),
    )
    return showing.thanks(request, found, sheet, status=422 if errors else 200)


def _store(request: HttpRequest, token: str, found: Found, now: datetime) -> HttpResponse:
    # By link, not by address: a whole office may answer the mails of one morning.
    if limits.count_for("answer", hash_token(token).hex()) > MAX_ANSWERS:
        return showing.too_many(request)
    number = _number(request.POST.get("p", ""), found)
    try:
        submission, following = answering.read(request, found, number, _act(request, token, now), _channel(found))
        token = _submit(token, found, submission, now)
    except services.InvalidAnswerError as error:
        return showing.page(request, found, _sheet(request, token, found, now, number, error.errors), status=422)
    except services.AlreadyAnsweredError:
        return showing.used(request, found)
    if answering.is_draft(request):
        return HttpResponse(status=204)
    return answering.go_on(request, token, following, submission.locale)


def _submit(token: str, found: Found, submission: Submission, now: datetime) -> str:
    """Store the answer; returns the token that leads to it from now on."""
    if found.invitation_id is None:
        origin = Origin(found.survey_id, token, found.touchpoint_id)
        services.submit_openly(origin=origin, submission=submission, now=now)
        return token
    # An anonymous answer gets a link of its own, which only this browser learns.
    own = new_token() if found.definition.is_anonymous else ""
    services.submit(invitation_id=found.invitation_id, submission=submission, now=now, token=own)
    return own or token


def _channel(found: Found) -> str:
    if found.response:
        return found.response.channel
    return Response.Channel.EMBED if found.is_shown else Response.Channel.EMAIL


def _act(request: HttpRequest, token: str, now: datetime) -> Act:
    made_at = tickets.read_stamp(request.POST.get("t", ""))
    return Act(
        seconds=(now - made_at).total_seconds() if made_at else None,
        agent=request.headers.get("User-Agent", ""),
        opened_trap=cache.get(_key("trap", token)) is not None,
        opened_scores=[score for score, at in _opened(token) if now.timestamp() - at <= suspicion.BURST_SECONDS],
    )


def _note_opened(token: str, score: str) -> None:
    """Which of the mail's score links were opened, for a moment and in the cache only."""
    if score.isascii() and score.isdigit() and len(score) < 3:
        opened = [*_opened(token), (int(score), timezone.now().timestamp())][-_MAX_OPENED:]
        cache.set(_key("opened", token), opened, suspicion.BURST_SECONDS)


def _opened(token: str) -> list[tuple[int, float]]:
    return cache.get(_key("opened", token)) or []


def _key(what: str, token: str) -> str:
    return f"survey:{what}:{hash_token(token).hex()}"
