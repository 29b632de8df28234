"""Cache keys that cannot meet between tenants."""

from apps.common.db import connection


def tenant_key(key: str, key_prefix: str, version: int) -> str:
    """Django's KEY_FUNCTION: the schema in front of every key."""
    return f"{connection.schema_name}:{key_prefix}:{version}:{key}"
