"""Fill a database for a run: ``python -m tests.bench.prepare tenants|single`` prints the API key and an event's id."""

import json
import sys

import django
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from tests.bench.stack import TENANT

# Where the tables lie is said once and for all, to the database; only the agenda stays in public.
ONE_SCHEMA = f"""
    ALTER SCHEMA public RENAME TO {TENANT};
    CREATE SCHEMA public;
    ALTER TABLE {TENANT}.common_agendaitem SET SCHEMA public;
    ALTER DATABASE single SET search_path = {TENANT}, public;
"""


def main(kind: str) -> None:
    """Migrate, make the tenants (or not), and put a small journey into the one that is asked."""
    django.setup()
    from django_tenants.utils import schema_context

    from apps.tenants.provisioning import create_tenant

    if kind == "single":
        call_command("migrate", interactive=False, verbosity=0)
        print(json.dumps(fill()))
        with connection.cursor() as cursor:
            cursor.execute(ONE_SCHEMA)
        return
    call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
    for name in (TENANT, "klarwerk"):
        create_tenant(schema_name=name, name=name.title())
    with schema_context(TENANT):
        print(json.dumps(fill()))


def fill() -> dict[str, str]:
    """A touchpoint, a key and one event in the current schema."""
    from apps.integrations.services import create_api_key
    from apps.touchpoints.models import Event, Stage, Touchpoint

    stage = Stage.objects.create(key="delivery", name={"en": "Delivery"})
    touchpoints = [
        Touchpoint(key=key, name={"en": key}, stage=stage) for key in ("order_received", "order_placed", "returned")
    ]
    Touchpoint.objects.bulk_create(touchpoints)
    now = timezone.now()
    event = Event.objects.create(touchpoint=touchpoints[0], external_id="first", occurred_at=now, received_at=now)
    _row, key = create_api_key(name="bench", requests_per_minute=10_000_000)
    return {"key": key, "event": str(event.pk)}


if __name__ == "__main__":
    main(sys.argv[1])
