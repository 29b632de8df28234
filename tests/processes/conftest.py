"""A database of its own and processes that work on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.copies import copied
from tests.processes.fleet import Fleet, Mailbox, Redis, fleet_on


@pytest.fixture
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A copy of the tests' database: processes commit, which must not meet tests that roll back."""
    with copied("processes", django_db_blocker, deadlock_timeout="100ms") as url:  # A deadlock is seen at once.
        yield url


@pytest.fixture
def house(database: str) -> Iterator[Any]:
    """A tenant of its own in that database; the test stands in it."""
    from django_tenants.utils import tenant_context

    from apps.tenants.provisioning import create_tenant

    tenant = create_tenant(schema_name="fleet", name="Fleet")
    with tenant_context(tenant):
        yield tenant


@pytest.fixture
def surroundings(database: str, tmp_path: Path) -> Iterator[tuple[Fleet, Redis, Mailbox]]:
    """Redis, mailbox, and a fleet that has not been started; it is stopped before the database goes."""
    with fleet_on(tmp_path, database) as made:
        yield made


@pytest.fixture
def fleet(surroundings: tuple[Fleet, Redis, Mailbox], house: Any) -> Fleet:
    """Beats and workers to be started."""
    return surroundings[0]


@pytest.fixture
def mailbox(surroundings: tuple[Fleet, Redis, Mailbox]) -> Mailbox:
    """Where the fleet's mails arrive."""
    return surroundings[2]


@pytest.fixture
def announcing(surroundings: tuple[Fleet, Redis, Mailbox], monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process wakes is told to the fleet's Redis, as a web process does."""
    from celery import Celery

    from apps.common import agenda

    monkeypatch.setattr(agenda, "current_app", Celery("test", broker=surroundings[1].url, set_as_current=False))
    monkeypatch.setattr(agenda, "_broker_down_until", 0.0)
