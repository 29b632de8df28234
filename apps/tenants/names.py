"""Which schema and host names a tenant may have. Pure: no Django."""

import re

SCHEMA_NAME = re.compile(r"[a-z][a-z0-9_]{2,40}")
HOST_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
RESERVED = frozenset({"public", "information_schema", "template", "www", "api", "admin", "static", "mail", "mailbox"})


def is_valid_schema_name(name: object) -> bool:
    """True for a-z, then 2–40 of a-z, 0-9 and _, neither reserved nor in PostgreSQL's own name space."""
    return (
        isinstance(name, str)
        and SCHEMA_NAME.fullmatch(name) is not None
        and name not in RESERVED
        and not name.startswith("pg_")
    )


def is_valid_host(host: object) -> bool:
    """True for a lower-case host name without port, as DNS allows it."""
    return isinstance(host, str) and HOST_NAME.fullmatch(host) is not None
