"""Making tenants."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import ProgrammingError, transaction
from django.utils.translation import gettext as _
from django_tenants.utils import schema_context
from psycopg import errors

from apps.common.db import connection
from apps.tenants import ddl, migration_state, registry, template
from apps.tenants.models import Domain, Tenant
from apps.tenants.names import is_valid_host


def create_tenant(*, schema_name: str, name: str, host: str | None = None) -> Tenant:
    """Create a tenant with its schema and host name (default: below the public host).

    One transaction: there is a whole tenant or none. Raises ValidationError for a name or host that
    is bad or taken, IntegrityError if somebody else takes it in this moment.
    """
    with schema_context(registry.PUBLIC):
        tenant = Tenant(schema_name=schema_name, name=name)
        tenant.full_clean()
        domain = (host or f"{schema_name.replace('_', '-')}.{settings.PUBLIC_DOMAIN}").lower()
        _check_host(domain)
        script = template.script()
        with transaction.atomic():
            tenant.save()
            Domain.objects.create(tenant=tenant, domain=domain)
            _make_schema(schema_name, script)
    return tenant


def _check_host(domain: str) -> None:
    if not is_valid_host(domain):
        raise ValidationError(_("“%(host)s” is not a host name.") % {"host": domain})
    if domain == settings.PUBLIC_DOMAIN or Domain.objects.filter(domain=domain).exists():
        raise ValidationError(_("The host name “%(host)s” is taken.") % {"host": domain})


def _make_schema(schema_name: str, script: str) -> None:
    """Make and fill the schema in one round trip."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE SCHEMA "{schema_name}"')
        with ddl.alone_in(schema_name), connection.cursor() as cursor:
            cursor.execute(script)
        migration_state.set_schema_comment(schema_name, migration_state.code_state())
    except ProgrammingError as error:
        if isinstance(error.__cause__, errors.DuplicateSchema):
            raise ValidationError(_("There is a schema “%(name)s” already.") % {"name": schema_name}) from error
        raise
