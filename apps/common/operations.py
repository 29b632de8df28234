"""Migration operations."""

from typing import Any, cast

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations.operations import AddConstraint, AddIndex
from django.db.models import UniqueConstraint

_HAS_CONSTRAINT = "SELECT 1 FROM pg_constraint WHERE conname = %s AND connamespace = current_schema()::regnamespace"
_STATE = """
    SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = %s AND n.nspname = current_schema()
"""


def _is_there(schema_editor: Any, name: str) -> bool:
    """Whether the index was built; half of one, from a run that was interrupted, is taken away."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_STATE, [name])
        found = cursor.fetchone()
    if found is not None and not found[0]:
        schema_editor.execute(f"DROP INDEX CONCURRENTLY {schema_editor.quote_name(name)}")
    return found is not None and bool(found[0])


class AddIndexBeside(AddIndexConcurrently):
    """An index built beside the running work, for tables that may be large (needs ``atomic = False``).

    Within a transaction PostgreSQL cannot do that: there it is built the plain way. That happens only where the
    schema is new and nobody works in it yet.

    Building may be interrupted, and what was done so far stays: then the migration is run again. An index that is
    there is left alone, half of one is built anew.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.in_atomic_block:
            AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)
        elif not _is_there(schema_editor, self.index.name):
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.in_atomic_block:
            AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)
        else:
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class AddUniqueBeside(AddConstraint):
    """A unique constraint, whose index is built as :class:`AddIndexBeside` builds one.

    With a condition it is nothing but that index; without one the finished index becomes a constraint at once.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.in_atomic_block:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        constraint = cast("UniqueConstraint", self.constraint)
        if not _is_there(schema_editor, constraint.name):
            schema_editor.execute(_unique_index(constraint, model, schema_editor))
        if constraint.condition is None:
            _make_constraint(constraint.name, model, schema_editor)


def _unique_index(constraint: UniqueConstraint, model: Any, schema_editor: Any) -> str:
    if constraint.condition is not None:
        statement = str(constraint.create_sql(model, schema_editor))
        return statement.replace("CREATE UNIQUE INDEX", "CREATE UNIQUE INDEX CONCURRENTLY", 1)
    quote = schema_editor.quote_name
    columns = ", ".join(quote(model._meta.get_field(name).column) for name in constraint.fields)
    nulls = " NULLS NOT DISTINCT" if constraint.nulls_distinct is False else ""
    name, table = quote(constraint.name), quote(model._meta.db_table)
    return f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({columns}){nulls}"


def _make_constraint(name: str, model: Any, schema_editor: Any) -> None:
    """Let the index be a constraint, unless an interrupted run did that already."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_HAS_CONSTRAINT, [name])
        if cursor.fetchone():
            return
    own, table = schema_editor.quote_name(name), schema_editor.quote_name(model._meta.db_table)
    schema_editor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {own} UNIQUE USING INDEX {own}")
