"""What every export has: which rows, found once; their properties as columns; times by the tenant's clock."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from apps.common.db import connection
from apps.common.spreadsheets import Cell

CHUNK = 2000
"""So many rows are in memory at a time."""
MAX_PROPERTIES = 200
"""So many properties have a column of their own, the most frequent ones; the others share one, as JSON."""
PREFIX = "properties."
REST = "further properties"
T = TypeVar("T")

_KEYS = """
SELECT key FROM ({rows}) AS found (properties), LATERAL jsonb_object_keys(
    CASE jsonb_typeof(found.properties) WHEN 'object' THEN found.properties ELSE '{{}}' END
) AS key GROUP BY key ORDER BY count(*) DESC, key LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Table:
    """An export before it is a file: the names of its columns, and rows that are read as they are taken."""

    header: Sequence[str]
    rows: Iterator[Sequence[Cell]]


def table(
    found: QuerySet[Any], *, header: Sequence[str], read: Callable[[Sequence[UUID]], Mapping[UUID, Sequence[Cell]]]
) -> Table:
    """All rows of ``found`` in its order; ``read`` makes those of some ids at a time, leaving out what is gone."""
    return Table(header, _rows(found, read, connection.tenant))


def here(parts: Iterator[T]) -> Iterator[T]:
    """The same, made in the tenant of now: a file may be written after its request, and a thread moves on."""
    return _standing(parts, connection.tenant)


def _standing(parts: Iterator[T], tenant: Any) -> Iterator[T]:
    while True:
        connection.set_tenant(tenant)
        try:
            part = next(parts)
        except StopIteration:
            return
        yield part


def _rows(
    found: QuerySet[Any], read: Callable[[Sequence[UUID]], Mapping[UUID, Sequence[Cell]]], tenant: Any
) -> Iterator[Sequence[Cell]]:
    # A cursor that outlives its transaction: the filter runs once and only ids wait on the server, so that whoever
    # reads slowly neither keeps old rows from being cleaned up nor has the filter run anew for each part.
    ids = _standing(found.values_list("pk", flat=True).iterator(chunk_size=CHUNK), tenant)
    while chunk := list(islice(ids, CHUNK)):
        rows = read(chunk)
        yield from (rows[pk] for pk in chunk if pk in rows)


@dataclass(frozen=True, slots=True)
class Properties:
    """Which properties have columns of their own, and whether there are more."""

    keys: Sequence[str]
    has_rest: bool

    @property
    def header(self) -> list[str]:
        """The names of the columns."""
        return [f"{PREFIX}{key}" for key in self.keys] + [REST] * self.has_rest

    def cells(self, properties: Any) -> list[Cell]:
        """The values of one row; what is no text, number or yes or no stands there as JSON."""
        if not isinstance(properties, dict):
            return [None] * (len(self.keys) + self.has_rest)
        cells = [_cell(properties.get(key)) for key in self.keys]
        if self.has_rest:
            rest = {key: value for key, value in properties.items() if key not in self.keys}
            cells.append(_json(rest) if rest else None)
        return cells


def properties_of(found: QuerySet[Any]) -> Properties:
    """The properties that occur in the rows. One query."""
    try:
        rows, params = found.order_by().values("properties").query.sql_with_params()
    except EmptyResultSet:
        return Properties([], has_rest=False)
    with connection.cursor() as cursor:
        cursor.execute(_KEYS.format(rows=rows), [*params, MAX_PROPERTIES + 1])
        keys = [key for (key,) in cursor.fetchall()]
    return Properties(sorted(keys[:MAX_PROPERTIES]), len(keys) > MAX_PROPERTIES)


def _cell(value: Any) -> Cell:
    return value if value is None or isinstance(value, str | int | float) else _json(value)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def local(moment: datetime | None, zone: tzinfo) -> datetime | None:
    """A time by the tenant's clock."""
    return moment.astimezone(zone) if moment else None


def joined(parts: Iterable[str]) -> str:
    """Several values in one cell."""
    return "; ".join(part for part in parts if part)
