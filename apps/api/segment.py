"""Segment's HTTP API, as far as it serves us: ``POST /api/v1/segment/track``, ``identify`` and ``batch``.

A key is the user name of HTTP Basic, or a Bearer token. Every message that arrives is answered with success, as
Segment does it; what could not be taken is shown to the tenant.
"""

import gzip
import io
import logging
import zlib
from collections.abc import Sequence
from typing import Any

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from apps.api import limits
from apps.api.authentication import PLATFORM, key_of
from apps.api.problems import AWAY, SLOW_DOWN, problem
from apps.common.db import connection
from apps.integrations.models import Scope
from apps.integrations.services import KeyRef, authenticate
from apps.touchpoints import tracking
from apps.touchpoints.lenient import is_too_deep
from apps.touchpoints.tracking import KEY_IN_BODY, MAX_BATCH_BYTES, MAX_MESSAGES

NO_KEY = "Send a write key (wk_…) of this tenant as the user name of HTTP Basic, or as a Bearer token."
REALM = 'Basic realm="Resonanz"'
SCOPES = {"track": Scope.EVENTS_WRITE, "identify": Scope.CONTACTS_WRITE}
ENDPOINTS = ("track", "identify", "batch", "page", "screen", "group", "alias")
logger = logging.getLogger(__name__)


class _RefusedError(Exception):
    """The request cannot be taken; ``answer`` says why."""

    def __init__(self, answer: HttpResponse) -> None:
        super().__init__(str(answer.status_code))
        self.answer = answer


@csrf_exempt
def segment(request: HttpRequest, endpoint: str) -> HttpResponse:
    """POST one message, or a batch of them."""
    if endpoint not in ENDPOINTS:
        return problem(404, f"There are {', '.join(ENDPOINTS[:3])}.")
    if request.method != "POST":
        return problem(405, "Use POST.", headers={"Allow": "POST"})
    try:
        return _answer(request, endpoint)
    except _RefusedError as refused:
        return refused.answer
    except OperationalError:
        logger.exception("Tracked messages could not be stored")
        return problem(503, AWAY, headers={"Retry-After": "5"})


def _answer(request: HttpRequest, endpoint: str) -> HttpResponse:
    """Who sends it, whether they may send that much, and what becomes of it."""
    key, told = key_of(request), None
    if key is None and "HTTP_AUTHORIZATION" not in request.META and connection.schema_name != PLATFORM:
        # Some sources write their key into the body.
        told = _read(_body(request))
        named = told.get(KEY_IN_BODY)
        key = authenticate(key=named, now=timezone.now()) if isinstance(named, str) else None
    if key is None:
        return problem(401, NO_KEY, headers={"WWW-Authenticate": REALM})
    verdict = limits.spend(key=key)
    if not verdict.allowed:
        return problem(429, SLOW_DOWN, headers=verdict.headers())
    answer = _take(_read(_body(request)) if told is None else told, endpoint, key)
    for name, value in verdict.headers().items():
        answer.headers.setdefault(name, value)
    return answer


def _take(told: dict[str, Any], endpoint: str, key: KeyRef) -> HttpResponse:
    messages = _messages(told, endpoint)
    kinds = [message.get("type") for message in messages if isinstance(message, dict)]
    for kind, scope in SCOPES.items():
        if kind in kinds and not key.allows(scope):
            return problem(403, f"The key needs the scope “{scope}”.")
    tracking.take(messages=messages, sent_at=told.get("sentAt"), now=timezone.now())
    return JsonResponse({"success": True})


def _messages(told: dict[str, Any], endpoint: str) -> Sequence[Any]:
    if endpoint != "batch":
        return [{**told, "type": endpoint}]
    messages = told.get("batch")
    if not isinstance(messages, list):
        raise _RefusedError(
            problem(400, "The messages of a batch stand in “batch”, a list.", [("batch", "is required.")])
        )
    if len(messages) > MAX_MESSAGES:
        raise _RefusedError(problem(413, f"A batch may have at most {MAX_MESSAGES} messages."))
    shared = told.get("context")
    if not isinstance(shared, dict):
        return messages
    # What is true of all messages may stand beside the batch.
    return [{"context": shared, **message} if isinstance(message, dict) else message for message in messages]


def _read(body: bytes) -> dict[str, Any]:
    try:
        told = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _RefusedError(problem(400, "The body is not valid JSON.")) from None
    if not isinstance(told, dict) or is_too_deep(body, told):
        raise _RefusedError(
            problem(400, "The body must be a JSON object, and not nested deeper than any sensible one.")
        )
    return told


def _body(request: HttpRequest) -> bytes:
    """The body, unpacked; never more than a batch may have."""
    too_large = problem(413, f"A batch may have at most {MAX_BATCH_BYTES // 1024} KB.")
    if "CONTENT_LENGTH" not in request.META and request.META.get("HTTP_TRANSFER_ENCODING"):
        raise _RefusedError(problem(411, "Send the messages with a Content-Length, not in chunks."))
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BATCH_BYTES:
            raise _RefusedError(too_large)
        body = request.body
        if request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower() == "gzip":
            with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
                body = packed.read(MAX_BATCH_BYTES + 1)
    except (RequestDataTooBig, ValueError):
        raise _RefusedError(too_large) from None
    except (UnreadablePostError, OSError, EOFError, zlib.error):
        raise _RefusedError(problem(400, "The body did not arrive as a whole.")) from None
    if len(body) > MAX_BATCH_BYTES:
        raise _RefusedError(too_large)
    return body
