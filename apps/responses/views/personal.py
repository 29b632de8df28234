"""Pages behind a token: the personal link of an invitation, the one that an answer got, or that of a mail after it."""

from datetime import datetime

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from apps.common import limits
from apps.common.tokens import hash_token
from apps.responses import after_links, finding, forms, services, suspicion, tickets
from apps.responses.finding import Found
from apps.responses.models import Response
from apps.responses.services import Origin, Submission
from apps.responses.suspicion import Act
from apps.responses.tickets import Stamp
from apps.responses.views import answering, public, showing
from apps.surveys.definition import segment_of_answers
from apps.surveys.opening import note_opened

_TRAP_SECONDS = 600
_MAX_OPENED = 20
MAX_ANSWERS = 30
"""So many pages of one link are taken in a minute."""
MAX_OPENINGS = 10
"""So often a minute one link is noted as opened."""


# The token in the address is the authority, no cookie is involved: a CSRF token would only get in
# the way of respondents who block cookies.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def survey(request: HttpRequest, token: str) -> HttpResponse:
    """Show the survey, or store what was posted and go on."""
    now = timezone.now()
    if not showing.is_readable(request):
        return showing.unreadable()
    stamp = tickets.read_stamp(request.POST.get("t", "")) if request.method == "POST" else None
    version = stamp.version_id if stamp else None
    found = finding.by_link(token, now=now, version=version)
    if found is None:
        return public.survey(request, token, now)
    if stamp and found.used_on and found.response is None:
        own = tickets.own_token(token, request.POST["t"])
        if finding.by_token(own, now=now):  # Sent twice: the first one has made the answer.
            return survey(request, own)
    if refused := _refusal(request, found, now):
        return refused
    if request.method == "POST":
        return _store(request, token, found, stamp, now)
    if "score" in request.GET:
        _note_opened(token, request.GET["score"])
    number = _number(request.GET.get("page", ""), found)
    return showing.page(request, found, _sheet(request, token, found, now, number))


@require_http_methods(["GET", "HEAD"])
def thanks(request: HttpRequest, token: str) -> HttpResponse:
    """Thank for the answer; offer to change it."""
    now = timezone.now()
    found = finding.by_link(token, now=now)
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
    if not showing.is_readable(request):
        return showing.unreadable()
    found = finding.by_link(token, now=now)
    if found is None or found.response is None or _is_expired(found, now):
        return showing.wrong_link(request)
    thanks_page = found.definition.thanks_for(segment_of_answers(found.definition, found.answers))
    if not thanks_page.offers_call_back:
        return showing.wrong_link(request)
    if limits.count_for("answer", hash_token(token).hex()) > MAX_ANSWERS:
        return showing.too_many(request)
    try:
        wanted = forms.read_call_back(request.POST.dict())
    except services.InvalidAnswerError as error:
        return _thanks(request, token, found, now, error.errors)
    services.ask_for_call_back(response_id=found.response.id, call_back=wanted, now=now)
    return HttpResponseRedirect(showing.where(request, "thanks", token), status=303)


# A page's script cannot bring a CSRF token without a cookie; the token in the address is the authority, as above.
@csrf_exempt
@require_http_methods(["POST"])
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """A page's script says that somebody looks at it. Machines are not believed; who answers has opened it anyway."""
    now = timezone.now()
    if not showing.is_readable(request):
        return showing.unreadable()
    found = finding.by_link(token, now=now)
    if found is None or _is_expired(found, now):
        return showing.wrong_link(request)
    if limits.count_for("opened", hash_token(token).hex()) > MAX_OPENINGS:
        return showing.too_many(request)
    act = _act(request, token, found, 0, tickets.read_stamp(request.POST.get("t", "")), now)
    if found.invitation_id and found.is_open and not suspicion.suspicions(act):
        note_opened(invitation_id=found.invitation_id, now=now)
    return HttpResponse(status=204)


@require_http_methods(["GET", "HEAD"])
def trap(request: HttpRequest, token: str) -> HttpResponse:
    """No human finds this address. Nothing is stored; for ten minutes we know that a machine reads this very page."""
    if finding.by_link(token, now=timezone.now()) is None:
        return showing.wrong_link(request)
    cache.set(_key("trap", token + request.GET.get("t", "")[:200]), 1, _TRAP_SECONDS)
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
    stamp = tickets.new_stamp(now, found.version_id)
    return showing.sheet_of(
        request,
        found,
        number=number,
        hidden={"t": stamp},
        action=showing.where(request, "survey", token),
        errors=errors,
        trap=f"{reverse('responses:trap', args=[token])}?t={stamp}",
        kiosk_url=public.kiosk_of(request, found),
    )


def _thanks(
    request: HttpRequest, token: str, found: Found, now: datetime, errors: dict[str, str] | None = None
) -> HttpResponse:
    kiosk_url = public.kiosk_of(request, found)
    sheet = showing.sheet_of(
        request,
        found,
        errors=errors,
        # A kiosk's next visitor must not find the answer of the last one.
        change_url=showing.where(request, "survey", token) if found.is_open and not kiosk_url else "",
        call_back_url="" if kiosk_url else showing.where(request, "call_back", token),
        kiosk_url=kiosk_url,
    )
    return showing.thanks(request, found, sheet, status=422 if errors else 200)


def _store(request: HttpRequest, token: str, found: Found, stamp: Stamp | None, now: datetime) -> HttpResponse:
    # By link, not by address: a whole office may answer the mails of one morning.
    if limits.count_for("answer", hash_token(token).hex()) > MAX_ANSWERS:
        return showing.too_many(request)
    if answering.is_draft(request) and found.definition.is_anonymous and found.response is None:
        return HttpResponse(status=204)  # It would use the link up, and the page would not learn the answer's own.
    number = _number(request.POST.get("p", ""), found)
    try:
        act, made_at = _act(request, token, found, number, stamp, now), stamp.made_at if stamp else None
        submission, following = answering.read(request, found, number, act, _channel(found), made_at)
        token = _submit(token, request.POST.get("t", ""), found, submission, now)
    except services.InvalidAnswerError as error:
        return showing.page(request, found, _sheet(request, token, found, now, number, error.errors), status=422)
    except services.AlreadyAnsweredError:
        return showing.used(request, found)
    if answering.is_draft(request):
        return HttpResponse(status=204)
    return answering.go_on(request, token, following, submission.locale)


def _submit(token: str, stamp: str, found: Found, submission: Submission, now: datetime) -> str:
    """Store the answer; returns the token that leads to it from now on."""
    if found.invitation_id is None and found.response and len(token) == after_links.TOKEN_LENGTH:
        try:
            services.change(response_id=found.response.id, submission=submission, now=now)
        except Response.DoesNotExist as error:  # Erased at this very moment.
            raise Http404 from error
        return token
    if found.invitation_id is None:
        origin = Origin(found.survey_id, token, found.touchpoint_id)
        services.submit_openly(origin=origin, submission=submission, now=now)
        return token
    # An anonymous answer gets a link of its own, which only this page learns.
    own = tickets.own_token(token, stamp) if found.definition.is_anonymous else ""
    services.submit(invitation_id=found.invitation_id, submission=submission, now=now, token=own)
    return own or token


def _channel(found: Found) -> str:
    if found.response:
        return found.response.channel
    return Response.Channel.EMBED if found.is_shown else Response.Channel.EMAIL


def _act(request: HttpRequest, token: str, found: Found, number: int, stamp: Stamp | None, now: datetime) -> Act:
    seconds = (now - stamp.made_at).total_seconds() if stamp else None
    if seconds is not None and number and found.response:
        seconds = max(seconds, suspicion.TOO_FAST_SECONDS)  # Who goes on has proved to read; pages may be skipped.
    return Act(
        seconds=seconds,
        agent=request.headers.get("User-Agent", ""),
        opened_trap=cache.get(_key("trap", token + request.POST.get("t", "")[:200])) is not None,
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
