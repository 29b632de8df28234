"""A real server, and a tenant of its own for every client."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.clients.server import Account, Server, move_in, move_out
from tests.journeys.platform import ROOT

CLIENTS = ROOT / ".venv" / "clients"
TAP = CLIENTS / "tap" / "bin" / "python"
NODE_MODULES = CLIENTS / "node" / "node_modules"


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The platform's web server, once for all clients."""
    running = Server(tmp_path_factory.mktemp("web"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def account(server: Server, django_db_blocker: Any) -> Iterator[Callable[[str], Account]]:
    """Makes the tenant with this name, once; all are gone afterwards."""
    made: dict[str, Account] = {}

    def open_account(name: str) -> Account:
        if name not in made:
            with django_db_blocker.unblock():
                connection.set_schema_to_public()
                made[name] = move_in(name)
                connection.set_schema_to_public()
                connection.close()
        return made[name]

    yield open_account
    with django_db_blocker.unblock():
        connection.set_schema_to_public()
        for found in made.values():
            move_out(found)
        connection.close()


def installed(path: Path) -> Path:
    """A client that ``make test`` installs; skipped where it is missing, but not where CI promises it."""
    if not path.exists():
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"{path} is missing, and CI=true promises it", pytrace=False)
        pytest.skip(f"needs {path.relative_to(ROOT)}: run “make clients”")
    return path
