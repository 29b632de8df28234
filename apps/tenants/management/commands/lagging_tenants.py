from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.tenants.migration_state import lagging_tenants


class Command(BaseCommand):
    """Tells which tenants still need `migrate_schemas --tenant`."""

    help = "List the tenants that lack migrations; the exit code is 1 if there are any."

    def handle(self, *args: Any, **options: Any) -> None:
        names = lagging_tenants()
        for name in names:
            self.stdout.write(name)
        if names:
            raise CommandError(f"{len(names)} tenants are behind; run: manage.py migrate_schemas --tenant")
