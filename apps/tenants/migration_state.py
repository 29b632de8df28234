"""What the code's migrations are, and which schemas have had them.

A schema's comment names the state it was brought to. So one catalog query tells which tenants are
behind, however many there are.
"""

import hashlib
import sys
from functools import cache
from pathlib import Path

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django_tenants.utils import schema_context

from apps.common.db import connection
from apps.tenants.models import Tenant


@cache
def _migrations() -> dict[tuple[str, str], str]:
    """(app, name) of every migration in the code → its module."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return {key: loader.disk_migrations[key].__module__ for key in sorted(loader.graph.nodes)}


@cache
def code_state() -> str:
    """A short name for the set of the code's migrations."""
    return f"migrations {hashlib.sha256(repr(list(_migrations())).encode()).hexdigest()[:16]}"


@cache
def code_contents() -> str:
    """Like :func:`code_state`, but also changes when a migration's text does (common in development)."""
    digest = hashlib.sha256()
    for module in _migrations().values():
        path = sys.modules[module].__file__
        digest.update(Path(path).read_bytes() if path else b"")
    return f"{code_state()} contents {digest.hexdigest()[:16]}"


def schema_comment(schema_name: str) -> str | None:
    """The schema's comment; None if there is none, or no such schema."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT obj_description(to_regnamespace(%s), 'pg_namespace')", [f'"{schema_name}"'])
        row = cursor.fetchone()
    return row[0] if row else None


def set_schema_comment(schema_name: str, comment: str | None) -> None:
    """Write the schema's comment (None removes it)."""
    with connection.cursor() as cursor:
        cursor.execute(f"COMMENT ON SCHEMA {connection.ops.quote_name(schema_name)} IS %s", [comment])


def note_migrated(schema_name: str) -> None:
    """Note on the schema whether all of the code's migrations have been applied to it."""
    with schema_context(schema_name):
        applied = MigrationRecorder(connection).applied_migrations()
        complete = set(_migrations()) <= set(applied)
        set_schema_comment(schema_name, code_state() if complete else None)


def lagging_tenants() -> list[str]:
    """Schema names of tenants that lack some of the code's migrations (or their schema altogether)."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT t.schema_name FROM public.{Tenant._meta.db_table} t
            LEFT JOIN pg_namespace n ON n.nspname = t.schema_name
            WHERE t.schema_name <> 'public' AND obj_description(n.oid, 'pg_namespace') IS DISTINCT FROM %s
            ORDER BY t.schema_name
            """,  # noqa: S608
            [code_state()],
        )
        return [name for (name,) in cursor.fetchall()]
