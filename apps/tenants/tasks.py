"""Celery's base task, and the platform's two ticks."""

from typing import Any

from celery import Task, current_app, shared_task
from django.utils import timezone
from django_tenants.utils import schema_context

from apps.common import agenda, queues
from apps.common.db import connection
from apps.tenants import registry
from apps.tenants.models import Tenant

SWEEP_QUEUE = "tenants.sweep_tenant"


class UnknownTenantError(Exception):
    """A task named no tenant, or one that does not exist (any more)."""


class TenantTask(Task):
    """Runs a task inside the schema named by its ``schema_name`` argument; fails without one.

    Tasks that work for the platform as a whole say ``public = True``.
    """

    abstract = True
    typing = False
    public = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.public or self.name.startswith("celery."):
            connection.set_schema_to_public()
            return self.run(*args, **kwargs)
        schema_name = kwargs.pop("schema_name", None)
        tenant = registry.by_schema(schema_name, fresh=True) if isinstance(schema_name, str) else None
        if tenant is None:
            raise UnknownTenantError(f"{self.name}: no tenant {schema_name!r}")
        connection.set_tenant(tenant)
        try:
            return self.run(*args, **kwargs)
        finally:
            connection.set_schema_to_public()


@shared_task(name="tenants.tick", base=TenantTask, public=True)
def tick() -> int:
    """Wake a worker for every tenant's queue that is due."""
    due = agenda.take_due(now=timezone.now())
    for item in due:
        if registry.by_schema(item.schema_name) is None:  # Switched off or gone: its work rests.
            continue
        agenda.announce(schema_name=item.schema_name, queue=item.queue)
    return len(due)


@shared_task(name="tenants.sweep", base=TenantTask, public=True)
def sweep() -> None:
    """Look into every tenant for rows whose wake-up was lost."""
    with schema_context(registry.PUBLIC):
        names = list(Tenant.objects.filter(is_active=True).values_list("schema_name", flat=True))
    for name in names:
        if name != registry.PUBLIC:
            current_app.send_task(SWEEP_QUEUE, kwargs={"schema_name": name})


@shared_task(name=SWEEP_QUEUE)
def sweep_tenant() -> int:
    """Put the current tenant's waiting queues back onto the agenda."""
    return queues.repair(now=timezone.now())
