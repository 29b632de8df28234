"""CSV as it really comes: rows with their exact place in the file, so that a reader can go on where another ended.

A row that cannot be read costs itself and nothing else. Where a quotation mark is missing, the lines that it would
have swallowed are read again as rows of their own. No Django.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

MAX_RECORD = 1024 * 1024
"""Bytes of one row at most."""
MAX_READ = 16 * 1024 * 1024
"""So many bytes of rows are held at once, and then one more row."""
MAX_RAW = 1000
DELIMITERS = ",;\t|"
_SNIFFED_ROWS = 50

csv.field_size_limit(128 * 1024)


class Record(NamedTuple):
    """A row: its number in the file (the header is 1, empty ones count) and its cells; None: cannot be read.

    ``raw`` then is the beginning of its text.
    """

    number: int
    cells: list[str] | None
    raw: str = ""


class _TooLongError(Exception):
    """A row is longer than anything sensible."""


def raw_lines(parts: Iterable[bytes]) -> Iterator[bytes | int]:
    """The lines with their ends; of one that is much too long only how many bytes it had."""
    rest, skipped = b"", 0
    for part in parts:
        if skipped:
            end = _line_end(part)
            skipped += end or len(part)
            if not end:
                continue
            yield skipped
            part, skipped = part[end:], 0  # noqa: PLW2901
        lines = (rest + part).splitlines(keepends=True)
        # A lone \r may be half of a line's end.
        rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        yield from lines
        if len(rest) > MAX_RECORD:
            rest, skipped = b"", len(rest)
    if skipped or rest:
        yield skipped or rest


def _line_end(part: bytes) -> int:
    """The place after the first line end; 0 if there is none."""
    found = [place for place in (part.find(b"\n"), part.find(b"\r")) if place >= 0]
    return min(found) + 1 if found else 0


class _Lines:
    """Lines for the CSV reader, which says how many make up a row; some can be put back."""

    def __init__(self, lines: Iterator[bytes | int], encoding: str) -> None:
        self._lines, self._encoding = lines, encoding
        self._again: deque[bytes | int] = deque()
        self.pulled: list[bytes | int] = []
        self.size = 0
        self.ended = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self._again:
            raw = self._again.popleft()
        else:
            try:
                raw = next(self._lines)
            except StopIteration:
                self.ended = True
                raise
        self.pulled.append(raw)
        if type(raw) is int:
            self.size += raw
            raise _TooLongError
        self.size += len(raw)  # type: ignore[arg-type]
        if self.size > MAX_RECORD:
            raise _TooLongError
        return raw.decode(self._encoding, "replace")  # type: ignore[union-attr]

    def begin(self) -> None:
        """A row begins."""
        self.pulled.clear()
        self.size = 0
        self.ended = False

    def keep_first(self) -> str:
        """Only the first line belonged to the row; the others are read again. Returns its beginning."""
        first, *others = self.pulled
        self._again.extendleft(reversed(others))
        self.size = first if isinstance(first, int) else len(first)
        return "" if isinstance(first, int) else first[:MAX_RAW].decode(self._encoding, "replace").rstrip("\r\n")


class Reader:
    """Reads rows and knows where it is: ``position`` is the next row's first byte, ``number`` the last row's number."""

    def __init__(
        self, parts: Iterable[bytes], *, encoding: str, delimiter: str, position: int = 0, number: int = 0
    ) -> None:
        self.position, self.number = position, number
        self.ended = False
        self._lines = _Lines(raw_lines(parts), encoding)
        self._rows = csv.reader(self._lines, delimiter=delimiter)

    def read(self, limit: int) -> list[Record]:
        """Up to ``limit`` rows that are not empty; fewer where they are large, and at the end (``ended``)."""
        found: list[Record] = []
        lines, rows = self._lines, self._rows
        stop_at = self.position + MAX_READ
        while len(found) < limit and self.position < stop_at:
            lines.begin()
            cells: list[str] | None = None
            raw = ""
            try:
                cells = next(rows)
            except StopIteration:
                self.ended = True
                return found
            except (csv.Error, _TooLongError):
                raw = lines.keep_first()
            if lines.ended and cells is not None:
                # It asked for one line more: a quotation mark is still open at the end of the file.
                cells, raw = None, lines.keep_first()
            self.position += lines.size
            self.number += 1
            if cells is None or (cells and (cells[0] or any(cells))):
                found.append(Record(self.number, cells, raw))
        return found


def sniff(head: str) -> str:
    """The delimiter: the one that cuts most rows into as many cells as the header has, and into more than one."""
    lines = head.splitlines(keepends=True)[:_SNIFFED_ROWS]
    return max(DELIMITERS, key=lambda delimiter: _evenness(lines, delimiter))


def _evenness(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    try:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        widths = []
    if not widths or widths[0] < 2:
        return 0, 0
    return sum(width == widths[0] for width in widths) / len(widths), widths[0]
