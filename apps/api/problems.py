"""Errors as problem+json (RFC 9457): what is wrong, where, and what to do."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from django.core.exceptions import ValidationError as ModelError
from django.db import DataError, IntegrityError, OperationalError
from django.db.models import ProtectedError, RestrictedError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

TITLES = {
    400: "The request cannot be read",
    401: "No valid API key",
    403: "The API key may not do this",
    404: "Not found",
    405: "Method not allowed",
    406: "Not to be had in this form",
    409: "Not possible in this state",
    411: "The request has no length",
    413: "The request is too large",
    415: "The content type is not supported",
    422: "Some fields are wrong",
    429: "Too many requests",
    503: "Out of order for a moment",
}
MEDIA_TYPE = "application/problem+json"
CORRECT = "Correct the fields named below and send the request again."
NOT_FOUND = "There is no such thing, or not in this tenant."
SLOW_DOWN = "Wait as many seconds as Retry-After says."
IN_USE = "Something else still needs it. Remove that first."
MEANWHILE = "Something else was written at the same moment that this does not go with. Look at it and try again."
OUT_OF_RANGE = "A number or a time in the request is larger or smaller than anything that is kept."
TOO_DEEP = "The body is nested too deeply."
AWAY = "The database does not answer. Send the request again in a moment."
Errors = Sequence[tuple[str, str]]
# The first that fits.
_TOLD: tuple[tuple[tuple[type[Exception], ...], int, str], ...] = (
    ((ProtectedError, RestrictedError), 409, IN_USE),
    ((IntegrityError,), 409, MEANWHILE),
    ((DataError, OverflowError), 422, OUT_OF_RANGE),
    ((OperationalError,), 503, AWAY),
    ((RecursionError,), 400, TOO_DEEP),  # It could be read, but not be told what is wrong with it.
)


class ConflictError(exceptions.APIException):
    """Right in itself, but not in the state that things are in."""

    status_code = 409
    default_detail = "This is not possible now."


class WrongFieldsError(exceptions.APIException):
    """Fields are wrong; ``errors`` are (dotted field path, sentence) pairs."""

    status_code = 422
    default_detail = CORRECT

    def __init__(self, errors: Errors, detail: str = CORRECT) -> None:
        super().__init__(detail)
        self.errors = list(errors)


def content(status: int, detail: str, errors: Errors = ()) -> dict[str, Any]:
    """The problem's members."""
    body: dict[str, Any] = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status}
    body["detail"] = detail
    if errors:
        body["errors"] = [{"field": field, "message": message} for field, message in errors]
    return body


def problem(status: int, detail: str, errors: Errors = (), headers: dict[str, str] | None = None) -> HttpResponse:
    """A problem response; ``errors`` are (dotted field path, sentence) pairs."""
    body = msgspec.json.encode(content(status, detail, errors))
    return HttpResponse(body, status=status, content_type=MEDIA_TYPE, headers=headers or {})


@csrf_exempt  # Nothing happens here, whatever is posted.
def not_found(request: HttpRequest, **_kwargs: Any) -> HttpResponse:
    """For paths below the API that lead nowhere."""
    return problem(404, "There is no such path in this API. Its description is at /api/v1/openapi.json.")


def problem_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """The same shape for what views raise."""
    status, detail, errors = _translated(error)
    if status is None:
        answer = exception_handler(error, context)
        if answer is None:
            return None
        data = answer.data if isinstance(answer.data, dict) else {}
        status, detail, headers = answer.status_code, str(data.get("detail", "")), dict(answer.items())
        if status == 404:
            detail = NOT_FOUND if detail in ("", "Not found.") or "matches the given query" in detail else detail
    else:
        set_rollback()
        headers = {"Retry-After": "5"} if status == 503 else {}
    headers.pop("Content-Type", None)
    answer = Response(content(status, detail, errors), status=status, headers=headers)
    answer.content_type = MEDIA_TYPE
    return answer


def _translated(error: Exception) -> tuple[int | None, str, Errors]:
    """What Django REST framework would answer otherwise, or not at all: status (None: as it does), detail, errors."""
    if isinstance(error, WrongFieldsError):
        return 422, str(error.detail), error.errors
    if isinstance(error, exceptions.ValidationError | ModelError):
        return 422, CORRECT, list(_paths(error.detail if hasattr(error, "detail") else _messages(error)))
    for kinds, status, detail in _TOLD:
        if isinstance(error, kinds):
            return status, detail, ()
    return None, "", ()


def _messages(error: ModelError) -> Any:
    return error.message_dict if hasattr(error, "error_dict") else error.messages


def _paths(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(dotted path, sentence) for every leaf; what concerns the whole has the path of what it is about."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            whole = name in ("non_field_errors", "__all__")
            yield from _paths(inner, path if whole else f"{path}.{name}".lstrip("."))
    elif isinstance(detail, list | tuple):
        for place, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _paths(inner, f"{path}.{place}".lstrip(".") if nested else path)
    else:
        yield path, str(detail)
