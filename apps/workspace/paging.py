"""Pages of a list by key rather than by number: as fast on the thousandth page as on the first."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

PAGE_SIZE = 25
COUNT_UP_TO = 1000


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows there are, counted up to a bound."""

    total: int

    @property
    def total_is_bound(self) -> bool:
        """True if there are more rows than were counted."""
        return self.total > COUNT_UP_TO

    @property
    def shown_total(self) -> int:
        """The number to show."""
        return min(self.total, COUNT_UP_TO)


@dataclass(frozen=True, slots=True)
class Page(Total):
    """Some rows, and where the next page starts."""

    rows: list[Any]
    is_first: bool
    next_cursor: str


def total(queryset: QuerySet[Any]) -> Total:
    """The number of rows. One query."""
    return Total(queryset.order_by().values("pk")[: COUNT_UP_TO + 1].count())


def page(
    queryset: QuerySet[Any],
    *,
    field: str,
    cursor: str,
    ascending: bool = False,
    size: int = PAGE_SIZE,
    counted: Total | None = None,
    is_number: bool = False,
    is_day: bool = False,
) -> Page:
    """One page ordered by a time field and the id. Two queries, or one if the rows are ``counted`` already.

    With ``is_number`` the field is a number, with ``is_day`` a day, that is never empty. A cursor that cannot be read
    starts over.
    """
    sign, onward, passed = ("", "gte", "lte") if ascending else ("-", "lte", "gte")
    ordered = queryset.order_by(f"{sign}{field}", f"{sign}pk")
    start = _read(cursor, is_number=is_number, is_day=is_day)
    if start is not None:
        at, pk = start
        # The first condition is what the index can use; the second takes out what the last page showed.
        ordered = ordered.filter(**{f"{field}__{onward}": at}).exclude(**{field: at, f"pk__{passed}": pk})
    rows = list(ordered[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    return Page(
        rows=rows,
        total=(counted or total(queryset)).total,
        is_first=start is None,
        next_cursor=f"{_written(getattr(rows[-1], field))}~{rows[-1].pk}" if more else "",
    )


def page_by_id(queryset: QuerySet[Any], *, cursor: str, size: int = PAGE_SIZE) -> Page:
    """One page, newest first, of rows whose ids (UUID version 7) tell their order. Two queries."""
    ordered = queryset.order_by("-pk")
    try:
        start = UUID(cursor)
    except ValueError:
        start = None
    if start is not None:
        ordered = ordered.filter(pk__lt=start)
    rows = list(ordered[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    return Page(
        rows=rows,
        total=total(queryset).total,
        is_first=start is None,
        next_cursor=str(rows[-1].pk) if more else "",
    )


def _written(value: date | int) -> str:
    return str(value) if isinstance(value, int) else value.isoformat()


def _read(cursor: str, *, is_number: bool, is_day: bool) -> tuple[date | int, UUID | int] | None:
    start, _tilde, key = cursor.partition("~")
    try:
        pk = _number(key) if key.isdecimal() else UUID(key)
        if is_number:
            return _number(start), pk
        if is_day:
            return date.fromisoformat(start), pk
        at = datetime.fromisoformat(start)
        # A moment that has none in UTC is none to the database either.
        return (at.astimezone(UTC), pk) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _number(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 19:
        return int(text)
    raise ValueError(text)
