"""The page of a mail's link by which the contact asks to be called; the other link leads to the survey's own pages."""

from collections.abc import Mapping
from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from apps.common import limits
from apps.common.tokens import hash_token
from apps.responses import after_links, finding, forms, selectors, services
from apps.responses.finding import Found
from apps.responses.models import Response
from apps.responses.views import showing
from apps.surveys.pages import render_call_back

MAX_WISHES = 30
"""So often one link is taken in a minute."""


# The token is the authority, no cookie is involved.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def call(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for the number, or note the wish. It is also taken after the survey has been closed: somebody waits."""
    now = timezone.now()
    if not showing.is_readable(request):
        return showing.unreadable()
    found = _found(token, now)
    if found is None or found.response is None:
        return showing.wrong_link(request)
    if request.method != "POST":
        number = found.response.call_back or selectors.phone_of(found.response.id)
        return _page(request, token, found, number)
    return _note(request, token, found, now)


def _note(request: HttpRequest, token: str, found: Found, now: datetime) -> HttpResponse:
    """Store the wish, and show that we know."""
    assert found.response is not None  # noqa: S101 - asked before
    if limits.count_for("answer", hash_token(token).hex()) > MAX_WISHES:
        return showing.too_many(request)
    try:
        wanted = forms.read_call_back(request.POST.dict())
        services.ask_for_call_back(response_id=found.response.id, call_back=wanted, now=now)
    except services.InvalidAnswerError as error:
        return _page(request, token, found, request.POST.get("call_back", ""), error.errors)
    except Response.DoesNotExist:  # Erased at this very moment.
        return showing.wrong_link(request)
    return HttpResponseRedirect(showing.where(request, "call", token), status=303)


def _found(token: str, now: datetime) -> Found | None:
    link = after_links.read(after_links.CALL_BACK, token, now=now)
    return finding.by_response(link.response_id, expires_at=link.expires_at, now=now) if link else None


def _page(
    request: HttpRequest, token: str, found: Found, number: str, errors: Mapping[str, str] | None = None
) -> HttpResponse:
    sheet = showing.sheet_of(request, found, action=showing.where(request, "call", token), errors=errors)
    html = render_call_back(sheet, number)
    return showing.send(request, html, sheet.language, 422 if errors else 200, found if sheet.is_embedded else None)
