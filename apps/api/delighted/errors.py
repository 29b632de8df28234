"""Refusals in Delighted's shape: always a JSON body, whatever went wrong."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from django.http import HttpResponse

MESSAGES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    411: "Length Required",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
BLANK = "can't be blank"
INVALID = "is invalid"
Errors = Mapping[str, Sequence[str]]


class Refused(Exception):
    """The request is answered with this status. ``detail`` says in a sentence what to do."""

    def __init__(self, status: int, detail: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail or MESSAGES[status])
        self.status = status
        self.detail = detail
        self.errors: Errors = {}
        self.headers = headers or {}


class Invalid(Refused):
    """422: parameter → what is wrong with it, in Delighted's words where it has some."""

    def __init__(self, errors: Errors) -> None:
        super().__init__(422)
        self.errors = errors


def refusal(refused: Refused) -> HttpResponse:
    """The refusal as an answer."""
    body: dict[str, Any] = {"status": refused.status, "message": MESSAGES[refused.status]}
    if refused.errors:
        body["errors"] = refused.errors
    if refused.detail:
        body["detail"] = refused.detail
    return as_json(body, refused.status, refused.headers)


def as_json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Any answer of this API."""
    content = msgspec.json.encode(body)
    return HttpResponse(content, status=status, content_type="application/json; charset=utf-8", headers=headers)
