"""Bodies of requests: JSON as PostgreSQL and everybody else can read it again."""

from collections.abc import Mapping
from typing import IO, Any

import msgspec
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from apps.api.problems import problem


class StrictJSONParser(BaseParser):
    """JSON in UTF-8, without NaN, half characters or numbers beyond all bounds; how deep it may be, stack decides."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return msgspec.json.decode(stream.read())
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ParseError(f"The body is not valid JSON: {error}") from None


def unreadable(request: HttpRequest, most: int) -> HttpResponse | None:
    """A problem if the body is larger than ``most`` bytes, or does not say how large it is."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        return problem(400, "Content-Length must be a number.")
    if request.META.get("HTTP_TRANSFER_ENCODING") and "CONTENT_LENGTH" not in request.META:
        return problem(411, "Send the request with a Content-Length, not in chunks.")
    if len(length) > 12 or int(length) > most:
        return problem(413, f"{most // 1024} KB are the most that fits in.")
    return None
