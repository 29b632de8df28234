"""Seconds for new tenants, ours and by migrations in turn: ``python -m tests.bench.new_tenant PAIRS`` prints JSON."""

import json
import sys
import time

import django
from django.core.management import call_command
from django.db import connection


def main(pairs: int) -> None:
    """Make and drop tenants both ways."""
    django.setup()
    from tests.bench.measure import alternate

    replay(-1)  # The template schema is made once per release, not per tenant.
    numbers = iter(range(10_000))
    ours, theirs = alternate(lambda: replay(next(numbers)), lambda: migrate(next(numbers)), pairs)
    print(json.dumps({"ours": ours, "theirs": theirs}))


def replay(number: int) -> float:
    """Seconds until our tenant is there."""
    from apps.tenants.provisioning import create_tenant

    started = time.perf_counter()
    tenant = create_tenant(schema_name=f"new_{abs(number)}{'w' * (number < 0)}", name="New")
    seconds = time.perf_counter() - started
    tenant.delete(force_drop=True)
    return seconds


def migrate(number: int) -> float:
    """Seconds until an empty schema has gone through all migrations, as django-tenants makes tenants."""
    from apps.tenants.models import Domain, Tenant

    name = f"old_{number}"
    started = time.perf_counter()
    tenant = Tenant.objects.create(schema_name=name, name="Old")
    Domain.objects.create(tenant=tenant, domain=f"{name}.bench.test")
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE SCHEMA "{name}"')
    call_command("migrate_schemas", tenant=True, schema_name=name, interactive=False, verbosity=0)
    seconds = time.perf_counter() - started
    tenant.delete(force_drop=True)
    return seconds


if __name__ == "__main__":
    main(int(sys.argv[1]))
