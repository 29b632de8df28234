"""Messages of other tools: ``POST /hooks/<token>``."""

import logging
import re
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from apps.api.problems import AWAY, problem
from apps.common import limits
from apps.touchpoints import hooks
from apps.touchpoints.hooks import MAX_BODY, Incoming, Receipt
from apps.touchpoints.models import Hook

MAX_WRONG_TOKENS = 30
MAX_PER_HOOK = 3000
_CHALLENGE = re.compile(r"[A-Za-z0-9_.-]{1,200}")
READ_TYPES = ("application/json", "text/json", "text/plain", "application/x-www-form-urlencoded", "")
logger = logging.getLogger(__name__)


@csrf_exempt
def receive(request: HttpRequest, token: str) -> HttpResponseBase:
    """POST brings a message; GET is how some tools check that the address is there."""
    try:
        hook = hooks.hook_of(token=token)
        if hook is None:
            return _unknown(request)
        if request.method in ("GET", "HEAD"):
            return _here(request)
        if request.method != "POST":
            return problem(405, "Use POST to send a message.", headers={"Allow": "GET, POST"})
        return _refusal(request, hook) or _take(request, hook)
    except OperationalError:
        logger.exception("A message to a hook could not be stored")
        return problem(503, AWAY, headers={"Retry-After": "5"})


def _unknown(request: HttpRequest) -> HttpResponse:
    """The same for every address that leads nowhere; for guessers 429 after a while. Right ones always work."""
    if limits.count(request, "hook") > MAX_WRONG_TOKENS:
        return problem(429, "That was too often. Try again in a minute.", headers={"Retry-After": "60"})
    return problem(404, "There is no hook at this address.")


def _here(request: HttpRequest) -> HttpResponse:
    """200, with the challenge that came along if there is one and it is a plain word."""
    for name in ("hub.challenge", "challenge", "validationToken", "crc_token"):
        if _CHALLENGE.fullmatch(request.GET.get(name, "")):
            return HttpResponse(request.GET[name], content_type="text/plain")
    return HttpResponse("This hook takes messages by POST.", content_type="text/plain")


def _refusal(request: HttpRequest, hook: Hook) -> HttpResponse | None:
    """A problem if the request is of no kind that can be read, or one too many."""
    if limits.count_for("hook-messages", str(hook.pk)) > MAX_PER_HOOK:
        detail = f"A hook takes {MAX_PER_HOOK} messages a minute."
        return problem(429, detail, headers={"Retry-After": "60"})
    if "CONTENT_LENGTH" not in request.META and request.META.get("HTTP_TRANSFER_ENCODING"):
        return problem(411, "Send the message with a Content-Length, not in chunks.")
    kind = request.content_type or ""
    if kind not in READ_TYPES and not kind.endswith("+json"):
        return problem(415, "Send the message as JSON or as a form.")
    return None


def _take(request: HttpRequest, hook: Hook) -> HttpResponse:
    body = _body(request)
    if isinstance(body, HttpResponse):
        return body
    incoming = Incoming(
        body=body,
        content_type=request.META.get("CONTENT_TYPE", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        url=request.build_absolute_uri(),
    )
    receipt = hooks.receive(hook=hook, incoming=incoming, now=timezone.now())
    if receipt.refused:
        return problem(401, "The signature of the message does not fit the hook's secret, or is too old.")
    if receipt.unreadable:
        return problem(400, "The message is neither JSON nor a form, or a list that is too long.")
    return JsonResponse(_told(receipt))


def _body(request: HttpRequest) -> bytes | HttpResponse:
    too_large = problem(413, f"A message may have at most {MAX_BODY // 1024} KB.")
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY:
            return too_large
        return request.body
    except (RequestDataTooBig, ValueError):
        return too_large
    except UnreadablePostError:
        return problem(400, "The message did not arrive as a whole.")


def _told(receipt: Receipt) -> dict[str, Any]:
    """What a tool may write into its log. 200 also where nothing came of it: sending it again would not help."""
    problems = [{"field": found.field, "code": found.code} for found in receipt.problems]
    return {"outcome": receipt.outcome, "events": receipt.events, "problems": problems}
