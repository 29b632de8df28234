"""The Idempotency-Key header: a request that is sent twice is carried out once."""

from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from apps.api.problems import problem
from apps.integrations import once
from apps.integrations.services import KeyRef

HEADER = "Idempotency-Key"
META = "HTTP_IDEMPOTENCY_KEY"
REPLAYED = {"Idempotent-Replayed": "true"}


class InvalidKeyError(Exception):
    """The header cannot be a key."""


def invalid_key() -> HttpResponse:
    """For such a header."""
    message = f"must have 1 to {once.MAX_KEY} printable ASCII characters."
    return problem(422, f"The header {HEADER} {message}", [(HEADER, message)])


def once_of(request: HttpRequest, key: KeyRef, body: bytes) -> once.Once | None:
    """The request by its Idempotency-Key; None without one. Raises InvalidKeyError if it cannot be one."""
    value = request.META.get(META)
    if value is None:
        return None
    if not 1 <= len(value) <= once.MAX_KEY or not (value.isascii() and value.isprintable()):
        raise InvalidKeyError
    method = request.method or ""
    return once.once(api_key_id=key.id, key=value, method=method, path=request.get_full_path(), body=body)


def other_request() -> HttpResponse:
    """The key is taken."""
    detail = f"This {HEADER} was used for another request within the last 24 hours. Take a new one."
    return problem(422, detail, [(HEADER, "was used for another request.")])


def once_only(
    request: HttpRequest, key: KeyRef, view: Callable[[], HttpResponseBase], now: datetime
) -> HttpResponseBase:
    """The view's answer, or what it answered to the same request before."""
    try:
        named = once_of(request, key, request.body)
        fresh: list[HttpResponseBase] = []
        if named is None:
            return view()
        stored, again = once.carry_out(request=named, act=lambda: _stored(view(), fresh), now=now)
    except InvalidKeyError:
        return invalid_key()
    except once.OtherRequestError:
        return other_request()
    except once.StillRunningError:
        detail = "The same request is being carried out at this moment. Send it again in a moment."
        return problem(409, detail, headers={"Retry-After": "5"})
    return replayed(stored) if again else fresh[0]


def replayed(stored: once.Stored) -> HttpResponse:
    """The answer of the first time, marked."""
    answer = HttpResponse(stored.body, status=stored.status, content_type=stored.content_type, headers=REPLAYED)
    if not stored.content_type:
        del answer.headers["Content-Type"]
    return answer


def _stored(answer: HttpResponseBase, fresh: list[HttpResponseBase]) -> once.Stored:
    if hasattr(answer, "render"):
        answer.render()
    fresh.append(answer)
    return once.Stored(answer.status_code, answer.headers.get("Content-Type", ""), getattr(answer, "content", b""))
