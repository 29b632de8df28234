"""Codes as they are brought: a file of any kind that imports take, or pasted lines. Never held whole."""

import re
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO

from apps.common.spreadsheets import restored
from apps.incentives import codes
from apps.transfers import workbooks
from apps.transfers.intake import Intake
from apps.transfers.reading import Reader, Record, sniff

MAX_FILE = 50 * 1024 * 1024
"""Bytes of a file of codes: a million of forty letters."""
_HEAD = 64 * 1024
_READ = 5000
_NAMES = frozenset({
    "code", "codes", "voucher", "vouchers", "voucher code", "coupon", "coupons", "coupon code", "discount code",
    "gutschein", "gutscheine", "gutscheincode", "gutscheincodes", "gutschein-code", "rabattcode", "aktionscode",
})  # fmt: skip
"""How the column with the codes is called; without such a name it is the first one."""
_BETWEEN = re.compile(r"[,;\t]")
Line = tuple[int, str]


def pasted(text: str) -> Iterator[Line]:
    """Codes of a text, one or more in a line, with the numbers of their lines."""
    for number, line in enumerate(text.splitlines(), 1):
        for code in _BETWEEN.split(line):
            if code.strip():
                yield number, code


def wrong(text: str) -> Iterator[str]:
    """What of a text can be no codes, at its full length."""
    return (code.strip() for _number, code in pasted(text) if not codes.is_code(code.strip()))


def in_file(parts: Iterable[bytes]) -> Iterator[Line]:
    """The codes of a CSV, XLSX or plain text file, with the numbers of their rows. Raises TransferError.

    What arrives is written to disk first: only at its end is it known how it was encoded.
    """
    intake = Intake(parts)
    with tempfile.TemporaryFile() as file:
        for part in intake:
            file.write(part)
        file.seek(0)
        if intake.is_workbook:
            yield from _codes(Reader(workbooks.to_csv(file=file), encoding="utf-8", delimiter=","))
            return
        head = file.read(_HEAD).decode(intake.encoding, "replace")
        file.seek(0)
        yield from _codes(Reader(_blocks(file), encoding=intake.encoding, delimiter=sniff(head)))


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(_HEAD):
        yield block


def _codes(reader: Reader) -> Iterator[Line]:
    first = next(iter(reader.read(1)), None)
    if first is None:
        return
    place, is_header = _place(first)
    if not is_header:
        yield _line(first, place)
    while not reader.ended:
        for record in reader.read(_READ):
            yield _line(record, place)


def _place(first: Record) -> tuple[int, bool]:
    """Which column holds the codes, and whether the first row names the columns."""
    for place, cell in enumerate(first.cells or []):
        if cell.strip().lower() in _NAMES:
            return place, True
    return 0, False


def _line(record: Record, place: int) -> Line:
    if record.cells is None:  # Of a line that is much too long not even the beginning is kept: "…" is no code either.
        return record.number, record.raw or "…"
    return record.number, restored(record.cells[place].strip()) if place < len(record.cells) else ""
