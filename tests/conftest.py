"""Two tenants in a real database, and ways to stand in one of them."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.environment import NAME, SERVER_URL


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """One database per test process, migrated once, with the tenants nordwind and klarwerk."""
    with psycopg.connect(SERVER_URL, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{NAME}" WITH (FORCE)')
        admin.execute(f'CREATE DATABASE "{NAME}"')
    from django.core.management import call_command
    from django.db import connections

    from apps.tenants.provisioning import create_tenant

    with django_db_blocker.unblock():
        call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
        create_tenant(schema_name="nordwind", name="Nordwind")
        create_tenant(schema_name="klarwerk", name="Klarwerk")
        connections.close_all()
    yield
    with django_db_blocker.unblock():
        connections.close_all()


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
