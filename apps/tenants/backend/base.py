"""``SET search_path`` only when the server does not have the wanted path already.

django-tenants sends it with every cursor, which doubles the round trips of a request. The server
forgets a ``SET`` in exactly three ways: the connection closes, the transaction rolls back, or a
savepoint taken before it rolls back. django-tenants clears ``search_path_set_schemas`` in all
three, but also in ``set_tenant``; so we keep what the server was told beside it and drop it with
the first three only.
"""

from typing import Any

from django_tenants.postgresql_backend import base


class DatabaseWrapper(base.DatabaseWrapper):
    """The tenant-aware connection."""

    path_on_server: str | None = None

    def close(self) -> None:
        self.path_on_server = None
        super().close()

    def connect(self) -> None:
        self.path_on_server = None
        super().connect()

    def rollback(self) -> None:
        self.path_on_server = None
        super().rollback()

    def savepoint_rollback(self, sid: str) -> None:
        try:
            super().savepoint_rollback(sid)
        finally:
            self.path_on_server = None

    def _handle_search_path(self, cursor: Any = None) -> None:
        wanted = f"{self.schema_name}|{self.include_public_schema}"
        if self.path_on_server == wanted or self._setting_search_path:
            return
        self.path_on_server = None
        super()._handle_search_path(cursor)
        if self.search_path_set_schemas is not None:
            self.path_on_server = wanted
