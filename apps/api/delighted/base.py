"""One endpoint of the compatible API: key, scope, limit, parameters, and an answer in JSON whatever happens."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt

from apps.api import limits
from apps.api.authentication import key_of
from apps.api.delighted import params
from apps.api.delighted.errors import Refused, as_json, refusal
from apps.integrations.services import KeyRef

CHALLENGE = {"WWW-Authenticate": 'Basic realm="Resonanz API"'}
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may be carried out."""

    request: HttpRequest
    key: KeyRef
    params: params.Params
    now: datetime

    def demand(self, scope: str) -> None:
        """Raise Refused (403) unless the key carries the scope."""
        if not self.key.allows(scope):
            raise Refused(403, f"The key needs the scope “{scope}”.")


class Handler(NamedTuple):
    """What answers one method: ``run(call, **parts of the path)`` gives the body, or a whole answer."""

    run: Callable[..., Any]
    scope: str


def endpoint(**handlers: Handler) -> Callable[..., HttpResponse]:
    """A view from handlers by method: ``endpoint(get=Handler(list_people, Scope.READ), post=…)``."""
    allowed = {method.upper(): handler for method, handler in handlers.items()}
    if "GET" in allowed:
        allowed["HEAD"] = allowed["GET"]

    @csrf_exempt
    def view(request: HttpRequest, **parts: str) -> HttpResponse:
        try:
            # The texts of this API are English, whatever language the caller's HTTP library prefers.
            with translation.override("en"):
                return _answer(request, allowed, parts)
        except Exception as error:
            return refusal(_refused(error))

    return view


def _refused(error: Exception) -> Refused:
    """What is told of an error, whatever it is. Within its handler: what is our fault is logged."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, RequestDataTooBig):
        return Refused(413)
    if isinstance(error, SuspiciousOperation):
        return Refused(400)
    if isinstance(error, OperationalError | InterfaceError):
        logger.exception("A request of the compatible API met a database that does not answer")
        return Refused(503, "The database does not answer. Try again.", {"Retry-After": "5"})
    if isinstance(error, IntegrityError):  # For example, the person was erased between two of our statements.
        logger.exception("A request of the compatible API met another one about the same")
        return Refused(503, "Somebody changed the same at this moment. Try again.", {"Retry-After": "1"})
    logger.exception("A request of the compatible API failed")
    return Refused(500, "The fault is ours. Try again later.")


def _answer(request: HttpRequest, allowed: dict[str, Handler], parts: dict[str, str]) -> HttpResponse:
    now = timezone.now()
    key = _key(request)
    handler = allowed.get(request.method or "")
    if handler is None:
        raise Refused(405, headers={"Allow": ", ".join(sorted(allowed))})
    _acceptable(request)
    if not key.allows(handler.scope):
        raise Refused(403, f"The key needs the scope “{handler.scope}”.")
    call = Call(request, key, params.read(request), now)
    body = handler.run(call, **parts)
    return body if isinstance(body, HttpResponse) else as_json(body)


def _key(request: HttpRequest) -> KeyRef:
    """The request's key, of the tenant the request is for. Raises Refused (401, 429)."""
    key = key_of(request)
    if key is None:
        raise Refused(401, "Send a valid API key of this workspace as the user name of Basic.", CHALLENGE)
    verdict = limits.spend(key=key)
    if not verdict.allowed:
        raise Refused(429, "Wait as many seconds as Retry-After says.", verdict.headers())
    return key


def _acceptable(request: HttpRequest) -> None:
    """We speak JSON only. Raises Refused (406) to who would not understand it."""
    accept = request.headers.get("Accept", "").lower()
    if accept and not any(kind in accept for kind in ("json", "*/*", "application/*")):
        raise Refused(406, "Accept application/json.")


@csrf_exempt
def unknown(request: HttpRequest, **parts: str) -> HttpResponse:
    """404 in JSON: the official clients read the body of every answer."""
    if parts.get("format"):
        return refusal(Refused(406, "There is JSON only: leave the ending out, or write .json."))
    return refusal(Refused(404))
