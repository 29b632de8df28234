from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django_tenants.utils import schema_context

from apps.integrations.models import ApiKey, Scope
from apps.integrations.services import create_api_key
from apps.tenants import registry


class Command(BaseCommand):
    """Makes a key for the REST API from the shell."""

    help = "Create an API key for a tenant and print it: it cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's schema name")
        parser.add_argument("name", help="what the key is for")
        parser.add_argument(
            "--scope", action="append", choices=Scope.values, help="may be given several times (default: all)"
        )
        parser.add_argument(
            "--kind",
            choices=ApiKey.Kind.values,
            default=ApiKey.Kind.SERVER,
            help="wk: only brings events and contacts in",
        )
        parser.add_argument(
            "--per-minute", type=int, help="requests per minute (default: what the installation allows)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = registry.by_schema(options["tenant"])
        if tenant is None:
            raise CommandError(f"There is no active tenant “{options['tenant']}”.")
        with schema_context(tenant.schema_name):
            _row, key = create_api_key(
                name=options["name"],
                kind=options["kind"],
                scopes=options["scope"] or None,
                requests_per_minute=options["per_minute"],
            )
        self.stdout.write(key)
