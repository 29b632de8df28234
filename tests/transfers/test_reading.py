"""Rows as they really come."""

import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from apps.transfers import reading, workbooks
from apps.transfers.moments import day_comes_first, moment_reader
from apps.transfers.problems import TransferError
from apps.transfers.reading import Reader


def parts(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 7, 4096])
@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('a,b\r\n1,"x\r\ny"\r\n', [(1, ["a", "b"]), (2, ["1", "x\r\ny"])]),
        ("a,b\r1,2\r3,4", [(1, ["a", "b"]), (2, ["1", "2"]), (3, ["3", "4"])]),
        ("a,b\n\n,\n1,2\n", [(1, ["a", "b"]), (4, ["1", "2"])]),
        ('a,b\n"open,2\n3,4\n5,6', [(1, ["a", "b"]), (2, None), (3, ["3", "4"]), (4, ["5", "6"])]),
        ('a\n5" screen\n"say ""hi"""', [(1, ["a"]), (2, ['5" screen']), (3, ['say "hi"'])]),
        ("a\n1\x002\n", [(1, ["a"]), (2, ["1\x002"])]),
        (f"a\n{'x' * 140_000}\nb\n", [(1, ["a"]), (2, None), (3, ["b"])]),
        (f'a\n"{"x" * 140_000}"\nb\n', [(1, ["a"]), (2, None), (3, ["b"])]),
        ("", []),
    ],
)
def test_a_row_that_cannot_be_read_costs_only_itself(text: str, rows: list[tuple[int, object]], size: int) -> None:
    data = text.encode()
    if size == 1 and len(data) > 10_000:
        pytest.skip("too slow, and the same")
    reader = Reader(parts(data, size), encoding="utf-8", delimiter=",")
    assert [(number, cells) for number, cells, _raw in reader.read(100)] == rows
    assert reader.position == len(data)
    assert reader.ended


def test_a_missing_quotation_mark_costs_one_row_and_not_all_that_follow() -> None:
    data = b'a,b\n1,"no end\n' + b"2,fine\n" * 50_000
    found = Reader(parts(data, 65536), encoding="utf-8", delimiter=",").read(100_000)
    assert [row.number for row in found if row.cells is None] == [2]
    assert found[1].raw == '1,"no end'
    assert len(found) == 50_002


def test_a_line_without_an_end_is_never_held_whole() -> None:
    data = (b"x" * 65536 for _ in range(1600))  # 100 MB
    tracemalloc.start()
    found = Reader(data, encoding="utf-8", delimiter=",").read(10)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(row.number, row.cells) for row in found] == [(1, None)]
    assert peak < 12_000_000


@given(
    st.lists(st.lists(st.text(st.sampled_from('ab"\n\r ;,é'), max_size=6), min_size=1, max_size=3), max_size=12),
    st.integers(1, 9),
    st.integers(1, 5),
)
def test_a_reader_goes_on_exactly_where_another_ended(rows: list[list[str]], size: int, limit: int) -> None:
    import csv

    out = io.StringIO()
    csv.writer(out).writerows(rows)
    data = out.getvalue().encode()
    whole = Reader(parts(data, size), encoding="utf-8", delimiter=",").read(1000)
    pieces, position, number = [], 0, 0
    while True:
        reader = Reader(parts(data[position:], size), encoding="utf-8", delimiter=",", position=position, number=number)
        pieces += reader.read(limit)
        position, number = reader.position, reader.number
        if reader.ended:
            break
    assert pieces == whole
    assert [row.cells for row in whole] == [row for row in rows if any(row)]


@pytest.mark.parametrize(
    ("head", "delimiter"),
    [
        ("a;b;c\n1,5;2,5;3\n", ";"),
        ("a,b\n1,2\n", ","),
        ("a\tb\nx, y\tz\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ('"a;b",c\n"1;2",3\n', ","),
        ("email\nx@example.com\n", ","),
    ],
)
def test_the_delimiter_is_the_one_that_cuts_evenly(head: str, delimiter: str) -> None:
    assert reading.sniff(head) == delimiter


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-01-31", datetime(2026, 1, 30, 23, tzinfo=UTC)),
        ("2026-07-01T10:00:00Z", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2026-07-01 10:00:00 UTC", datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("31.01.2026 14:30", datetime(2026, 1, 31, 13, 30, tzinfo=UTC)),
        ("01/31/2026 02:30:05 PM", datetime(2026, 1, 31, 13, 30, 5, tzinfo=UTC)),
        ("1/31/26", datetime(2026, 1, 30, 23, tzinfo=UTC)),
        ("1767225600", datetime(2026, 1, 1, tzinfo=UTC)),
        ("1767225600000", datetime(2026, 1, 1, tzinfo=UTC)),
        ("31/01/2026", None),
        ("1970-01-01", None),
        ("99.99.2026", None),
        ("0001-01-01", None),
        ("soon", None),
        ("９９", None),
    ],
)
def test_times_are_read_as_they_are_written(text: str, found: datetime | None) -> None:
    assert moment_reader(zone=ZoneInfo("Europe/Berlin"), day_first=False)(text) == found


def test_which_comes_first_is_told_by_a_day_above_twelve() -> None:
    assert day_comes_first(["03/04/2026", "31/01/2026"])
    assert not day_comes_first(["03/04/2026", "01/31/2026", "31/01/2026"])


AT = datetime(2026, 1, 2, 3, 4)  # noqa: DTZ001 - workbooks know no time zones


# --- workbooks ----------------------------------------------------------------------------------
def workbook(*rows: list[object]) -> io.BytesIO:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    book.add_worksheet("empty")
    sheet = book.add_worksheet("data")
    form = book.add_format({"num_format": "dd.mm.yyyy hh:mm"})
    for number, row in enumerate(rows):
        for place, cell in enumerate(row):
            if isinstance(cell, datetime):
                sheet.write_datetime(number, place, cell, form)
            else:
                sheet.write(number, place, cell)
    book.close()
    return out


def test_a_workbook_is_read_as_it_would_be_typed() -> None:
    file = workbook(
        ["phone", "when", "day", "share", "ok", "text"],
        [4912345.0, AT, AT.replace(hour=0, minute=0), 0.5, True, 'a "b"\nc'],
    )
    text = b"".join(workbooks.to_csv(file=file)).decode()
    assert text == ('phone,when,day,share,ok,text\r\n4912345,2026-01-02 03:04:00,2026-01-02,0.5,true,"a ""b""\nc"\r\n')


def packed(**members: bytes) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr({"book": "xl/workbook.xml", "sheet": "xl/worksheets/sheet1.xml"}[name], data)
    return out


def far_corners() -> io.BytesIO:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    sheet.write(0, 0, "a")
    sheet.write(1_048_575, 16_383, "z")
    book.close()
    return out


BOOK = b"<workbook/>"


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        pytest.param(far_corners(), "too large", id="two cells that span seventeen billion"),
        pytest.param(packed(book=BOOK, sheet=b" " * (310 << 20)), "too large", id="310 MB of spaces"),
        pytest.param(packed(book=BOOK, sheet=b"<c/>" * 5_001), "too large", id="too many cells"),
        pytest.param(packed(book=BOOK, sheet=b'<c r\x00="A1"/>'), "cannot be read", id="odd XML"),
        pytest.param(packed(book=BOOK), "cannot be read", id="nothing in it"),
        pytest.param(packed(sheet=b"<c/>"), "no workbook", id="no workbook"),
        pytest.param(io.BytesIO(b"PK\x03\x04 and nothing else"), "cannot be read", id="no archive"),
    ],
)
def test_a_workbook_that_would_fill_the_machine_is_refused(
    file: io.BytesIO, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbooks, "MAX_CELLS", 5_000)
    with pytest.raises(TransferError, match=reason):
        list(workbooks.to_csv(file=file))
