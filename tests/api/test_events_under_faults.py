"""What an event costs, and that none is lost or doubled when database or broker fail."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from celery import Celery
from django.db import OperationalError, connection
from django.utils import timezone
from psycopg.pq import Trace

from apps.common import agenda
from apps.common.db import PREPARE_AFTER
from apps.common.models import AgendaItem
from apps.touchpoints import services
from apps.touchpoints.models import Event, Touchpoint
from tests.api.sending import event, post, problem
from tests.environment import DATABASE_URL


@pytest.mark.usefixtures("long_memory")
def test_while_the_queue_is_awake_an_event_costs_one_round_trip(key: str, tmp_path: Path) -> None:
    AgendaItem.objects.create(schema_name="nordwind", queue=services.DECIDE_QUEUE, due_at=timezone.now())
    for _ in range(PREPARE_AFTER + 2):
        assert post(key).status_code == 202
    server = connection.connection.pgconn
    with (tmp_path / "trace").open("w+") as trace:
        server.trace(trace.fileno())
        server.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
        assert post(key).status_code == 202
        server.untrace()
        trace.seek(0)
        sent = [line.split("\t")[2].strip() for line in trace if line.startswith("F")]
    assert sent == ["Bind", "Describe", "Execute", "Sync"]


def test_an_idle_queue_is_woken(key: str, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        post(key)
    stored = Event.objects.get()
    assert AgendaItem.objects.get(queue=services.DECIDE_QUEUE).due_at == stored.received_at


def test_a_broker_that_is_down_fails_no_request(
    key: str, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any, caplog: Any
) -> None:
    monkeypatch.setattr(agenda, "current_app", Celery("down", broker="redis://127.0.0.1:9/0", set_as_current=False))
    with django_capture_on_commit_callbacks(execute=True):
        assert post(key).status_code == 202
    assert "Broker not reachable" in caplog.text
    assert Event.objects.count() == 1
    assert AgendaItem.objects.get(queue=services.DECIDE_QUEUE).due_at is not None


def stored_ids() -> list[str]:
    connection.set_schema("nordwind")
    return [str(pk) for pk in Event.objects.values_list("pk", flat=True)]


@pytest.mark.usefixtures("long_memory")
def test_a_connection_that_died_meanwhile_costs_no_event(committed_key: str) -> None:
    assert post(committed_key).status_code == 202
    backend = connection.connection.info.backend_pid
    with psycopg.connect(DATABASE_URL, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
    assert post(committed_key).status_code == 202
    assert connection.connection.info.backend_pid != backend
    assert len(stored_ids()) == 2


@pytest.mark.parametrize("external_id", ["o-1", None])
def test_an_answer_lost_after_the_commit_makes_no_second_event(
    committed_key: str, monkeypatch: pytest.MonkeyPatch, external_id: str | None
) -> None:
    execute, calls = services._execute, []

    def lose_the_first_answer(row: Any) -> Any:
        calls.append(row)
        result = execute(row)
        if len(calls) == 1:
            raise OperationalError("server closed the connection unexpectedly")
        return result

    monkeypatch.setattr(services, "_execute", lose_the_first_answer)
    answer = post(committed_key, event(external_id=external_id))
    assert answer.status_code == 202
    assert len(calls) == 2
    assert stored_ids() == [answer.json()["id"]]
    assert AgendaItem.objects.get(schema_name="nordwind", queue=services.DECIDE_QUEUE).due_at is not None


def test_a_database_that_stays_away_is_said_so(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(row: Any) -> Any:
        raise OperationalError("connection refused")

    monkeypatch.setattr(services, "_execute", fail)
    answer = post(key)
    assert "again" in problem(answer, 503)["detail"]
    assert answer["Retry-After"]


def test_a_touchpoint_deleted_a_moment_ago_is_unknown(committed_key: str) -> None:
    assert post(committed_key).status_code == 202
    connection.set_schema("nordwind")
    Event.objects.all().delete()
    Touchpoint.objects.all().delete()
    assert services._keys["nordwind"]
    problem(post(committed_key), 422)
    assert stored_ids() == []
