"""Rules that listened to one touchpoint keep listening to it."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django_tenants.utils import tenant_context

from apps.tenants.models import Tenant
from apps.tenants.provisioning import create_tenant

BEFORE = [
    ("triggers", "0001_initial"),
    ("contacts", "0001_initial"),
    ("surveys", "0001_initial"),
    ("touchpoints", "0001_initial"),
]
AFTER = [("triggers", "0003_indexes"), ("contacts", "0003_indexes")]


@pytest.fixture
def old(autocommit: None) -> Iterator[Tenant]:
    """A tenant of its own, dropped afterwards."""
    tenant = create_tenant(schema_name="migrating", name="Migrating")
    yield tenant
    connection.set_schema_to_public()
    tenant.delete(force_drop=True)


def test_migrating_forward_keeps_rules_contacts_and_the_ledger(old: Tenant) -> None:
    with tenant_context(old):
        MigrationExecutor(connection).migrate(BEFORE)
        apps = MigrationExecutor(connection).loader.project_state(BEFORE).apps
        stage = apps.get_model("touchpoints", "Stage").objects.create(key="s", name={"en": "S"})
        points = [
            apps.get_model("touchpoints", "Touchpoint").objects.create(key=key, name={"en": key}, stage=stage)
            for key in "ab"
        ]
        survey = apps.get_model("surveys", "Survey").objects.create(key="q", name={"en": "Q"})
        for point in points:
            apps.get_model("triggers", "TriggerRule").objects.create(name=point.key, touchpoint=point, survey=survey)
        contact = apps.get_model("contacts", "Contact").objects.create(external_id="ada")
        apps.get_model("contacts", "Outreach").objects.create(
            contact=contact, kind="invitation", reason="invitation:1", at="2026-01-01T00:00Z"
        )
        MigrationExecutor(connection).migrate(AFTER)
        apps = MigrationExecutor(connection).loader.project_state(AFTER).apps
        rules = apps.get_model("triggers", "TriggerRule").objects.all()
        assert {rule.name: [t.key for t in rule.touchpoints.all()] for rule in rules} == {"a": ["a"], "b": ["b"]}
        assert [(rule.wait, rule.percent, rule.condition, rule.windows) for rule in rules] == [
            ("duration", 100, {}, [])
        ] * 2
        row = apps.get_model("contacts", "Outreach").objects.get()
        assert (row.plan, row.priority, row.outcome) == ({}, 0, "")
    call_command("lagging_tenants")
