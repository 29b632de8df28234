"""Pages that anybody may open: public links, kiosks, and frames for visitors whom nobody knows."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from apps.common import limits
from apps.responses import finding, services, tickets
from apps.responses.finding import Found, with_properties
from apps.responses.models import Response
from apps.responses.services import Origin
from apps.responses.suspicion import Act
from apps.responses.tickets import TICKET_LIFETIME, Ticket
from apps.responses.views import answering, showing
from apps.surveys.selectors import touchpoint_id

MAX_ANSWERS = 60
"""So many pages one address may send in a minute: an exhibition's tablets share one."""
KIOSK_LIFETIME = timedelta(days=30)
KEPT = timedelta(days=14)
"""So long a kiosk may keep answers while it is offline."""
_MAX_PROPERTY = 200


def survey(request: HttpRequest, key: str, now: datetime, channel: str = Response.Channel.LINK) -> HttpResponse:
    """The page behind a public link; a wrong one gets what every wrong link gets."""
    if request.method == "POST":
        return showing.wrong_link(request)  # A public page posts its ticket, see open_page.
    found = finding.by_key(key, touchpoint=touchpoint_id(request.GET.get("touchpoint", "")), now=now)
    if found is None:
        return showing.wrong_link(request)
    if not found.is_open:
        return showing.over(request, found)
    properties = _properties(request, found)
    ticket = Ticket(found.survey_id, found.touchpoint_id, properties, channel, now, found.version_id)
    return _page(request, with_properties(found, properties), ticket, now)


@require_http_methods(["GET", "HEAD"])
def kiosk(request: HttpRequest, key: str) -> HttpResponse:
    """The public page for a device that stands somewhere: it begins anew by itself."""
    return survey(request, key, timezone.now(), Response.Channel.KIOSK)


# The ticket is the authority, no cookie is involved.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def open_page(request: HttpRequest) -> HttpResponse:
    """The page of a ticket, or its answer."""
    now = timezone.now()
    if not showing.is_readable(request):
        return showing.unreadable()
    # Kiosks stand for weeks: their page is as old as the day they were switched on.
    ticket = tickets.read_ticket(request.POST.get("k") or request.GET.get("k", ""), now=now, lifetime=KIOSK_LIFETIME)
    if ticket is None or (ticket.channel != Response.Channel.KIOSK and ticket.made_at < now - TICKET_LIFETIME):
        return showing.wrong_link(request)
    shown = ticket.version_id if request.method == "POST" else None
    found = finding.by_id(ticket.survey_id, touchpoint=ticket.touchpoint_id, version=shown, now=now)
    if found is None or not (found.is_public or ticket.channel == Response.Channel.EMBED):
        return showing.wrong_link(request)
    if not found.is_open:
        return showing.over(request, found)
    found = with_properties(found, ticket.properties)
    if request.method == "POST":
        return _store(request, found, ticket, now)
    return _page(request, found, ticket, now)


def kiosk_of(request: HttpRequest, found: Found) -> str:
    """Where the kiosk that gave an answer begins anew; "" if it was none."""
    if found.response is None or found.response.channel != Response.Channel.KIOSK:
        return ""
    return _kiosk_url(request, found)


def _kiosk_url(request: HttpRequest, found: Found) -> str:
    query = {k: v for k, v in found.facts.get("property", {}).items() if k in found.public_properties}
    query |= {"touchpoint": found.touchpoint_key} if found.touchpoint_key else {}
    query |= {"lang": request.GET["lang"]} if "lang" in request.GET else {}
    return reverse("responses:kiosk", args=[found.survey_key]) + (f"?{urlencode(query)}" if query else "")


def _properties(request: HttpRequest, found: Found) -> dict[str, str]:
    """What the address says, as far as the survey allows it to."""
    said = {name: request.GET[name][:_MAX_PROPERTY] for name in found.public_properties if request.GET.get(name)}
    return {name: value for name, value in said.items() if value.isprintable()}


def _page(
    request: HttpRequest, found: Found, ticket: Ticket, now: datetime, errors: dict[str, str] | None = None
) -> HttpResponse:
    kiosk_url = ""
    if ticket.channel == Response.Channel.KIOSK:
        kiosk_url = request.get_full_path() if request.method == "GET" else _kiosk_url(request, found)
    sheet = showing.sheet_of(
        request,
        found,
        hidden={"k": tickets.write_ticket(ticket)},
        action=_action(request),
        errors=errors,
        kiosk_url=kiosk_url,
    )
    return showing.page(request, found, sheet, status=422 if errors else 200)


def _action(request: HttpRequest) -> str:
    kept = {name: request.GET[name] for name in ("lang", "embed") if name in request.GET}
    return reverse("responses:open") + (f"?{urlencode(kept)}" if kept else "")


def _store(request: HttpRequest, found: Found, ticket: Ticket, now: datetime) -> HttpResponse:
    if limits.count(request, "public-answer") > MAX_ANSWERS:
        return showing.too_many(request)
    is_kiosk = ticket.channel == Response.Channel.KIOSK
    token = tickets.token_of(ticket, request.POST.get("n", "")[:40] if is_kiosk else "")
    # The same answer may have been begun: by the page's script, or by somebody who went back.
    begun = finding.by_token(token, now=now)
    found = with_properties(begun, ticket.properties) if begun else found
    try:
        act = Act((now - ticket.made_at).total_seconds(), request.headers.get("User-Agent", ""))
        submission, following = answering.read(request, found, 0, act, ticket.channel, ticket.made_at)
        origin = Origin(found.survey_id, token, ticket.touchpoint_id, ticket.properties)
        services.submit_openly(origin=origin, submission=submission, now=_given_at(request, now) if is_kiosk else now)
    except services.InvalidAnswerError as error:
        return _page(request, found, ticket, now, error.errors)
    if answering.is_draft(request):
        return HttpResponse(status=204)
    return answering.go_on(request, token, following, submission.locale)


def _given_at(request: HttpRequest, now: datetime) -> datetime:
    """When an answer that a kiosk has kept was given, by the kiosk's clock; now if that cannot be."""
    text = request.POST.get("at", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        return now
    given = datetime.fromtimestamp(int(text) / 1000, tz=now.tzinfo)
    return given if now - KEPT <= given <= now else now
