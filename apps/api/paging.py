"""Pages by key rather than by number: as fast on the thousandth page as on the first, whole while rows come in."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, NamedTuple

import msgspec
from django.core.exceptions import ValidationError
from django.db.models import Field, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from apps.api.problems import WrongFieldsError

PAGE, MAX_PAGE = 50, 200
CURSOR, LIMIT = "cursor", "limit"
_WRONG_CURSOR = "must be taken from “next” or “previous” of the same list."
_WRONG_LIMIT = f"must be a whole number from 1 to {MAX_PAGE}."


class Place(NamedTuple):
    """Between which rows a page begins: beyond the row with these values of the order's fields."""

    is_backward: bool
    values: tuple[Any, ...]


class Pages(BasePagination):
    """``next`` and ``previous`` are addresses to follow. The view's ``page_ordering`` is unique and never null.

    All its fields go the same way. However many rows share the first one's value, each row comes once: DRF's own
    cursor counts within such a run, up to a thousand, and then goes in a circle.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """The rows of a page. One query."""
        order = tuple(view.page_ordering)
        names = [name.lstrip("-") for name in order]
        size, place = _size(request), self._place(request, queryset, names)
        is_backward = place is not None and place.is_backward
        descending = order[0].startswith("-") != is_backward
        rows = queryset.order_by(*(f"{'-' if descending else ''}{name}" for name in names))
        if place is not None:
            rows = _beyond(rows, names, place.values, descending)
        found = list(rows[: size + 1])
        has_more, found = len(found) > size, found[:size]
        if is_backward:
            found.reverse()
        self._address = request.build_absolute_uri()
        has_next = has_more if not is_backward else True
        has_previous = has_more if is_backward else place is not None
        self._next = _cursor(False, names, found[-1]) if found and has_next else None
        self._previous = _cursor(True, names, found[0]) if found and has_previous else None
        return found

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self._link(self._next), "previous": self._link(self._previous), "results": data})

    def _link(self, cursor: str | None) -> str | None:
        return None if cursor is None else replace_query_param(self._address, CURSOR, cursor)

    def _place(self, request: Request, queryset: QuerySet[Any], names: list[str]) -> Place | None:
        text = request.query_params.get(CURSOR)
        if text is None:
            return None
        try:
            is_backward, *values = msgspec.json.decode(urlsafe_b64decode(text.encode()), type=list[str])
            if len(values) != len(names) or is_backward not in "np":
                raise ValueError
            fields = [_field(queryset, name) for name in names]
            return Place(
                is_backward == "p", tuple(_read(field, value) for field, value in zip(fields, values, strict=True))
            )
        except (ValueError, ValidationError, OverflowError):
            raise WrongFieldsError([(CURSOR, _WRONG_CURSOR)]) from None

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        address = {"type": ["string", "null"], "format": "uri", "description": "Null: there is no such page."}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": address, "previous": address, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": CURSOR,
                "in": "query",
                "required": False,
                "schema": {"type": "string"},
                "description": "Where the page begins: taken from `next` or `previous`.",
            },
            {
                "name": LIMIT,
                "in": "query",
                "required": False,
                "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": PAGE},
                "description": "Rows per page.",
            },
        ]


def _size(request: Request) -> int:
    text = request.query_params.get(LIMIT, str(PAGE))
    size = int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else 0
    if not 1 <= size <= MAX_PAGE:
        raise WrongFieldsError([(LIMIT, _WRONG_LIMIT)])
    return size


def _field(queryset: QuerySet[Any], name: str) -> "Field[Any, Any]":
    meta = queryset.model._meta
    field: Field[Any, Any] = meta.pk if name == "pk" else meta.get_field(name)
    return field


def _read(field: "Field[Any, Any]", text: str) -> Any:
    """A value of a cursor, which anybody may have made. Raises ValueError, ValidationError."""
    value = None if "\x00" in text or len(text) > 300 else field.to_python(text)
    if value is None:
        raise ValueError
    return value


def _cursor(is_backward: bool, names: list[str], row: Any) -> str:
    values = (getattr(row, name) for name in names)
    texts = [value.isoformat() if hasattr(value, "isoformat") else str(value) for value in values]
    return urlsafe_b64encode(msgspec.json.encode(["p" if is_backward else "n", *texts])).decode()


def _beyond(rows: QuerySet[Any], names: list[str], values: tuple[Any, ...], descending: bool) -> QuerySet[Any]:
    """The rows that come after the place in the order."""
    onward, passed = ("lt", "gte") if descending else ("gt", "lte")
    if len(names) == 1:
        return rows.filter(**{f"{names[0]}__{onward}": values[0]})
    # The first condition is what the index can use; the second takes out what was shown.
    (first, second), (head, tail) = names, values
    return rows.filter(**{f"{first}__{onward}e": head}).exclude(**{first: head, f"{second}__{passed}": tail})
