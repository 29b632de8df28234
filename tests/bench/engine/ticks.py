"""Seconds for one tick with ten tenants that have work: ``python -m tests.bench.engine.ticks TENANTS`` prints JSON."""

import sys
import time
from datetime import timedelta
from statistics import median

import django
from django.utils import timezone

WITH_WORK, QUEUES, TURNS = 10, 8, 30


def main(tenants: int) -> None:
    """Fill the shared tables once, then tick."""
    django.setup()
    from django_tenants.utils import schema_context

    from apps.common.models import AgendaItem
    from apps.tenants import registry
    from apps.tenants.models import Tenant
    from apps.tenants.tasks import tick
    from tests.bench.engine import world

    with schema_context("public"):
        if not Tenant.objects.filter(schema_name="many_0").exists():
            names = [f"many_{n}" for n in range(tenants)]
            Tenant.objects.bulk_create([Tenant(schema_name=name, name=name) for name in names], batch_size=1000)
            AgendaItem.objects.bulk_create(
                [AgendaItem(schema_name=name, queue=f"queue.{q}") for name in names for q in range(QUEUES)],
                batch_size=5000,
            )
            world.execute("VACUUM ANALYZE common_agendaitem")
        registry.forget()
        seconds = []
        for _ in range(TURNS):
            due = timezone.now() - timedelta(seconds=1)
            AgendaItem.objects.filter(schema_name__in=[f"many_{n}" for n in range(WITH_WORK)], queue="queue.0").update(
                due_at=due
            )
            started = time.perf_counter()
            assert tick() == WITH_WORK
            seconds.append(time.perf_counter() - started)
        world.show(seconds=median(seconds))


if __name__ == "__main__":
    main(int(sys.argv[1]))
