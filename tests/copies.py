"""Copies of the tests' database, for what must be committed: a server or a process sees nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from tests.environment import NAME, SERVER_URL


@contextmanager
def copied(suffix: str, blocker: Any, **options: str) -> Iterator[str]:
    """Django works on a copy inside the block, which is deleted with all that was committed; yields its URL.

    ``options`` are settings of PostgreSQL for this copy alone.
    """
    from django.db import connections

    copy = f"{NAME}_{suffix}"
    with blocker.unblock():
        connections.close_all()
        with psycopg.connect(SERVER_URL, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')
            admin.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{NAME}" STRATEGY FILE_COPY')
            for name, value in options.items():
                admin.execute(f"ALTER DATABASE \"{copy}\" SET {name} = '{value}'")
        values = connections.settings["default"]
        values["NAME"] = copy
        try:
            yield SERVER_URL.replace("/postgres?", f"/{copy}?", 1)
        finally:
            connections.close_all()
            values["NAME"] = NAME
            with psycopg.connect(SERVER_URL, autocommit=True) as admin:
                admin.execute(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')
