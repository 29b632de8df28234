"""Two tenants in a real database, and ways to stand in one of them."""

import gc
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from xdist.scheduler import LoadFileScheduling

from tests.environment import NAME, SERVER_URL

LOCK = 0x74657374  # any number that nobody else uses
ROOT = Path(__file__).resolve().parents[1]
_SHAPES = ("apps/*/migrations/*.py", "apps/tenants/*.py", "apps/tenants/backend/*.py", "requirements.txt")


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """One database per test process with the tenants nordwind and klarwerk: migrated once per server, then copied."""
    origin = f"test_origin_{fingerprint()}"
    with psycopg.connect(SERVER_URL, autocommit=True) as admin, django_db_blocker.unblock():
        admin.execute("SELECT pg_advisory_lock(%s)", [LOCK])  # until this connection ends
        there = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [origin]).fetchone()
        if there:
            admin.execute(f'CREATE DATABASE "{NAME}" TEMPLATE "{origin}" STRATEGY FILE_COPY')
        else:
            admin.execute(f'CREATE DATABASE "{NAME}"')
            migrate()
            admin.execute(f'CREATE DATABASE "{origin}" TEMPLATE "{NAME}" STRATEGY FILE_COPY')
    yield
    with django_db_blocker.unblock(), psycopg.connect(SERVER_URL, autocommit=True) as admin:
        from django.db import connections

        connections.close_all()
        admin.execute(f'DROP DATABASE IF EXISTS "{NAME}" WITH (FORCE)')


def fingerprint() -> str:
    """What decides how a migrated database looks."""
    digest = sha256()
    for path in sorted(path for shape in _SHAPES for path in ROOT.glob(shape)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def migrate() -> None:
    """Everything in public, and two tenants."""
    from django.core.management import call_command
    from django.db import connections

    from apps.tenants.provisioning import create_tenant

    call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
    create_tenant(schema_name="nordwind", name="Nordwind")
    create_tenant(schema_name="klarwerk", name="Klarwerk")
    connections.close_all()


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """A process remembers hosts, keys and touchpoints for seconds, and the last request's language and URLs."""
    from django.core.cache import cache
    from django.urls import set_urlconf
    from django.utils import translation

    from apps.integrations import services as integrations
    from apps.relays import services as relays
    from apps.tenants import registry
    from apps.touchpoints import services as touchpoints

    registry.forget()
    relays.forget()
    integrations._clear()
    touchpoints._keys.clear()
    cache.clear()
    translation.activate("en")
    set_urlconf(None)


@pytest.fixture(scope="module", autouse=True)
def little_garbage() -> None:
    """What earlier files left for good (caches, modules) is not looked through again and again by later ones."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def tenant(db: None) -> Iterator[Any]:
    """The test runs inside the tenant nordwind (host nordwind.resonanz.test), rolled back afterwards."""
    from django_tenants.utils import tenant_context

    from apps.tenants.models import Tenant

    row = Tenant.objects.get(schema_name="nordwind")
    with tenant_context(row):
        yield row


@pytest.fixture
def other_tenant(db: None) -> Any:
    """The second tenant, klarwerk (host klarwerk.resonanz.test)."""
    from apps.tenants.models import Tenant

    return Tenant.objects.get(schema_name="klarwerk")


@pytest.fixture
def autocommit(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test commits for real and cleans up after itself; unlike pytest-django's, nothing is flushed."""
    from django.db import connection

    with django_db_blocker.unblock():
        connection.set_schema_to_public()
        yield
        connection.set_schema_to_public()
        connection.close()


# Minutes long, and a file is one process's: begun last they would keep the other process waiting for the end.
# The other journeys come after the story, whose platform they find.
SLOWEST = ("tests/journeys/test_story.py", "tests/journeys/", "tests/responses/test_channels_chromium.py")
BROKERS = {"redis": 1, "files": 2}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest files first, and in the story one broker after the other; the others stay in their order."""

    def turn(item: pytest.Item) -> tuple[int, int]:
        place = next((place for place, start in enumerate(SLOWEST) if item.nodeid.startswith(start)), len(SLOWEST))
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        return place, BROKERS.get(parameters.get("broker"), 0) if place == 0 else 0

    items.sort(key=turn)


def pytest_collection_finish() -> None:
    """All that is loaded by now stays: a third of the time was spent on looking through it for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


class _TogetherByFile(LoadFileScheduling):
    """A file's tests are one process's. So are all journeys: they share a platform, which takes a minute to make."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/journeys" if nodeid.startswith("tests/journeys/") else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """How several processes divide the tests."""
    return _TogetherByFile(config, log)


TOOLS = {"chromium": "/usr/bin/chromium", "redis": "/usr/bin/redis-server"}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests that drive a program are skipped where it is missing, but not where CI promises it."""
    for marker, program in TOOLS.items():
        if item.get_closest_marker(marker) and not Path(program).exists():
            if os.environ.get("CI", "").lower() == "true":
                pytest.fail(f"{program} is missing, and CI=true promises it", pytrace=False)
            pytest.skip(f"needs {program}")
