"""The template: a hidden, freshly migrated schema whose SQL every new tenant is made from."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from django.core.management import call_command
from django_tenants.utils import schema_context

from apps.common.db import connection
from apps.tenants import ddl, migration_state, registry

TEMPLATE = "template"  # reserved in names.py
_LOCK = 0x7265736F  # any number that nobody else uses
_scripts: dict[str, str] = {}


def script() -> str:
    """SQL that fills an empty schema, kept in the process for the code's state of migrations."""
    state = migration_state.code_contents()
    if state not in _scripts:
        with _locked(), schema_context(registry.PUBLIC):
            if migration_state.schema_comment(TEMPLATE) != state:
                _rebuild(state)
            _scripts[state] = ddl.read_schema(TEMPLATE)
    return _scripts[state]


def _rebuild(state: str) -> None:
    """Migrate a new template. Its comment comes last: what a crash leaves behind is made again."""
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA IF EXISTS "{TEMPLATE}" CASCADE')
        cursor.execute(f'CREATE SCHEMA "{TEMPLATE}"')
    call_command("migrate_schemas", tenant=True, schema_name=TEMPLATE, interactive=False, verbosity=0)
    migration_state.set_schema_comment(TEMPLATE, state)


@contextmanager
def _locked() -> Iterator[None]:
    """One process at a time. On a connection of its own, since migrating closes the usual one."""
    with closing(connection.copy()) as keeper:
        with keeper.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        yield
