"""Django's default connection, with the types of what our database engine adds to it."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db import connection as _connection
from django.db.backends.base.base import BaseDatabaseWrapper


class TenantConnection(BaseDatabaseWrapper):
    """A connection that stands in one schema (see apps.tenants.backend)."""

    schema_name: str
    tenant: Any
    include_public_schema: bool

    def set_tenant(self, tenant: Any, include_public: bool = True) -> None: ...

    def set_schema(self, schema_name: str, include_public: bool = True) -> None: ...

    def set_schema_to_public(self) -> None: ...


connection = cast("TenantConnection", _connection)

PREPARE_AFTER = 5  # psycopg's default


def fetch_prepared(statement: str, params: Sequence[Any] | Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The first row of a statement that comes again and again: PostgreSQL plans it once per connection.

    Tables are written with their schema, so that no search_path is needed. psycopg's own cursor: Django's would bind
    on the client each time.
    """
    database = cast("TenantConnection", connections[DEFAULT_DB_ALIAS])  # found once, not with every use
    database.ensure_connection()
    with database.wrap_database_errors:
        # Django switches preparing off. Only statements that come again are prepared, so that thousands
        # of tenants do not push each other's out all the time.
        database.connection.prepare_threshold = PREPARE_AFTER
        return psycopg.Cursor(database.connection).execute(statement, params).fetchone()
