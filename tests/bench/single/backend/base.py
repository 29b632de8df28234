"""Django's own connection, which never leaves ``public``."""

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """The connection."""

    schema_name = "public"
