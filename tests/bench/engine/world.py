"""A tenant of the size the engine is measured with: 50 rules, 100,000 contacts, and as many events as wanted."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

CONTACTS = 100_000
RULES = 50
TOUCHPOINTS = 10

_CONTACTS = """
    INSERT INTO contacts_contact (id, external_id, email, name, locale, properties, time_zone, country, region,
                                  created_at, updated_at)
    SELECT gen_random_uuid(), 'c-' || n, 'c-' || n || '@bench.example', 'Käthe Müller', 'de-DE',
           jsonb_build_object('plan', (ARRAY['basic', 'plus', 'gold'])[1 + n %% 3], 'orders', n %% 40),
           '', '', '', now(), now() FROM generate_series(1, %s) n
"""
_BASES = """
    INSERT INTO contacts_legalbasis (contact_id, kind, source, text_version, granted_at)
    SELECT id, 'existing_customer', 'touchpoint:bench', '', now() - interval '2 years' FROM contacts_contact
"""
_EVENTS = """
    INSERT INTO touchpoints_event (id, touchpoint_id, source, external_id, occurred_at, received_at, contact_data,
                                   properties, contact_id, status, attempts, error)
    SELECT gen_random_uuid(), (%(touchpoints)s::bigint[])[1 + n %% 10], 'api', %(tag)s || '-' || n, at, at,
           jsonb_build_object('external_id', c.external_id, 'email', c.email, 'name', c.name, 'locale', c.locale),
           jsonb_build_object('total', (n * 7919) %% 300, 'currency', 'EUR', 'carrier', 'DHL'),
           CASE WHEN %(status)s = 'decided' THEN c.id END, %(status)s, 0, ''
    FROM (SELECT n, now() - %(days)s * interval '1 day' * (1 - n::float / %(count)s) AS at,
                 'c-' || (1 + (n * 104729) %% %(contacts)s) AS whose
          FROM generate_series(1, %(count)s::bigint) n) e JOIN contacts_contact c ON c.external_id = e.whose
    ORDER BY n
"""


@contextmanager
def tenant(name: str) -> Iterator[None]:
    """A tenant of this name, made and stood in."""
    from django_tenants.utils import tenant_context

    from apps.tenants.provisioning import create_tenant

    row = create_tenant(schema_name=name, name=name.title())
    with tenant_context(row):
        yield


def furnish() -> list[int]:
    """The journey, the rules and the contacts in the current tenant; returns the touchpoints' keys."""
    from apps.surveys.models import Survey
    from apps.touchpoints.models import Stage, Touchpoint
    from apps.triggers.models import TriggerRule

    stage = Stage.objects.create(key="delivery", name={"en": "Delivery"})
    points = [
        Touchpoint.objects.create(key=f"t{n}", name={"en": f"T{n}"}, stage=stage, legal_basis="existing_customer")
        for n in range(TOUCHPOINTS)
    ]
    surveys = [Survey.objects.create(key=f"s{n}", name={"en": f"S{n}"}) for n in range(5)]
    for n in range(RULES):
        condition = {"all": [
            {"field": "event.total", "op": "ge", "value": (n // TOUCHPOINTS) * 50},
            {"field": "contact.plan", "op": "in", "value": ["plus", "gold"]},
        ]}  # fmt: skip
        rule = TriggerRule.objects.create(name=f"r{n}", survey=surveys[n % 5], priority=n % 3, condition=condition)
        rule.touchpoints.add(points[n % TOUCHPOINTS])
    execute(_CONTACTS, [CONTACTS])
    execute(_BASES)
    return [point.pk for point in points]


def events(touchpoints: list[int], *, count: int, tag: str, status: str, days: int) -> None:
    """Events of these touchpoints, in the order in which they came, one for each of many contacts in turn."""
    values = {
        "touchpoints": touchpoints,
        "tag": tag,
        "status": status,
        "days": days,
        "contacts": CONTACTS,
        "count": count,
    }
    execute(_EVENTS, values)


def settle() -> None:
    """What autovacuum would have done by and by."""
    for table in ("touchpoints_event", "contacts_contact", "contacts_legalbasis", "contacts_outreach"):
        execute(f"VACUUM ANALYZE {table}")


def execute(statement: str, params: Any = None) -> None:
    """One statement, committed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def show(**figures: Any) -> None:
    """The last line of output: the figures."""
    print(json.dumps(figures))
