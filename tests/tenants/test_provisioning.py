"""New tenants come from replaying a migrated schema's SQL; the result must not differ in anything."""

import re
import time
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django_tenants.utils import schema_context

from apps.common.models import AgendaItem
from apps.contacts.models import Contact
from apps.tenants import ddl, migration_state, provisioning, template
from apps.tenants.models import Domain, Tenant

COLUMNS = """
    SELECT c.relname, c.relpersistence, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname,
           format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, a.attcollation,
           pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind <> 'i' ORDER BY 1, 3
"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, contype, condeferrable, condeferred, convalidated,
           replace(pg_get_constraintdef(oid), 'public.', '!') FROM pg_constraint
    WHERE connamespace = to_regnamespace(%s) ORDER BY 1, 2
"""
INDEXES = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid, 0, true), indisunique, indisprimary, indisvalid
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = to_regnamespace(%s) ORDER BY 1
"""
OTHERS = """
    SELECT classid::regclass::text, count(*) FROM pg_depend
    WHERE refclassid = 'pg_namespace'::regclass AND refobjid = to_regnamespace(%s) GROUP BY 1 ORDER BY 1
"""
ROWS = ["django_content_type", "auth_permission", "django_migrations"]


def describe(schema_name: str) -> dict[str, list[Any]]:
    """All that PostgreSQL knows of a schema, without the schema's own name."""
    found: dict[str, list[Any]] = {}
    with ddl.alone_in(schema_name), connection.cursor() as cursor:
        for title, query in {
            "columns": COLUMNS,
            "constraints": CONSTRAINTS,
            "indexes": INDEXES,
            "other": OTHERS,
        }.items():
            cursor.execute(query, [schema_name])
            found[title] = [tuple(_same_casts(value) for value in row) for row in cursor.fetchall()]
        for table in ROWS:
            cursor.execute(f"SELECT * FROM {table} ORDER BY id")
            found[table] = cursor.fetchall()
            cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
            found[f"{table}: next id"] = cursor.fetchall()
    return found


def _same_casts(value: Any) -> Any:
    """PostgreSQL writes ``(ARRAY['a'])::text[]`` as ``ARRAY['a'::text]`` once it has read its own writing."""
    if not isinstance(value, str):
        return value
    value = re.sub(r"\(('[^']*')::character varying\)::text", r"\1", value)
    value = re.sub(r"\((ARRAY\[[^]]*\])\)::text\[\]", r"\1", value)
    return (
        re.sub(r"'::character varying(::text)?|'::text", "'", value)
        .replace("]::text[]", "]")
        .replace("(ARRAY[", "ARRAY[")
        .replace("])", "]")
    )


@pytest.mark.django_db
def test_a_replayed_schema_equals_a_migrated_one_and_costs_a_fraction() -> None:
    template.script()
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA migrated")
    start = time.perf_counter()
    call_command("migrate_schemas", tenant=True, schema_name="migrated", interactive=False, verbosity=0)
    migrating = time.perf_counter() - start
    start = time.perf_counter()
    provisioning.create_tenant(schema_name="replayed", name="Replayed")
    assert time.perf_counter() - start < 0.2 * migrating
    migrated, replayed = describe("migrated"), describe("replayed")
    assert len(replayed["columns"]) > 200
    for title in sorted(set(migrated) - {"django_migrations"}):
        assert replayed[title] == migrated[title], title
    names = [[row[1:3] for row in side["django_migrations"]] for side in (migrated, replayed)]
    assert names[0] == names[1]


@pytest.mark.django_db
def test_every_foreign_key_of_a_new_tenant_stays_inside_it() -> None:
    provisioning.create_tenant(schema_name="replayed", name="Replayed")
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT n.nspname, count(*) FROM pg_constraint k JOIN pg_class c ON c.oid = k.confrelid
               JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE k.connamespace = 'replayed'::regnamespace AND contype = 'f' GROUP BY 1"""
        )
        targets = dict(cursor.fetchall())
    assert set(targets) == {"replayed"}
    assert targets["replayed"] > 30


@pytest.mark.django_db
def test_a_new_tenant_has_its_host_and_takes_rows_of_its_own() -> None:
    tenant = provisioning.create_tenant(schema_name="neue_firma", name="Neue Firma")
    assert tenant.domains.get().domain == "neue-firma.resonanz.test"
    with schema_context("neue_firma"):
        Contact.objects.create(email="a@example.com")
        get_user_model()._default_manager.create_user("eva")  # type: ignore[attr-defined]
        assert Contact.objects.count() == 1
    with schema_context("nordwind"):
        assert not Contact.objects.filter(email="a@example.com").exists()
    assert not get_user_model()._default_manager.filter(username="eva").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["resonanz.test", "klarwerk.resonanz.test", "no host", "a_b.example", "x" * 254])
def test_a_host_that_is_taken_or_none_leaves_nothing_behind(host: str) -> None:
    with pytest.raises(ValidationError):
        provisioning.create_tenant(schema_name="halfmade", name="Half", host=host)
    assert not _exists("halfmade")


@pytest.mark.usefixtures("autocommit")
def test_a_failure_in_the_middle_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = template.script() + "\nSELECT 1 / 0;"
    monkeypatch.setattr(template, "script", lambda: broken)
    with pytest.raises(Exception, match="division by zero"):
        provisioning.create_tenant(schema_name="halfmade", name="Half")
    assert not _exists("halfmade")
    assert connection.schema_name == "public"


@pytest.mark.django_db
def test_a_leftover_schema_of_that_name_is_a_clear_error() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA leftover")
    with pytest.raises(ValidationError, match="leftover"):
        provisioning.create_tenant(schema_name="leftover", name="Leftover")


@pytest.mark.django_db
def test_what_cannot_be_written_down_is_refused_rather_than_left_out() -> None:
    statements = ["CREATE VIEW odd.v AS SELECT 1", "CREATE TYPE odd.t AS ENUM ('a')", "CREATE SEQUENCE odd.s"]
    for statement in statements:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA IF EXISTS odd CASCADE; CREATE SCHEMA odd; {statement}")
        with pytest.raises(ddl.UnsupportedObjectError):
            ddl.read_schema("odd")


@pytest.mark.django_db
def test_tenants_that_lack_migrations_are_found_by_one_query(django_assert_num_queries: Any) -> None:
    provisioning.create_tenant(schema_name="behind", name="Behind")
    with django_assert_num_queries(1):
        assert migration_state.lagging_tenants() == []
    with schema_context("behind"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'cases'")
    migration_state.note_migrated("behind")
    assert migration_state.lagging_tenants() == ["behind"]


@pytest.mark.django_db
def test_a_migrated_schema_is_noted_as_up_to_date() -> None:
    provisioning.create_tenant(schema_name="behind", name="Behind")
    migration_state.set_schema_comment("behind", None)
    call_command("migrate_schemas", tenant=True, schema_name="behind", interactive=False, verbosity=0)
    assert migration_state.lagging_tenants() == []


@pytest.mark.django_db
def test_a_tenant_that_is_gone_leaves_nothing_on_the_agenda() -> None:
    tenant = provisioning.create_tenant(schema_name="leaving", name="Leaving")
    AgendaItem.objects.create(schema_name="leaving", queue="some.queue")
    AgendaItem.objects.create(schema_name="nordwind", queue="some.queue")
    tenant.delete(force_drop=True)
    assert list(AgendaItem.objects.values_list("schema_name", flat=True)) == ["nordwind"]


def _exists(schema_name: str) -> bool:
    rows = Tenant.objects.filter(schema_name=schema_name).exists() or Domain.objects.filter(
        tenant__schema_name=schema_name
    )
    return bool(rows) or migration_state.schema_comment(schema_name) is not None or _has_schema(schema_name)


def _has_schema(schema_name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace(%s) IS NOT NULL", [schema_name])
        return bool(cursor.fetchone()[0])
