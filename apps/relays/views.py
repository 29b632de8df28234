"""Where mail services report what became of messages, and bring answers: two addresses each, on the public host."""

import logging
from collections.abc import Callable

from anymail.webhooks.base import AnymailBasicAuthMixin
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from apps.common import sealed
from apps.relays import reports, webhooks
from apps.relays.models import ENVIRONMENT

logger = logging.getLogger(__name__)

MAX_INBOUND = 40 * 1024 * 1024
"""Bytes of a request that brings a mail; mail services take mails of 25 to 35 MB."""


# No cookies: the secret in the address or the signature is the authority.
@csrf_exempt
@never_cache
def events(request: HttpRequest, key: str) -> HttpResponseBase:
    """Hand a mail service's request to Anymail's view for it; a receiver stores what it says."""
    return _handle(request, key, webhooks.view_for)


@csrf_exempt
@never_cache
def inbound(request: HttpRequest, key: str) -> HttpResponseBase:
    """Hand a mail that a service received to Anymail's view for it; a receiver finds out whose it is."""
    length = request.headers.get("Content-Length", "")
    if request.method == "POST" and (not length.isdecimal() or int(length) > MAX_INBOUND):
        # “Accepted” would lose it, “too large” makes the service tell the sender.
        return _text("Too large.", 413)
    return _handle(request, key, webhooks.inbound_view_for)


def _handle(request: HttpRequest, key: str, view_for: Callable[[str], View]) -> HttpResponseBase:
    try:
        view = view_for(key)
    except webhooks.UnknownServiceError:
        return _text("Not found.", 404)
    except webhooks.NotSetUpError as error:
        logger.warning("Reports of “%s” are refused: its webhook signing key is missing or wrong", error)
        return _text("The webhook signing key is missing or wrong; enter it at this mail service.", 403)
    except sealed.UnreadableError as error:
        logger.error("Reports of “%s” wait: %s", key, error)
        return _text("Try again later.", 503, "600")
    posted = reports.Posted(relay="" if key == ENVIRONMENT else key, now=timezone.now())
    token = reports.current.set(posted)
    try:
        view.setup(request)
        _read_whole(request, view)
        answer = view.dispatch(request)
    finally:
        reports.current.reset(token)
    # Some service reported faster than we noted its id. What could be stored is; a repetition changes nothing.
    return _text("Try again in a moment.", 503, "60") if posted.is_early else answer


def _read_whole(request: HttpRequest, view: View) -> None:
    """Read a large body, which Django would refuse: a mail with photographs has more than a form.

    Where the address holds the secret, it has to be right before.
    """
    length = request.headers.get("Content-Length", "0")
    is_small = not length.isdecimal() or int(length) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if is_small or not request.path.startswith("/mail/inbound/"):
        return
    if getattr(view, "basic_auth", None):
        AnymailBasicAuthMixin.validate_request(view, request)
    request._body = request.read(MAX_INBOUND)


def _text(text: str, status: int, retry_after: str = "") -> HttpResponse:
    headers = {"Retry-After": retry_after} if retry_after else None
    return HttpResponse(text, status=status, content_type="text/plain", headers=headers)
