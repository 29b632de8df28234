"""Imports from the outside: upload, say what the columns mean, look, check, run, take back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.common import agenda
from apps.common.ids import uuid7
from apps.common.spreadsheets import csv_parts
from apps.transfers import analysis, choosing, storage
from apps.transfers.fields import FIELDS, Field
from apps.transfers.intake import Intake
from apps.transfers.models import BadRow, Import
from apps.transfers.problems import KEPT, StateError, TransferError, sentence
from apps.transfers.reading import Reader
from apps.transfers.runs import KEEP, QUEUE
from apps.transfers.tables import Table, layout_of, table_of

__all__ = ["Field", "PreviewRow", "StateError", "TransferError", "bad_rows", "bad_rows_csv", "cancel", "check",
           "choose", "fields", "preview", "run", "undo", "undo_sentences", "upload"]  # fmt: skip
Status = Import.Status
_SETTLED = (Status.MAPPING, Status.READY)
_ENDED = (Status.DONE, Status.FAILED, Status.CANCELLED)
_FRESH = {"created": 0, "updated": 0, "unchanged": 0, "skipped": 0, "bad": 0, "rows_done": 0, "error": ""}


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One row as it would be taken: its number in the file, its cells, its values by target, its problems."""

    number: int
    cells: Sequence[str]
    values: Mapping[str, Any]
    problems: Sequence[tuple[str, Any]]
    """Pairs of a column's header ("" for the whole row) and a sentence."""


@transaction.atomic
def upload(*, kind: str, file_name: str, parts: Iterable[bytes], now: datetime, user: Any = None) -> Import:
    """Store a file and guess what its columns mean. ``parts`` is read once, a part at a time (``file.chunks()``).

    A CSV file comes back as ``mapping``; a workbook as ``uploaded``: a worker reads it and makes it ``mapping``.
    Raises TransferError for a file that cannot be taken as a whole (empty, too large, no CSV or XLSX, …); nothing
    of it is stored then.
    """
    if kind not in FIELDS:
        raise TransferError(_("There is no such kind of import."))
    source = Import(
        id=uuid7(),
        kind=kind,
        status=Status.MAPPING,
        file_name=_short_name(file_name),
        created_by=user if user is not None and user.pk else None,
        created_at=now,
        forget_at=now + KEEP,
    )
    source.save(force_insert=True)
    intake = Intake(parts)
    source.stored_size = storage.write(import_id=source.pk, parts=intake)
    source.file_size, source.encoding, source.rows_total = intake.size, intake.encoding, intake.lines
    if intake.is_workbook:
        source.status, source.due_at = Status.UPLOADED, now
        agenda.wake(queue=QUEUE, due_at=now, now=now)
    else:
        analysis.look_at(source=source)
    source.save()
    return source


def _short_name(file_name: str) -> str:
    """The name without folders and control characters; it is shown only, never a path."""
    name = file_name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in name if c.isprintable()).strip()[-200:] or "import"


def fields(*, kind: str) -> list[Field]:
    """What a column of this kind of import can mean, for a select; besides "" (ignore).

    The field ``property``, where there is one, stands for ``property:<key>``.
    """
    return list(FIELDS[kind])


def choose(*, import_id: UUID, mapping: Sequence[str], options: Mapping[str, Any], now: datetime) -> Import:
    """Save what the columns mean (one target per column, in order) and the options; back to ``mapping``.

    Options: ``legal_basis`` {kind, source, text_version, wording, granted_at (ISO or "")}, ``country`` (two letters,
    of telephone numbers without one), ``existing`` ("update" or "skip"), ``day_first`` (bool, for 03/04/2024),
    ``survey`` (its key, for responses), ``tags`` (list, for responses), ``reason`` (for suppressions).
    Options that are not given stay as they are. Raises TransferError: an unknown target, one given twice, no identity
    among them, no survey …
    """
    with transaction.atomic():
        source = _locked(import_id, _SETTLED, now)
        source.mapping = choosing.checked_mapping(source=source, mapping=mapping)
        source.options = choosing.checked_options(source=source, options=options, now=now)
        source.status = Status.MAPPING
        _reset(source)
        source.save()
    return source


def preview(*, source: Import, rows: int = 20, now: datetime | None = None) -> list[PreviewRow]:
    """The first rows as they would be taken, with what is wrong with them. Writes nothing.

    ``now``: later times are wrong; by default the time of the upload.
    """
    reader = Reader(
        storage.read(import_id=source.pk, position=source.start_position),
        encoding=source.encoding,
        delimiter=source.delimiter,
        position=source.start_position,
        number=source.start_row,
    )
    layout = layout_of(source, now=now or source.created_at)
    table = table_of(reader.read(rows), layout)
    problems = {number: found for number, _cells, found in table.problems()}
    found = [
        PreviewRow(number, table.cells[row], _values(table, row), _told(problems.get(number, ()), source.headers))
        for row, number in enumerate(table.numbers)
    ]
    found += [PreviewRow(n, cells, {}, _told(problems[n], source.headers)) for n, cells, _code in table.unreadable]
    return sorted(found, key=lambda one: one.number)


def _values(table: Table, row: int) -> dict[str, Any]:
    values: dict[str, Any] = {target: column[row] for target, column in table.values.items() if column[row]}
    for part in ("first_name", "last_name"):
        values.pop(part, None)
    return {**values, **{f"property:{key}": value for key, value in table.properties[row].items()}}


def _told(problems: Iterable[Sequence[Any]], headers: Sequence[str]) -> list[tuple[str, Any]]:
    return [(headers[place] if 0 <= place < len(headers) else "", sentence(code)) for place, code in problems]


def check(*, import_id: UUID, now: datetime) -> Import:
    """Queue a look at the whole file without writing (``mapping`` or ``ready`` → ``checking`` → ``ready``).

    The counters then say what would happen: ``updated`` counts rows whose contact (or company) is known.
    """
    return _begin(import_id, Status.CHECKING, now)


def run(*, import_id: UUID, now: datetime) -> Import:
    """Queue the import itself (``mapping`` or ``ready`` → ``running`` → ``done``)."""
    return _begin(import_id, Status.RUNNING, now)


@transaction.atomic
def _begin(import_id: UUID, status: str, now: datetime) -> Import:
    source = _locked(import_id, _SETTLED, now)
    choosing.checked_mapping(source=source, mapping=source.mapping)
    choosing.checked_options(source=source, options={}, now=now)
    _reset(source)
    source.status, source.due_at, source.started_at, source.forget_at = status, now, now, now + KEEP
    source.bad_rows.all().delete()
    source.save()
    agenda.wake(queue=QUEUE, due_at=now, now=now)
    return source


def _reset(source: Import) -> None:
    for name, value in _FRESH.items():
        setattr(source, name, value)
    source.position, source.last_row, source.attempts = source.start_position, source.start_row, 0


@transaction.atomic
def cancel(*, import_id: UUID, now: datetime) -> Import:
    """Stop. What was taken already stays, and can be undone. A check that is stopped leaves ``mapping``."""
    source = _locked(import_id, (*_SETTLED, Status.UPLOADED, Status.CHECKING, Status.RUNNING), now)
    if source.status == Status.CHECKING:
        source.status = Status.MAPPING
        _reset(source)
    else:
        source.status, source.finished_at = Status.CANCELLED, now
    source.due_at, source.forget_at = None, now + KEEP
    source.save()
    return source


@transaction.atomic
def undo(*, import_id: UUID, now: datetime) -> Import:
    """Queue taking it back (``done``, ``failed`` or ``cancelled`` → ``undoing`` → ``undone``).

    ``undo_result`` then holds ``{"deleted": n, "restored": n, "kept": {reason code: n}}``.
    """
    source = _locked(import_id, _ENDED, now)
    source.status, source.due_at, source.attempts, source.error = Status.UNDOING, now, 0, ""
    source.forget_at = now + KEEP
    source.save()
    agenda.wake(queue=QUEUE, due_at=now, now=now)
    return source


def _locked(import_id: UUID, statuses: Sequence[str], now: datetime) -> Import:
    source = Import.objects.select_for_update(of=("self",)).filter(pk=import_id).first()
    if source is None:
        raise TransferError(_("There is no such import."))
    if source.forget_at is None or source.forget_at <= now:
        raise StateError(_("The file of this import has been deleted meanwhile. Upload it again."))
    if source.status not in statuses:
        status = source.get_status_display()
        raise StateError(_("That is not possible now: the import is in the state “%(status)s”.") % {"status": status})
    return source


def undo_sentences(*, source: Import) -> list[tuple[Any, int]]:
    """Why rows could not be taken back (a translated sentence each), and how many."""
    kept = (source.undo_result or {}).get("kept", {})
    return [(text, kept[code]) for code, text in KEPT.items() if kept.get(code)]


def bad_rows(*, source: Import, limit: int = 100, after: int = 0) -> list[PreviewRow]:
    """The rows with problems, in order of the file; ``after`` is the last row number seen. One query."""
    rows = BadRow.objects.filter(source=source, number__gt=after).order_by("number")[:limit]
    return [PreviewRow(row.number, row.cells, {}, _told(row.problems, source.headers)) for row in rows]


def bad_rows_csv(*, source: Import) -> Iterator[bytes]:
    """All stored bad rows as CSV in parts (UTF-8 with BOM, formula-safe): row, problems, then the file's columns.

    A cell that looks like a formula gets an apostrophe in front, telephone numbers such as +49… too: whoever opens
    the file cannot tell them apart. Importing the corrected file takes it off again.
    """
    header = [_("Row"), _("Problems"), *source.headers]
    rows = BadRow.objects.filter(source=source).order_by("number")
    return csv_parts(
        header,
        (
            [row.number, "; ".join(_sentences(row.problems, source.headers)), *row.cells]
            for row in rows.iterator(chunk_size=1000)
        ),
    )


def _sentences(problems: Iterable[Sequence[Any]], headers: Sequence[str]) -> Iterator[str]:
    for header, text in _told(problems, headers):
        yield f"{header}: {text}" if header else str(text)
