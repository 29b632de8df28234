"""Whatever happens between two queries, the next one runs in the schema that the code believes in."""

import threading

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from apps.tenants.models import Tenant


def server_schema() -> str:
    """Where PostgreSQL would create a table now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return str(cursor.fetchone()[0])


class UndoError(Exception):
    """Raised to roll a transaction back."""


def see_and_undo(schema_name: str) -> None:
    assert server_schema() == schema_name
    raise UndoError


@pytest.mark.usefixtures("autocommit")
class TestOutsideATransaction:
    def test_a_switch_reaches_the_server_and_a_repeat_costs_nothing(self) -> None:
        with schema_context("nordwind"):
            assert server_schema() == "nordwind"
            with CaptureQueriesContext(connection) as queries:
                server_schema()
                connection.set_tenant(Tenant(schema_name="nordwind"))
                server_schema()
            assert len(queries) == 2
        assert server_schema() == "public"

    def test_a_new_connection_starts_in_the_right_schema(self) -> None:
        with schema_context("nordwind"):
            assert server_schema() == "nordwind"
            connection.close()
            assert server_schema() == "nordwind"

    def test_a_rolled_back_transaction_takes_the_switch_back_but_not_the_belief(self) -> None:
        assert server_schema() == "public"
        connection.set_schema("nordwind")
        with pytest.raises(UndoError), transaction.atomic():
            see_and_undo("nordwind")
        assert server_schema() == "nordwind"

    def test_an_exception_inside_a_switch_leads_back(self) -> None:
        with pytest.raises(UndoError), schema_context("nordwind"), transaction.atomic():
            see_and_undo("nordwind")
        assert connection.schema_name == "public"
        assert server_schema() == "public"

    def test_an_exception_in_a_nested_switch_leads_back_one_step(self) -> None:
        with schema_context("nordwind"), transaction.atomic():
            with pytest.raises(UndoError), schema_context("klarwerk"), transaction.atomic():
                see_and_undo("klarwerk")
            assert server_schema() == "nordwind"

    def test_each_thread_has_its_own_tenant(self) -> None:
        found: dict[str, list[str]] = {}
        barrier = threading.Barrier(2)

        def work(name: str) -> None:
            try:
                with schema_context(name):
                    for _ in range(20):
                        barrier.wait(10)
                        found.setdefault(name, []).append(server_schema())
            finally:
                connection.close()

        threads = [threading.Thread(target=work, args=(name,)) for name in ("nordwind", "klarwerk")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert found == {"nordwind": ["nordwind"] * 20, "klarwerk": ["klarwerk"] * 20}
        assert connection.schema_name == "public"

    def test_a_new_thread_stands_in_public_whatever_its_parent_does(self) -> None:
        found: list[str] = []

        def look() -> None:
            try:
                found.append(server_schema())
            finally:
                connection.close()

        with schema_context("nordwind"):
            thread = threading.Thread(target=look)
            thread.start()
            thread.join(10)
        assert found == ["public"]

    def test_async_code_keeps_the_tenant_of_its_caller(self) -> None:
        async def look() -> str:
            return await sync_to_async(server_schema)()

        with schema_context("nordwind"):
            assert async_to_sync(look)() == "nordwind"


@pytest.mark.django_db
class TestInsideATransaction:
    @pytest.fixture(autouse=True)
    def in_public(self, db: None) -> None:
        """A request of an earlier test leaves its connection in the tenant, as it does in a web server's thread."""
        connection.set_schema_to_public()

    def test_a_savepoints_rollback_leaves_the_schema_right(self) -> None:
        assert server_schema() == "public"
        point = transaction.savepoint()
        connection.set_schema("nordwind")
        assert server_schema() == "nordwind"
        transaction.savepoint_rollback(point)
        assert server_schema() == "nordwind"
        connection.set_schema_to_public()
        assert server_schema() == "public"

    def test_a_savepoint_of_another_tenant_does_not_bring_it_back(self) -> None:
        connection.set_schema("klarwerk")
        assert server_schema() == "klarwerk"
        point = transaction.savepoint()
        connection.set_schema("nordwind")
        assert server_schema() == "nordwind"
        connection.set_schema("klarwerk")
        assert server_schema() == "klarwerk"
        transaction.savepoint_rollback(point)
        assert server_schema() == "klarwerk"

    def test_after_a_failed_statement_the_next_savepoint_is_right(self) -> None:
        with schema_context("nordwind"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT nothing FROM nowhere")
            assert server_schema() == "nordwind"

    def test_an_unknown_schema_is_an_error_on_a_tenants_tables(self) -> None:
        connection.set_schema("nobody")
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT * FROM contacts_contact")
