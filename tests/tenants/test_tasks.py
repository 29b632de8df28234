"""A task runs inside the tenant it names, or not at all."""

from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app
from django.db import connection

from apps.tenants import registry
from apps.tenants.models import Tenant
from apps.tenants.provisioning import create_tenant
from apps.tenants.tasks import TenantTask, UnknownTenantError


@pytest.fixture
def write_task() -> Iterator[Any]:
    """A task that writes into tables which exist in public as well as in every tenant."""

    @current_app.task(name="tests.write", base=TenantTask)
    def write(fail: bool = False) -> str:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO auth_group (name) VALUES ('written by a task')")
        if fail:
            raise ValueError("on purpose")
        return str(connection.schema_name)

    yield write
    current_app.tasks.unregister("tests.write")


def run(task: Any, **kwargs: Any) -> Any:
    """Through Celery's tracer, as a worker does."""
    registry.forget()
    return task.apply(kwargs=kwargs)


def public_rows() -> dict[str, int]:
    """Row count of every table in public."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [name for (name,) in cursor.fetchall()]
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}', count(*) FROM public.{name}" for name in names))
        return dict(cursor.fetchall())


@pytest.mark.django_db
def test_a_task_writes_into_its_tenant_only(write_task: Any) -> None:
    before = public_rows()
    assert run(write_task, schema_name="nordwind").get() == "nordwind"
    assert connection.schema_name == "public"
    assert public_rows() == before
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM nordwind.auth_group WHERE name = 'written by a task'")
        assert cursor.fetchone() == (1,)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "kwargs",
    [{}, *({"schema_name": name} for name in (None, "", "nobody", "public", "template", "pg_catalog", 'x"', 7, ["a"]))],
)
def test_a_task_without_a_real_tenant_fails_and_touches_nothing(write_task: Any, kwargs: dict[str, Any]) -> None:
    before = public_rows()
    with pytest.raises(UnknownTenantError):
        run(write_task, **kwargs).get()
    assert public_rows() == before


@pytest.mark.django_db
def test_a_task_for_a_deleted_or_inactive_tenant_fails_even_if_it_was_there_a_moment_ago(write_task: Any) -> None:
    tenant = create_tenant(schema_name="gone", name="Gone")
    assert run(write_task, schema_name="gone").get() == "gone"
    before = public_rows()
    assert registry.by_schema("gone") is not None  # kept in the process …
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)  # … and changed by another one
    with pytest.raises(UnknownTenantError):
        write_task.apply(kwargs={"schema_name": "gone"}).get()
    assert public_rows() == before
    tenant.delete(force_drop=True)
    with pytest.raises(UnknownTenantError):
        run(write_task, schema_name="gone").get()


@pytest.mark.django_db
def test_after_a_failed_task_the_worker_stands_in_public(write_task: Any) -> None:
    with pytest.raises(ValueError, match="on purpose"):
        run(write_task, schema_name="nordwind", fail=True).get()
    assert connection.schema_name == "public"


def test_every_task_of_ours_is_a_tenant_task() -> None:
    current_app.loader.import_default_modules()
    ours = [task for name, task in current_app.tasks.items() if not name.startswith("celery.")]
    assert ours
    for task in ours:
        assert isinstance(task, TenantTask), task.name


def test_only_the_platforms_own_tasks_run_in_public() -> None:
    current_app.loader.import_default_modules()
    public = {name for name, task in current_app.tasks.items() if getattr(task, "public", False)}
    own = {"tenants.tick", "tenants.sweep", "relays.purge", "messaging.forget_progress", "cases.fetch"}
    assert public <= own
