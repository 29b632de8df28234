"""Django's memory of content types, kept apart by schema.

A model's content type has another id in every schema, but Django remembers it once per process:
a row of the admin's log written for one tenant would point at whatever has that id there.
django-tenants empties that memory at every switch, which does not help a thread whose neighbour
fills it from another schema a moment later.
"""

from typing import Any

from django.contrib.contenttypes.models import ContentType

from apps.common.db import connection


class PerSchema(dict[Any, Any]):
    """Stands in for the manager's ``{alias: {key: content type}}``; reads and writes the current schema's."""

    def __getitem__(self, alias: Any) -> Any:
        return super().__getitem__((alias, connection.schema_name))

    def get(self, alias: Any, default: Any = None) -> Any:
        return super().get((alias, connection.schema_name), default)

    def setdefault(self, alias: Any, default: Any = None) -> Any:
        return super().setdefault((alias, connection.schema_name), default)


def keep_apart() -> None:
    """Called once, when all models are loaded."""
    ContentType.objects._cache = PerSchema()  # type: ignore[attr-defined]
