"""Migrating a schema without working out what nobody needs.

Django renders all models it has met anew around each operation, which is nearly all a new schema costs: the SQL is a
twentieth. Here only the apps that live in the schema are rendered, and the garbage of it is collected in fewer goes.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import migrate
from django.db import router
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState

_GARBAGE = 100_000  # objects; Python's default of 700 has it look through all models again and again


class SparingExecutor(MigrationExecutor):
    """Notes the migrations of apps that do not live in this schema without rendering their models."""

    def migrate(self, *args: Any, **kwargs: Any) -> ProjectState:
        """Django's, with few looks for garbage meanwhile."""
        threshold = gc.get_threshold()
        gc.set_threshold(_GARBAGE, *threshold[1:])
        try:
            return super().migrate(*args, **kwargs)
        finally:
            gc.set_threshold(*threshold)

    def _migrate_all_forwards(
        self, state: ProjectState, plan: Any, full_plan: Any, fake: bool, fake_initial: bool
    ) -> ProjectState:
        wanted = {migration for migration, _backwards in plan}
        for migration, _backwards in full_plan:
            if migration not in wanted:
                continue
            if self._is_at_home(migration):
                one = [(migration, False)]
                state = super()._migrate_all_forwards(state, one, one, fake, fake_initial)  # type: ignore[misc]
            else:
                state = self._note(state, migration)
        return state

    def _is_at_home(self, migration: Migration) -> bool:
        """Whether its operations do anything here; each of them asks the router the same."""
        return router.allow_migrate(self.connection.alias, migration.app_label)

    def _note(self, state: ProjectState, migration: Migration) -> ProjectState:
        tell = self.progress_callback or (lambda *told: None)
        tell("apply_start", migration, False)
        state.__dict__.pop("apps", None)  # Kept, each of its models would be rendered once more per operation.
        state = migration.mutate_state(state, preserve=False)
        self.record_migration(migration)  # type: ignore[call-arg, arg-type]
        tell("apply_success", migration, False)
        return state


class Command(migrate.Command):
    """Django's ``migrate``, for one schema."""

    def handle(self, *args: Any, **options: Any) -> None:
        with _sparing():
            super().handle(*args, **options)


@contextmanager
def _sparing() -> Iterator[None]:
    """Django's command has no setting for its executor."""
    names = vars(migrate)
    executor, names["MigrationExecutor"] = names["MigrationExecutor"], SparingExecutor
    try:
        yield
    finally:
        names["MigrationExecutor"] = executor
