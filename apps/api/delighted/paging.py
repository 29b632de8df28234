"""Lists: by page number, or by a cursor in the header Link."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse

from apps.api.delighted.base import Call
from apps.api.delighted.errors import INVALID, Invalid, as_json

PER_PAGE = 20
MAX_PER_PAGE = 100
CURSOR = "cursor"
# Further than this no list reaches; PostgreSQL counts what it skips.
_FARTHEST = 10_000_000


def per_page(call: Call) -> int:
    """How many rows a page has: 1 to 100, 20 if nothing is said."""
    wanted = call.params.whole("per_page")
    return PER_PAGE if wanted is None else max(1, min(wanted, MAX_PER_PAGE))


def page_slice(call: Call) -> slice:
    """The rows of the page asked for; a page past the end is an empty slice, not an error."""
    size, page = per_page(call), max(1, call.params.whole("page") or 1)
    start = (page - 1) * size
    return slice(start, start + size) if start <= _FARTHEST else slice(0, 0)


def cursor_id(call: Call) -> UUID | None:
    """The id after which the page begins. Raises Invalid."""
    text = call.params.text(CURSOR)
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Invalid({CURSOR: [INVALID]}) from None


def cursor_page(call: Call, rows: list[Any], *, after: object | None, keep: tuple[str, ...]) -> HttpResponse:
    """A page of a cursor list. ``after``: the last row's id if more follow, else None.

    ``keep`` names the parameters that the next page needs as well; each is written once, however often it came.
    """
    headers = {}
    if after is not None:
        query = {name: call.params.text(name) for name in ("per_page", *keep) if call.params.given(name)}
        address = call.request.build_absolute_uri(call.request.path)
        headers["Link"] = f'<{address}?{urlencode({**query, CURSOR: str(after)})}>; rel="next"'
    return as_json(rows, headers=headers)
