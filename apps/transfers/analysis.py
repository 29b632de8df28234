"""What a stored file looks like: its delimiter, its columns, where its rows begin, and a guess at what they mean."""

import tempfile
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.transfers import fields, presets, storage, workbooks
from apps.transfers.models import Import
from apps.transfers.moments import day_comes_first
from apps.transfers.problems import TransferError
from apps.transfers.reading import Reader, Record, sniff

MAX_COLUMNS = 500
MAX_HEADER = 200
SAMPLES = 50
_HEAD = 64 * 1024


def unpack(*, source: Import) -> None:
    """Replace a stored workbook by its first sheet as CSV, and look at that."""
    with tempfile.TemporaryFile() as file:
        for part in storage.read(import_id=source.pk):
            file.write(part)
        file.seek(0)
        with transaction.atomic():
            parts = list(workbooks.to_csv(file=file))
            source.stored_size = storage.write(import_id=source.pk, parts=parts)
            source.encoding, source.delimiter = "utf-8", ","
            source.rows_total = sum(part.count(b"\n") for part in parts)
            look_at(source=source)


def look_at(*, source: Import) -> None:
    """Fill in what the stored file looks like. Raises TransferError for one that cannot be imported."""
    if not source.delimiter:
        head = next(storage.read(import_id=source.pk), b"")[:_HEAD]
        source.delimiter = sniff(head.decode(source.encoding, "replace"))
    reader = Reader(storage.read(import_id=source.pk), encoding=source.encoding, delimiter=source.delimiter)
    first = next(iter(reader.read(1)), None)
    header = _header(first)
    after = (reader.position, reader.number)
    samples = reader.read(SAMPLES)
    source.has_header = not fields.looks_like_data(header)
    if not source.has_header and first is not None:
        samples, after = [first, *samples], (0, 0)
        header = [_("Column %(number)s") % {"number": place} for place in range(1, len(header) + 1)]
    source.headers = header
    preset = presets.recognise(kind=source.kind, headers=header)
    more = presets.more_headers(preset=preset, rows=[record.cells for record in samples])
    if more:
        after = _after(source, samples[more - 1].number)
    source.start_position, source.start_row = after
    source.position, source.last_row = after
    source.rows_total = max(source.rows_total - source.start_row, len(samples) - more)
    if len(samples) <= more:
        raise TransferError(_("The file has column names, but no rows."))
    _guess(source, preset, [record.cells for record in samples[more:] if record.cells])


def _header(first: Record | None) -> list[str]:
    """The names of the columns, in a form that can be shown and stored."""
    if first is None:
        raise TransferError(_("The file is empty."))
    if first.cells is None or "\x00" in "".join(first.cells):
        raise TransferError(_("The first row cannot be read: is this a CSV file? Save it anew as CSV (UTF-8)."))
    if len(first.cells) > MAX_COLUMNS:
        raise TransferError(
            _("The file has %(count)s columns; at most %(limit)s can be imported. Leave out those you do not need.")
            % {"count": len(first.cells), "limit": MAX_COLUMNS}
        )
    seen: dict[str, int] = {}
    names = []
    for cell in first.cells:
        name = " ".join(cell.split())[:MAX_HEADER]
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 or not name else f"{name} ({seen[name]})")
    return names


def _after(source: Import, number: int) -> tuple[int, int]:
    """The place after the row with this number."""
    reader = Reader(storage.read(import_id=source.pk), encoding=source.encoding, delimiter=source.delimiter)
    while reader.number < number and reader.read(1):
        pass
    return reader.position, reader.number


def _guess(source: Import, preset: presets.Preset | None, samples: list[list[str]]) -> None:
    guessed = fields.guess(kind=source.kind, headers=source.headers, samples=samples)
    if preset is not None:
        known = fields.targets(source.kind)
        guessed = presets.apply(preset=preset, headers=source.headers, guessed=guessed, known=known)
        source.preset = preset.key
    source.mapping = guessed
    times = {place for place, target in enumerate(guessed) if target in {"answered_at", "basis_granted_at"}}
    values = [row[place] for row in samples for place in times if place < len(row)]
    source.options = {**source.options, "day_first": day_comes_first(values)}


def values_of(source: Import) -> dict[str, Any]:
    """What looking at the file has found out, for an update."""
    names = (
        "stored_size", "encoding", "delimiter", "has_header", "preset", "headers", "mapping", "options", "rows_total",
        "start_position", "start_row", "position", "last_row",
    )  # fmt: skip
    return {name: getattr(source, name) for name in names}
