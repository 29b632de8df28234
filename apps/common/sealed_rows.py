"""Sealing, opening and resealing what stands in a column, in batches that do not hold up the running work."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from django.db import models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.common import sealed

BATCH = 500


class Column(NamedTuple):
    """A sealed column of a table with a numeric key."""

    table: str
    name: str
    purpose: str


class Count(NamedTuple):
    """How many rows were written, and how many no key opens."""

    written: int
    unreadable: int


def columns_of(model: type[models.Model]) -> list[Column]:
    """The sealed columns of a model."""
    fields = [field for field in model._meta.concrete_fields if hasattr(field, "purpose")]
    return [Column(model._meta.db_table, str(field.column), field.purpose) for field in fields]


def seal(database: BaseDatabaseWrapper, column: Column) -> Count:
    """Seal what is still plain, and bring everything to the newest key."""

    def change(stored: str) -> str:
        if sealed.is_newest(column.purpose, stored):
            return stored
        return sealed.seal(column.purpose, sealed.unseal(column.purpose, stored))

    return _rewrite(database, column, change)


def unseal(database: BaseDatabaseWrapper, column: Column) -> Count:
    """Write everything back as plain text."""
    return _rewrite(database, column, lambda stored: sealed.unseal(column.purpose, stored))


def sealing(column: Column) -> tuple[Callable[[Any, Any], None], Callable[[Any, Any], None]]:
    """The two functions of a migration that seals a column that was plain."""

    def forwards(_apps: Any, schema_editor: Any) -> None:
        seal(schema_editor.connection, column)

    def backwards(_apps: Any, schema_editor: Any) -> None:
        unseal(schema_editor.connection, column)

    return forwards, backwards


def _rewrite(database: BaseDatabaseWrapper, column: Column, change: Callable[[str], str]) -> Count:
    written = unreadable = 0
    for rows in _batches(database, column):
        changed = []
        for pk, stored in rows:
            try:
                text = change(stored)
            except sealed.UnreadableError:
                unreadable += 1
                continue
            if text != stored:
                changed.append((text, pk))
        with database.cursor() as cursor:
            update = f"UPDATE {_table(database, column)} SET {_name(database, column)} = %s WHERE id = %s"  # noqa: S608
            cursor.executemany(update, changed)
        written += len(changed)
    return Count(written, unreadable)


def _batches(database: BaseDatabaseWrapper, column: Column) -> Iterator[list[tuple[int, str]]]:
    """Rows in the order of their keys, locked while the batch is worked on."""
    name = _name(database, column)
    query = f"SELECT id, {name} FROM {_table(database, column)} WHERE id > %s AND {name} <> ''"  # noqa: S608
    last = 0
    while True:
        with transaction.atomic(using=database.alias):
            with database.cursor() as cursor:
                cursor.execute(f"{query} ORDER BY id LIMIT {BATCH} FOR UPDATE", [last])
                rows = cursor.fetchall()
            if not rows:
                return
            yield rows
        last = rows[-1][0]


def _table(database: BaseDatabaseWrapper, column: Column) -> str:
    return database.ops.quote_name(column.table)


def _name(database: BaseDatabaseWrapper, column: Column) -> str:
    return database.ops.quote_name(column.name)
