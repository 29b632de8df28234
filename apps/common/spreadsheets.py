"""Tables as files for spreadsheets, CSV and XLSX: written row by row, and never with a formula in them."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import IO, Any, Protocol, TypeAlias

import xlsxwriter

Cell: TypeAlias = str | int | float | bool | datetime | None

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet may take for a formula; the wide forms are what some read as the narrow."""
_SIGNS = frozenset(FORMULA)
# Where there are apostrophes already, there is one more: so each can be taken away again.
_BEGINNING = r"'*[=+\-@＝＋－＠]"
_INSIDE = re.compile(rf"""([;\r\n]"*)(?={_BEGINNING})""")
_MARKED = re.compile(rf"""([;\r\n]"*)'(?={_BEGINNING})""")
BATCH = 1000
MAX_SHEET_ROWS = 1_048_576
MAX_CELL = 32_767
"""Characters of one cell in XLSX; a longer text ends in an ellipsis there. CSV has no such limit."""
_CUT = "…"


def neutral(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula: text that looks like one gets an apostrophe before it.

    So does what looks like one inside, behind a semicolon or a line's end: where cells are told apart by semicolons,
    as in German, a spreadsheet that opens our commas begins a new cell there.
    """
    text = plain(value)
    if not isinstance(value, str):
        return text
    if ";" in text or "\n" in text or "\r" in text:
        text = _INSIDE.sub(r"\1'", text)
    return f"'{text}" if text[:1] in _SIGNS else text


def plain(value: Any) -> str:
    """A cell as text, the way programs read it: true and false, times in ISO 8601 with their offset."""
    if isinstance(value, str):
        return value.replace("\x00", "") if "\x00" in value else value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)


def restored(text: str) -> str:
    """What a cell said before :func:`neutral`: without the apostrophes before what looks like a formula."""
    text = text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
    return _MARKED.sub(r"\1", text) if "'" in text else text


class _Echo:
    """A file that keeps nothing: what is written to it is what writing returns."""

    def write(self, text: str) -> str:
        return text


def csv_parts(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The file in parts of some hundred rows: UTF-8 with a byte order mark, comma, CRLF."""
    writer: Any = csv.writer(_Echo())
    lines: list[str] = ["\ufeff", writer.writerow([neutral(name) for name in header])]
    for row in rows:
        lines.append(writer.writerow([neutral(value) for value in row]))
        if len(lines) >= BATCH:
            yield "".join(lines).encode(errors="replace")
            lines = []
    yield "".join(lines).encode(errors="replace")


class _Sheet(Protocol):
    """What we use of xlsxwriter's worksheet."""

    def write_string(self, row: int, column: int, string: str) -> Any: ...

    def write_number(self, row: int, column: int, number: float) -> Any: ...

    def write_boolean(self, row: int, column: int, boolean: bool) -> Any: ...


def write_xlsx(
    file: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[Cell]], *, sheet_rows: int = MAX_SHEET_ROWS
) -> int:
    """Write the rows, returning how many; what does not fit into one sheet goes on in another, header and all.

    Each row is on disk before the next one is looked at.
    """
    never = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    count = 0
    with xlsxwriter.Workbook(file, {"constant_memory": True, **never}) as book:
        book.use_zip64()
        sheet, line = _begun(book, header)
        for row in rows:
            if line == sheet_rows:
                sheet, line = _begun(book, header)
            _write(sheet, line, row)
            line, count = line + 1, count + 1
    return count


def _begun(book: Any, header: Sequence[str]) -> tuple[_Sheet, int]:
    """A new sheet with its header, and the line that comes next."""
    sheet = book.add_worksheet()
    _write(sheet, 0, header)
    return sheet, 1


def _write(sheet: _Sheet, line: int, row: Sequence[Cell]) -> None:
    """Numbers as numbers; everything else as text, which no program looks into for a formula."""
    for column, value in enumerate(row):
        if value is None or value == "":
            continue
        if isinstance(value, bool):
            sheet.write_boolean(line, column, value)
        elif isinstance(value, int | float) and _is_exact(value):
            sheet.write_number(line, column, value)
        else:
            text = plain(value)
            sheet.write_string(line, column, text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + _CUT)


def _is_exact(number: float) -> bool:
    """Whether a spreadsheet keeps all digits of it: it knows doubles only, and no infinity."""
    return abs(number) < 2**53 if isinstance(number, int) else number - number == 0
