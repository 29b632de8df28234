"""Imports as a queue: a worker takes one, does a stretch of it batch by batch, and leaves the rest to the next.

A batch is one transaction that also moves the import's position, under a lock on the import. So a batch happens once,
whoever is killed when: a worker that comes back late finds the position moved and stops.
"""

import gc
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Min
from django.utils import translation

from apps.common.batches import sentence
from apps.common.bulk import execute
from apps.transfers import analysis, storage, undoing
from apps.transfers.kinds import DOING, Doing, Work, work_of
from apps.transfers.models import BadRow, Import
from apps.transfers.outcomes import Outcome
from apps.transfers.problems import TransferError
from apps.transfers.reading import Reader
from apps.transfers.tables import WHOLE_ROW, Table, layout_of, table_of

QUEUE = "transfers.import"
LEASE = timedelta(minutes=3)
BATCH = 10_000
STEP_SECONDS = 5.0
"""After so long other work of the tenant gets its turn."""
MAX_ATTEMPTS = 5
"""So often in a row an import may be taken up without getting any further."""
MAX_KEPT_BAD = 100_000
MAX_KEPT_CELLS = 16_384
KEEP = timedelta(days=7)
_BATCH = """
    INSERT INTO transfers_importbatch (source_id, number, at, contacts, legal_bases, responses, suppressions)
    VALUES (%s, %s, %s, string_to_array(%s, ',')::uuid[], %s::bigint[], %s::uuid[], %s::bigint[])
"""
Clock = Callable[[], datetime]
Status = Import.Status
logger = logging.getLogger(__name__)


class _LostError(Exception):
    """Somebody cancelled the import, or another worker has it."""


def next_due() -> datetime | None:
    """When there is something to do next: an import to work on, or a file to forget."""
    found = Import.objects.aggregate(due=Min("due_at"), forget=Min("forget_at"))
    return min((at for at in found.values() if at is not None), default=None)


def run_next(*, now: datetime, clock: Clock) -> int:
    """Work on the import that waits longest; returns 1 if there was one. ``clock`` is read while it runs."""
    source = _claim(now)
    if source is None:
        return _forget(now)
    if source.status == Status.FAILED:
        return 1
    language = getattr(source.created_by, "language", "") or settings.LANGUAGE_CODE
    try:
        with translation.override(language), _not_collecting():
            _WORK[source.status](source, clock)
    except _LostError:
        pass
    except TransferError as error:
        _end(source, Status.FAILED, clock(), error=str(error)[:500])
    except (OperationalError, InterfaceError):
        # The database's trouble, not the file's: at the end of the lease, or at the next step, it goes on.
        raise
    except Exception as error:
        _end(source, Status.FAILED, clock(), error=sentence(error))
        raise
    return 1


@contextmanager
def _not_collecting() -> Iterator[None]:
    """Rows make no cycles; yet Python would look through all of them for some, again and again: 40 % of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@transaction.atomic
def _claim(now: datetime) -> Import | None:
    rows = Import.objects.filter(due_at__lte=now, status__in=Import.WORKING).select_related("created_by")
    source = rows.order_by("due_at").select_for_update(skip_locked=True, of=("self",)).first()
    if source is not None:
        source.attempts += 1
        source.due_at = now + LEASE
        if source.attempts > MAX_ATTEMPTS:
            source.status, source.error, source.due_at = Status.FAILED, "the workers that tried it ended", None
            source.finished_at, source.forget_at = now, now + KEEP
        source.save(update_fields=["attempts", "due_at", "status", "error", "finished_at", "forget_at"])
    return source


def _end(source: Import, status: str, now: datetime, **values: Any) -> None:
    """The import is through with what it was doing, unless somebody else has ended it."""
    rows = Import.objects.filter(pk=source.pk, status=source.status)
    rows.update(status=status, due_at=None, attempts=0, finished_at=now, forget_at=now + KEEP, **values)


def _read_workbook(source: Import, clock: Clock) -> None:
    analysis.unpack(source=source)
    rows = Import.objects.filter(pk=source.pk, status=Status.UPLOADED)
    rows.update(status=Status.MAPPING, due_at=None, attempts=0, **analysis.values_of(source))


def _reader(source: Import) -> Reader:
    return Reader(
        storage.read(import_id=source.pk, position=source.position),
        encoding=source.encoding,
        delimiter=source.delimiter,
        position=source.position,
        number=source.last_row,
    )


def _check(source: Import, clock: Clock) -> None:
    """The whole file without writing, in one go: what was seen before is known to this worker only."""
    BadRow.objects.filter(source=source).delete()
    source.position, source.last_row = source.start_position, source.start_row
    work, total, done = work_of(source, clock()), Outcome(), 0
    layout, reader, bad = layout_of(source, now=work.now), _reader(source), 0
    while not reader.ended:
        records = reader.read(BATCH)
        table = table_of(records, layout)
        good = table.good()
        outcome = DOING[source.kind].foresee(good, work) if good.numbers else Outcome()
        total.add(outcome)
        done += len(records)
        kept = _keep_bad(source, table, good, outcome, bad)
        bad += kept
        is_mine = Import.objects.filter(pk=source.pk, status=Status.CHECKING).update(
            **_counts(total), bad=bad, rows_done=done, position=reader.position, due_at=clock() + LEASE
        )
        if not is_mine:
            raise _LostError
    rows = Import.objects.filter(pk=source.pk, status=Status.CHECKING)
    rows.update(status=Status.READY, due_at=None, attempts=0, rows_total=done)


def _counts(outcome: Outcome) -> dict[str, int]:
    return {name: getattr(outcome, name) for name in ("created", "updated", "unchanged", "skipped")}


def _run(source: Import, clock: Clock) -> None:
    """Batches until the time share is over or the file is."""
    stop_at = time.monotonic() + STEP_SECONDS
    layout, reader = layout_of(source, now=clock()), _reader(source)
    work = work_of(source, clock())
    while True:
        start = reader.position
        records = reader.read(BATCH)
        work.now = clock()
        with transaction.atomic():
            row = Import.objects.select_for_update().filter(pk=source.pk, status=Status.RUNNING, position=start).first()
            if row is None:
                raise _LostError
            table = table_of(records, layout)
            _store(row, table, work, reader, len(records))
        if reader.ended:
            return
        if time.monotonic() >= stop_at:
            break
    Import.objects.filter(pk=source.pk, status=Status.RUNNING, position=reader.position).update(due_at=clock())


def _store(row: Import, table: Table, work: Work, reader: Reader, count: int) -> None:
    good = table.good()
    outcome = _taken(DOING[row.kind], good, work) if good.numbers else Outcome()
    bad = _keep_bad(row, table, good, outcome, row.bad)
    if count:
        made = [",".join(outcome.contacts), outcome.legal_bases, outcome.responses, outcome.suppressions]
        execute(_BATCH, [row.pk, reader.number, work.now, *made])
    changes: dict[str, Any] = {name: F(name) + value for name, value in _counts(outcome).items() if value}
    if reader.ended:
        done = {"status": Status.DONE, "due_at": None, "finished_at": work.now, "forget_at": work.now + KEEP}
        changes |= done | {"rows_total": row.rows_done + count}
    else:
        changes["due_at"] = work.now + LEASE
    Import.objects.filter(pk=row.pk).update(
        position=reader.position,
        last_row=reader.number,
        rows_done=F("rows_done") + count,
        bad=F("bad") + bad,
        attempts=0,
        **changes,
    )


def _taken(doing: Doing, table: Table, work: Work) -> Outcome:
    """Store rows; where that fails, halves of them, until the row that cannot be stored is alone."""
    try:
        with transaction.atomic():
            return doing.take(table, work)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        count = len(table.numbers)
        if count == 1:
            logger.exception("Row %s of an import is refused", table.numbers[0])
            return Outcome(refused=[(0, "refused")])
        half = count // 2
        outcome = Outcome()
        for start, wanted in (
            (0, [place < half for place in range(count)]),
            (half, [place >= half for place in range(count)]),
        ):
            part = _taken(doing, table.only(wanted), work)
            outcome.add(part)
            outcome.refused += [(start + place, code) for place, code in part.refused]
        return outcome


def _keep_bad(source: Import, table: Table, good: Table, outcome: Outcome, already: int) -> int:
    """Store the rows with problems, as far as there is room; returns how many there are."""
    problems = table.problems()
    problems += [(good.numbers[row], good.cells[row], [(WHOLE_ROW, code)]) for row, code in outcome.refused]
    room = max(0, MAX_KEPT_BAD - already)
    BadRow.objects.bulk_create(
        [BadRow(source=source, number=n, cells=_short(cells), problems=found) for n, cells, found in problems[:room]]
    )
    return len(problems)


def _short(cells: list[str]) -> list[str]:
    return cells if sum(map(len, cells)) <= MAX_KEPT_CELLS else [cell[:1000] for cell in cells]


def _undo(source: Import, clock: Clock) -> None:
    stop_at = time.monotonic() + STEP_SECONDS
    while undoing.step(source=source, now=clock(), lease=LEASE):
        if time.monotonic() >= stop_at:
            break
    else:
        _end(source, Status.UNDONE, clock())
        return
    Import.objects.filter(pk=source.pk, status=Status.UNDOING).update(due_at=clock())


def _forget(now: datetime) -> int:
    """Delete the file, the rows with problems and what was kept for undoing of one import that is old enough."""
    source = Import.objects.filter(forget_at__lte=now).exclude(status__in=Import.WORKING).order_by("forget_at").first()
    if source is None:
        return 0
    with transaction.atomic():
        storage.remove(import_id=source.pk)
        source.bad_rows.all().delete()
        source.batches.all().delete()
        source.contact_changes.all().delete()
        source.company_changes.all().delete()
        Import.objects.filter(pk=source.pk).update(forget_at=None, stored_size=0)
    return 1


_WORK: dict[str, Callable[[Import, Clock], None]] = {
    Status.UPLOADED: _read_workbook,
    Status.CHECKING: _check,
    Status.RUNNING: _run,
    Status.UNDOING: _undo,
}
