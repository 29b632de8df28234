"""Errors as problem+json (RFC 9457): what is wrong, where, and what to do."""

from collections.abc import Sequence
from typing import Any

import msgspec
from django.http import HttpResponse
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import exception_handler

TITLES = {
    400: "The request cannot be read",
    401: "No valid API key",
    403: "The API key may not do this",
    404: "Not found",
    405: "Method not allowed",
    411: "The request has no length",
    413: "The request is too large",
    415: "The content type is not supported",
    422: "Some fields are wrong",
    429: "Too many requests",
    503: "Out of order for a moment",
}


def problem(
    status: int, detail: str, errors: Sequence[tuple[str, str]] = (), headers: dict[str, str] | None = None
) -> HttpResponse:
    """A problem response; ``errors`` are (dotted field path, sentence) pairs."""
    body: dict[str, Any] = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status}
    body["detail"] = detail
    if errors:
        body["errors"] = [{"field": field, "message": message} for field, message in errors]
    return HttpResponse(
        msgspec.json.encode(body), status=status, content_type="application/problem+json", headers=headers or {}
    )


def problem_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """The same shape for what Django REST framework raises."""
    answer = exception_handler(error, context)
    if answer is None or not isinstance(error, APIException):
        return answer
    detail = answer.data.get("detail", "") if isinstance(answer.data, dict) else ""
    title = TITLES.get(answer.status_code, "Error")
    answer.data = {"type": "about:blank", "title": title, "status": answer.status_code, "detail": str(detail)}
    answer.content_type = "application/problem+json"
    return answer
