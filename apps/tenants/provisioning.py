"""Making tenants."""

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django_tenants.utils import schema_context

from apps.tenants import registry
from apps.tenants.models import Domain, Tenant


def create_tenant(*, schema_name: str, name: str, host: str | None = None) -> Tenant:
    """Create a tenant with its schema and host name (default: below the public host).

    Raises ValidationError for a bad schema name, IntegrityError if name or host is taken.
    """
    with schema_context(registry.PUBLIC):
        tenant = Tenant(schema_name=schema_name, name=name)
        tenant.full_clean()
        with transaction.atomic():
            tenant.save()
            Domain.objects.create(
                tenant=tenant, domain=host or f"{schema_name.replace('_', '-')}.{settings.PUBLIC_DOMAIN}"
            )
            with connection.cursor() as cursor:
                cursor.execute(f'CREATE SCHEMA "{schema_name}"')
        call_command("migrate_schemas", tenant=True, schema_name=schema_name, interactive=False, verbosity=0)
    registry.forget()
    return tenant
