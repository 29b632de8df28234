"""Migration operations."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations.operations import AddConstraint, AddIndex

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
    """A unique constraint with a condition, which is an index, built as :class:`AddIndexBeside` builds one."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.in_atomic_block:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model) and not _is_there(
            schema_editor, self.constraint.name
        ):
            statement = str(self.constraint.create_sql(model, schema_editor))
            schema_editor.execute(statement.replace("CREATE UNIQUE INDEX", "CREATE UNIQUE INDEX CONCURRENTLY", 1))
