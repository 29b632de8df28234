"""``manage.py reseal``: encrypt all stored secrets with the newest key."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django_tenants.utils import schema_context

from apps.common import sealed_rows
from apps.common.db import connection
from apps.common.sealed_rows import Column
from apps.tenants import registry
from apps.tenants.models import Tenant


class Command(BaseCommand):
    """Afterwards CREDENTIALS_KEY_FALLBACKS may go. Running it again changes nothing."""

    help = "Encrypt all stored secrets with CREDENTIALS_KEY, of the platform and of all tenants."

    def handle(self, *args: Any, **options: Any) -> None:
        shared, owned = _columns(shared=True), _columns(shared=False)
        with schema_context(registry.PUBLIC):
            names = list(Tenant.objects.order_by("schema_name").values_list("schema_name", flat=True))
        names = [name for name in names if name != registry.PUBLIC]
        broken = self._reseal(registry.PUBLIC, shared, "")
        for number, name in enumerate(names, 1):
            broken += self._reseal(name, owned, f"{number}/{len(names)} ")
        if broken:
            raise CommandError(
                f"{broken} secrets were encrypted under a key that is not known here. Put it into "
                "CREDENTIALS_KEY_FALLBACKS and run this again, or enter those secrets again."
            )
        self.stdout.write(self.style.SUCCESS("Everything is encrypted with the newest key."))

    def _reseal(self, schema_name: str, columns: list[Column], progress: str) -> int:
        """Returns how many of the schema's secrets no key opens."""
        with schema_context(schema_name):
            counts = [sealed_rows.seal(connection, column) for column in columns]
        written, unreadable = sum(count.written for count in counts), sum(count.unreadable for count in counts)
        note = f", {unreadable} cannot be read" if unreadable else ""
        self.stdout.write(f"{progress}{schema_name}: {written} encrypted anew{note}")
        return unreadable


def _columns(*, shared: bool) -> list[Column]:
    models = [model for model in apps.get_models() if (_app_of(model) not in settings.TENANT_APPS) == shared]
    return [column for model in models for column in sealed_rows.columns_of(model)]


def _app_of(model: Any) -> str:
    return str(model._meta.app_config.name)
