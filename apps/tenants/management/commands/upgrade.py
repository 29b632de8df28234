from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django_tenants.utils import schema_context

from apps.tenants import registry
from apps.tenants.migration_state import lagging_tenants


class Command(BaseCommand):
    """What a deployment runs before the new code starts."""

    help = "Migrate the public schema and the tenants that are behind; does nothing if none is."

    def handle(self, *args: Any, **options: Any) -> None:
        with schema_context(registry.PUBLIC):
            executor = MigrationExecutor(connection)
            pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if pending:
            self.stdout.write("Migrating the public schema …")
            call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
        for name in lagging_tenants():
            self.stdout.write(f"Migrating {name} …")
            call_command("migrate_schemas", tenant=True, schema_name=name, interactive=False, verbosity=0)
