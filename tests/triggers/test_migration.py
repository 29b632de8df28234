"""Rules that listened to one touchpoint keep listening to it."""

from typing import Any

from django.core.management import call_command
from django.db import connection

from apps.tenants.migrating import SparingExecutor
from tests.schemas import bare

__all__ = ["bare"]
BEFORE = [
    ("triggers", "0001_initial"),
    ("contacts", "0001_initial"),
    ("surveys", "0001_initial"),
    ("touchpoints", "0001_initial"),
]
AFTER = [("triggers", "0003_indexes"), ("contacts", "0003_indexes")]


def migrate(targets: list[tuple[str, str]]) -> Any:
    """Forward or back; returns the models as they were then."""
    return SparingExecutor(connection).migrate(targets).apps


def test_migrating_forward_keeps_rules_contacts_and_the_ledger_and_the_way_back_is_open(bare: None) -> None:
    apps = migrate(BEFORE)
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
    apps = migrate(AFTER)
    rules = apps.get_model("triggers", "TriggerRule").objects.all()
    assert {rule.name: [t.key for t in rule.touchpoints.all()] for rule in rules} == {"a": ["a"], "b": ["b"]}
    assert [(rule.wait, rule.percent, rule.condition, rule.windows) for rule in rules] == [
        ("duration", 100, {}, [])
    ] * 2
    row = apps.get_model("contacts", "Outreach").objects.get()
    assert (row.plan, row.priority, row.outcome) == ({}, 0, "")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM triggers_triggerrule_touchpoints; DELETE FROM triggers_triggerrule")
        cursor.execute("DELETE FROM contacts_outreach")
    graph = SparingExecutor(connection).loader.graph
    migrate([leaf for leaf in graph.leaf_nodes() if leaf[0] in dict(BEFORE)])
    migrate(BEFORE)
    call_command("lagging_tenants")
