"""Workbooks (XLSX) to CSV, within bounds: a small file must not unpack to something that fills the machine.

The library that reads them holds a whole sheet as a rectangle. So what it will find is counted first, and it gets a
copy with nothing in it but what was counted.
"""

import csv
import io
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import IO, Any

import python_calamine
from django.utils.translation import gettext as _

from apps.transfers.problems import TransferError

MAX_UNPACKED = 300 * 1024 * 1024
MAX_CELLS = 5_000_000
MAX_MEMBERS = 5_000
_WANTED = re.compile(r"(\[Content_Types\]\.xml|_rels/\.rels|xl/workbook\.xml|xl/_rels/.*\.rels|xl/styles\.xml"
                     r"|xl/sharedStrings\.xml|xl/worksheets/[^/]+\.xml)", re.IGNORECASE)  # fmt: skip
_COUNTED = re.compile(rb"<(?:\w+:)?(?:c|si|xf|sheet|Relationship|Override)[\s/>]")
_PLACE = re.compile(rb"""[\s]r\s*=\s*["']([A-Za-z]{1,6})([0-9]{1,9})["']""")
_BLOCK = 256 * 1024
_OVERLAP = 1024
_ODD = re.compile(rb"\x00|<[^>]{0,500}\s{200}")
"""What no program writes, and what could hide places from being counted."""


def to_csv(*, file: IO[bytes]) -> Iterator[bytes]:
    """The first sheet with something in it, as UTF-8 CSV with commas, a part at a time.

    Raises TransferError for what is no workbook, is locked, or is too large to be read safely.
    """
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as copy:
        _copy_counted(file, copy)
        copy.flush()
        try:
            book = python_calamine.load_workbook(copy.name)
            rows = next((sheet for name in book.sheet_names if (sheet := book.get_sheet_by_name(name)).height), None)
        except Exception as error:  # The library has many kinds, for all that can be wrong with a file.
            raise TransferError(_("The workbook cannot be read. Save it as .csv and upload that.")) from error
        if rows is None:
            raise TransferError(_("The file is empty."))
        yield from _as_csv(rows.iter_rows())


def _copy_counted(file: IO[bytes], copy: IO[bytes]) -> None:
    try:
        with zipfile.ZipFile(file) as source, zipfile.ZipFile(copy, "w", zipfile.ZIP_STORED) as target:
            members = [info for info in source.infolist() if _WANTED.fullmatch(info.filename)]
            if len(members) > MAX_MEMBERS or sum(info.file_size for info in members) > MAX_UNPACKED:
                raise _too_large()
            if not any(info.filename.lower() == "xl/workbook.xml" for info in members):
                raise TransferError(_("This is no workbook. Upload a table as .csv or .xlsx."))
            cells = 0
            for info in members:
                with source.open(info) as packed, target.open(zipfile.ZipInfo(info.filename), "w") as plain:
                    cells += _copy_member(packed, plain, MAX_CELLS - cells)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise TransferError(_("The workbook cannot be read. Save it as .csv and upload that.")) from error


def _copy_member(packed: IO[bytes], plain: IO[bytes], left: int) -> int:
    """Copy one part of the workbook; returns what it will take in cells: the larger of their number and their area."""
    found, columns, rows, tail = 0, 1, 1, b""
    while block := packed.read(_BLOCK):
        plain.write(block)
        seen = tail + block
        if _ODD.search(seen):
            raise ValueError("odd XML")
        # What lies in the overlap whole was counted before.
        found += sum(1 for match in _COUNTED.finditer(seen) if match.end() > len(tail))
        for match in _PLACE.finditer(seen):
            columns, rows = max(columns, _column(match[1])), max(rows, int(match[2]))
        if max(found, columns * rows) > left:
            raise _too_large()
        tail = seen[-_OVERLAP:]
    return max(found, columns * rows)


def _column(letters: bytes) -> int:
    """A → 1, Z → 26, AA → 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _too_large() -> TransferError:
    return TransferError(
        _("The workbook is too large to be read (at most 5 million cells). Save it as .csv and upload that.")
    )


def _as_csv(rows: Iterable[list[Any]]) -> Iterator[bytes]:
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([text(cell) for cell in row])
        if out.tell() > _BLOCK:
            yield out.getvalue().encode("utf-8", "replace")
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode("utf-8", "replace")


def text(cell: Any) -> str:
    """A cell as it would be typed: numbers without a needless .0, times as ISO 8601."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e16 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ", timespec="seconds")
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)
