"""Django's default connection, with the types of what our database engine adds to it."""

from typing import Any, cast

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
