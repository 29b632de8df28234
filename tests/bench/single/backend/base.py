"""Django's own connection, which never leaves its one schema."""

from django.db.backends.postgresql import base

from tests.bench.stack import TENANT


class DatabaseWrapper(base.DatabaseWrapper):
    """The connection."""

    schema_name = TENANT
