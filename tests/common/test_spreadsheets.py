"""Tables as files: exact, and never with a formula in them."""

import csv
import io
import re
import tracemalloc
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from apps.common.spreadsheets import FORMULA, MAX_CELL, Cell, csv_parts, neutral, restored, write_xlsx

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=cmd|" /C calc"!A0', "＝1+1", "=HYPERLINK(1)"]
PLAIN = [
    "",
    "Ada",
    "a=b",
    " =1",
    "'quoted'",
    'say "hi", twice',
    "line\r\nbreak",
    "😀 Zürich",
    "https://x.example",
    "007",
]


def as_csv(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[list[str]]:
    text = b"".join(csv_parts(header, rows)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def as_xlsx(header: Sequence[str], rows: Sequence[Sequence[Cell]], **how: Any) -> tuple[bytes, list[list[list[Any]]]]:
    file = io.BytesIO()
    assert write_xlsx(file, header, rows, **how) == len(rows)
    book = CalamineWorkbook.from_filelike(io.BytesIO(file.getvalue()))
    return file.getvalue(), [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]


def test_no_cell_and_no_header_of_a_csv_file_is_a_formula() -> None:
    header, row = as_csv(FORMULAS, [FORMULAS])
    assert header == row == [f"'{text}" for text in FORMULAS]
    assert [restored(text) for text in row] == FORMULAS, "and an import reads what was there"


def test_no_formula_begins_where_a_spreadsheet_tells_cells_apart_by_semicolons_or_lines() -> None:
    hidden = ["a;=1", "a\n=1", "a\r\n@SUM(A1)", ";;-1", 'a;"=1', "\r=1", "\n=1", "=1;=2\n+3", "a;'=1", "'=x;=1"]
    for text in hidden:
        [[_, cell]] = as_csv(["a", text], [])
        assert [cell] == as_csv(["a"], [[text]])[1]
        raw = b"".join(csv_parts(["a"], [["x" + text]])).decode("utf-8-sig")
        parts = [part.replace('"', "") for part in re.split(r"[;\r\n]", raw)]
        assert not [part for part in parts if part.startswith(FORMULA)], text
        assert restored(cell) == text or text.startswith("'")
    assert neutral("cheap; -good, 5 - 3; a=b") == "cheap; -good, 5 - 3; a=b"


def test_text_that_is_no_formula_is_handed_out_as_it_is() -> None:
    assert as_csv(["a"] * len(PLAIN), [PLAIN])[1] == PLAIN
    raw = b"".join(csv_parts(["a", "b"], [["x", "y"]]))
    assert raw == b"\xef\xbb\xbfa,b\r\nx,y\r\n"


def test_values_are_written_for_programs() -> None:
    at = datetime(2026, 3, 1, 9, 30, 5, 123456, tzinfo=UTC)
    cells: list[Cell] = [None, True, False, -5, 1.5, at, "a\x00b"]
    assert [neutral(cell) for cell in cells] == ["", "true", "false", "-5", "1.5", "2026-03-01T09:30:05+00:00", "ab"]


def test_an_xlsx_file_has_texts_where_texts_were_and_numbers_where_numbers_were() -> None:
    texts = [*FORMULAS, *PLAIN[1:]]
    raw, [[header, row, numbers]] = as_xlsx(texts, [texts, [1, -2.5, True, None, 2**60, "12"]])
    assert [cell.replace("\r\n", "\n").replace("\r", "\n") for cell in row] == [
        text.replace("\r\n", "\n").replace("\r", "\n") for text in texts
    ]
    assert header == row
    assert numbers[:6] == [1.0, -2.5, True, "", str(2**60), "12"]
    with zipfile.ZipFile(io.BytesIO(raw)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert "hyperlink" not in sheet
        assert not [name for name in parts.namelist() if "rels" in name and "sheet" in name]


def test_a_text_too_long_for_a_sheet_ends_in_an_ellipsis_there_and_is_whole_in_csv() -> None:
    long = "ä" * 100_000
    _raw, [[_header, [cell]]] = as_xlsx(["comment"], [[long]])
    assert (len(cell), cell[-2:]) == (MAX_CELL, "ä…")
    assert as_csv(["comment"], [[long]])[1] == [long]


@pytest.mark.parametrize(("rows", "sheets"), [(0, [1]), (3, [4]), (4, [4, 2]), (7, [4, 4, 2])])
def test_what_one_sheet_cannot_hold_goes_on_in_the_next(rows: int, sheets: list[int]) -> None:
    _raw, found = as_xlsx(["n"], [[n] for n in range(rows)], sheet_rows=4)
    assert [len(sheet) for sheet in found] == sheets
    assert [line[0] for sheet in found for line in sheet[1:]] == list(range(rows))
    assert all(sheet[0] == ["n"] for sheet in found)


def test_many_rows_take_no_more_memory_than_a_few() -> None:
    def rows(count: int) -> Iterator[list[Cell]]:
        return ([f"row {n}", n, "x" * 200] for n in range(count))

    def peak(count: int) -> int:
        tracemalloc.start()
        for _part in csv_parts(["a", "b", "c"], rows(count)):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    few = peak(3_000)
    assert peak(30_000) < 1.5 * few
