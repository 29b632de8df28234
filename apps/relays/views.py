"""Where mail services report what became of messages: one address each, on the public host."""

import logging

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from apps.common import sealed
from apps.relays import reports, webhooks
from apps.relays.models import ENVIRONMENT

logger = logging.getLogger(__name__)


# No cookies: the secret in the address or the signature is the authority.
@csrf_exempt
@never_cache
def events(request: HttpRequest, key: str) -> HttpResponseBase:
    """Hand a mail service's request to Anymail's view for it; a receiver stores what it says."""
    try:
        view = webhooks.view_for(key)
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
        answer = view.dispatch(request)
    finally:
        reports.current.reset(token)
    # Some service reported faster than we noted its id. What could be stored is; a repetition changes nothing.
    return _text("Try again in a moment.", 503, "60") if posted.is_early else answer


def _text(text: str, status: int, retry_after: str = "") -> HttpResponse:
    headers = {"Retry-After": retry_after} if retry_after else None
    return HttpResponse(text, status=status, content_type="text/plain", headers=headers)
