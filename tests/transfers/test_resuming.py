"""Workers end in the middle of an import, or two have it: every row is taken exactly once."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django_tenants.utils import schema_context

from apps.contacts.models import Contact
from apps.transfers import people, runs, services
from apps.transfers.models import Import
from tests.transfers.importing import clock, counts, uploaded, work

ROOT = Path(__file__).resolve().parents[2]
FILE = "id,email\n" + "".join(f"r-{n},r{n}@example.com\n" for n in range(95))


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "BATCH", 10)


def begun() -> Import:
    source = uploaded(FILE)
    return services.run(import_id=source.pk, now=clock())


@pytest.fixture
def _cleaned(autocommit: None) -> Iterator[None]:
    """What was committed goes again."""
    with schema_context("nordwind"):
        yield
        Contact.objects.all().delete()
        Import.objects.all().delete()
    from apps.common.models import AgendaItem

    AgendaItem.objects.all().delete()


def test_a_worker_killed_in_the_middle_of_a_batch_loses_that_batch_and_no_row_is_lost_or_doubled(
    _cleaned: None, small_batches: None
) -> None:
    from django.utils import timezone

    source = services.upload(kind="contacts", file_name="x.csv", parts=[FILE.encode()], now=timezone.now())
    services.run(import_id=source.pk, now=timezone.now())
    command = [sys.executable, "-m", "tests.transfers.killed", "nordwind"]
    worker = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE)
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"stuck\n"
    worker.kill()
    worker.wait(10)
    source.refresh_from_db()
    assert (source.status, source.created, Contact.objects.count()) == ("running", 30, 30)
    now = timezone.now()
    assert runs.run_next(now=now, clock=timezone.now) == 0, "its lease is still running"
    later = now + runs.LEASE
    while runs.run_next(now=later, clock=lambda: later):
        pass
    source.refresh_from_db()
    assert (source.status, source.created, source.rows_total) == ("done", 95, 95)
    assert Contact.objects.count() == 95
    assert source.batches.count() == 10


@pytest.mark.django_db
@pytest.mark.usefixtures("tenant", "small_batches")
class TestInOneProcess:
    """Faults put in by hand."""

    def test_a_database_that_goes_away_between_batches_is_no_failure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        source, take, calls = begun(), people.take, 0

        def failing(**kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == 3:
                raise OperationalError("gone")
            return take(**kwargs)

        monkeypatch.setattr(people, "take", failing)
        with pytest.raises(OperationalError):
            runs.run_next(now=clock(), clock=clock)
        source.refresh_from_db()
        assert (source.status, source.created, source.attempts) == ("running", 20, 0)
        Import.objects.update(due_at=clock())
        assert (work(source).status, counts(source)) == ("done", {"created": 95})

    def test_a_worker_that_comes_back_late_finds_the_position_moved_and_stops(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = begun()
        read, calls = runs.Reader.read, 0

        def slow(reader: Any, limit: int) -> Any:
            nonlocal calls
            found = read(reader, limit)
            calls += 1
            if calls == 2:  # While this worker slept, another one took the import over and did a part of it.
                monkeypatch.setattr(runs.Reader, "read", read)
                Import.objects.update(due_at=clock())
                runs.run_next(now=clock(), clock=clock)
            return found

        monkeypatch.setattr(runs.Reader, "read", slow)
        monkeypatch.setattr(runs, "STEP_SECONDS", 0.0)
        runs.run_next(now=clock(), clock=clock)
        runs.run_next(now=clock(), clock=clock)
        source.refresh_from_db()
        assert (source.status, source.rows_done) == ("running", 20)
        assert (work(source).status, counts(source), Contact.objects.count()) == ("done", {"created": 95}, 95)

    def test_an_import_goes_on_in_the_next_step_when_its_time_is_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        source = begun()
        monkeypatch.setattr(runs, "STEP_SECONDS", 0.000001)
        steps = 0
        while runs.run_next(now=clock(), clock=clock):
            steps += 1
            source.refresh_from_db()
            assert source.is_working == (source.status == "running")
        assert steps > 1
        assert (source.status, counts(source), source.percent) == ("done", {"created": 95}, 100)

    def test_a_cancelled_import_stops_after_its_batch_and_can_be_undone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        source, take = begun(), people.take

        def cancelling(**kwargs: Any) -> Any:
            found = take(**kwargs)
            if Contact.objects.count() == 20:
                services.cancel(import_id=source.pk, now=clock())
            return found

        monkeypatch.setattr(people, "take", cancelling)
        work(source)
        assert source.status == "cancelled"
        assert source.created == Contact.objects.count() == 20
        assert services.undo(import_id=source.pk, now=clock()).status == "undoing"
        assert work(source).undo_result == {"deleted": 20, "restored": 0, "kept": {}}

    def test_an_import_that_kills_its_workers_is_given_up(self) -> None:
        source = begun()
        Import.objects.update(attempts=runs.MAX_ATTEMPTS)
        assert (work(source).status, source.error) == ("failed", "the workers that tried it ended")

    def test_a_mistake_of_ours_is_seen_and_not_tried_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        source = begun()
        monkeypatch.setattr(runs, "table_of", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            runs.run_next(now=clock(), clock=clock)
        source.refresh_from_db()
        assert (source.status, source.error) == ("failed", "ZeroDivisionError: division by zero")
        assert runs.run_next(now=clock(), clock=clock) == 0
