"""A schema is migrated as Django does it, but for the work that nobody needs."""

import gc
from contextlib import suppress

import pytest
from django.core.management.commands import migrate
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from apps.tenants import migrating
from tests.schemas import SCHEMA, bare

__all__ = ["bare"]
# One app of tenants', one that lives in public only and one that lives in both, mixed by their order in the plan.
TARGETS = [("touchpoints", "0001_initial"), ("axes", "0001_initial"), ("tenants", "0001_initial")]


def tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [SCHEMA])
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.usefixtures("bare")
def test_the_models_and_the_record_are_djangos_and_tables_are_those_that_live_here() -> None:
    told: list[str] = []
    executor = migrating.SparingExecutor(connection, lambda what, *args: told.append(f"{what} {args[:1]}"))
    plan = [migration for migration, _ in executor.migration_plan(TARGETS)]
    garbage = gc.get_threshold()
    state = executor.migrate(TARGETS)
    assert gc.get_threshold() == garbage

    whole = MigrationExecutor(connection).loader.project_state(TARGETS)
    assert state.models == whole.models
    assert {(model._meta.app_label, model.__name__) for model in state.apps.get_models(include_auto_created=False)} == {
        (model._meta.app_label, model.__name__) for model in whole.apps.get_models(include_auto_created=False)
    }
    applied = MigrationRecorder(connection).applied_migrations()
    assert {(migration.app_label, migration.name) for migration in plan} == set(applied)
    assert "touchpoints_touchpoint" in tables()
    assert not {name for name in tables() if name.startswith("tenants_")}
    for migration in plan:
        assert f"apply_start ({migration!r},)" in told
        assert f"apply_success ({migration!r},)" in told


def test_djangos_command_is_left_as_it_was() -> None:
    before = migrate.MigrationExecutor
    with suppress(RuntimeError), migrating._sparing():
        assert migrate.MigrationExecutor is migrating.SparingExecutor
        raise RuntimeError
    assert migrate.MigrationExecutor is before
