"""Suppressions as a file: taken over from another system, and handed out. Large files are never held whole."""

import codecs
import csv
import io
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.common.spreadsheets import neutral, restored
from apps.contacts import phones
from apps.messaging import suppressions
from apps.messaging.models import Suppression
from apps.messaging.suppressions import Entry

MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 100_000
MAX_SHOWN = 200
"""So many wrong rows are shown; all are counted."""
BATCH = 1000
_ADDRESS = frozenset({"email", "e-mail", "address", "adresse", "mail", "phone", "telefon"})
_REASON = frozenset({"reason", "grund"})
_SOURCE = frozenset({"source", "quelle"})
_COLUMNS = ("address", "reason", "source", "since", "lifted", "lifted because", "lifted by")
_PEEK = 64 * 1024
_valid_email = EmailValidator()


class FileError(Exception):
    """The file as a whole cannot be taken; ``sentence`` says why."""

    def __init__(self, sentence: str | Promise) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence


class Problem(NamedTuple):
    """What is wrong with one row: its number in the file, what stands in it, and a sentence."""

    row: int
    text: str
    sentence: str | Promise


@dataclass(slots=True)
class Result:
    """What came of an import."""

    added: int = 0
    known: int = 0
    """Blocked already: these keep their first reason."""
    wrong: int = 0
    problems: list[Problem] = field(default_factory=list)

    def note(self, problem: Problem) -> None:
        """One more row that could not be taken."""
        self.wrong += 1
        if len(self.problems) < MAX_SHOWN:
            self.problems.append(problem)


def take_in(*, file: IO[bytes], size: int, source: str, region: str, now: datetime) -> Result:
    """Block all addresses of a CSV file: one column of addresses, or a header with address, reason and source.

    Comma, semicolon or tab; UTF-8, UTF-16 or Latin-1. ``region`` is the country of telephone numbers that do not
    say it. Wrong rows are told by their number, the others are taken. Raises FileError for a file that is too large.
    """
    if size > MAX_BYTES:
        raise FileError(_("The file may have at most 10 MB. Split it and import the parts."))
    result = Result()
    batch: list[Entry] = []
    for found in _entries(_rows(file), source, region):
        if isinstance(found, Problem):
            result.note(found)
            continue
        batch.append(found)
        if len(batch) == BATCH:
            _add(batch, result, now)
            batch = []
    _add(batch, result, now)
    return result


def _add(batch: Sequence[Entry], result: Result, now: datetime) -> None:
    if batch:
        added = suppressions.add(entries=batch, now=now)
        result.added += added
        result.known += len(batch) - added


def _rows(file: IO[bytes]) -> Iterator[list[str] | None]:
    """The file's rows; None for one that is no CSV."""
    encoding = _encoding(file)
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
    first = text.readline(_PEEK)
    lines = _joined(first, text)
    try:
        reader = csv.reader(lines, delimiter=max(";\t,", key=first.count))
        while True:
            try:
                yield next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield None
    finally:
        lines.close()
        if not text.closed:
            text.detach()  # The file is its owner's to close.


def _joined(first: str, rest: Iterable[str]) -> Generator[str]:
    yield first
    yield from rest


def _encoding(file: IO[bytes]) -> str:
    """By the byte order mark; else UTF-8 if all of it is; else Windows' Latin-1."""
    file.seek(0)
    head = file.read(4)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        found = "utf-16"
    elif len(head) == 4 and head[1] == head[3] == 0:
        found = "utf-16-le"
    elif len(head) == 4 and head[0] == head[2] == 0:
        found = "utf-16-be"
    else:
        found = "utf-8-sig" if _is_utf8(file) else "cp1252"
    file.seek(0)
    return found


def _is_utf8(file: IO[bytes]) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := file.read(_PEEK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


class _Places(NamedTuple):
    """Which column is what; None where there is none."""

    address: int = 0
    reason: int | None = None
    source: int | None = None


def _header(row: Sequence[str]) -> _Places | None:
    """The places of a header; None if the row is none."""
    names = [cell.strip().lower() for cell in row]
    found = {
        what: next((place for place, name in enumerate(names) if name in words), None)
        for what, words in (("address", _ADDRESS), ("reason", _REASON), ("source", _SOURCE))
    }
    if found["address"] is None:
        return None
    return _Places(found["address"], found["reason"], found["source"])


def _entries(rows: Iterator[list[str] | None], source: str, region: str) -> Iterator[Entry | Problem]:
    places, codes = _Places(), _reasons()
    for number, row in enumerate(rows, start=1):
        if number > MAX_ROWS:
            yield Problem(number, "", _("Only the first 100,000 rows were taken. Import the rest as another file."))
            return
        if number == 1 and row and (header := _header(row)):
            places = header
        elif row is None:
            yield Problem(
                number, "", _("This row cannot be read: a field is too long, or a quotation mark is missing.")
            )
        elif any(cell.strip() for cell in row):
            yield _entry(number, row, places, codes, source, region)


def _entry(
    number: int, row: Sequence[str], places: _Places, codes: Mapping[str, str], source: str, region: str
) -> Entry | Problem:
    typed, said = _cell(row, places.address), _cell(row, places.reason)
    address = suppressions.plain_address(typed, region)
    reason = codes.get(said.lower()) if said else Suppression.Reason.IMPORTED
    if not typed:
        return Problem(number, said[:80], _("There is no address in this row."))
    if "\x00" in "".join(row) or not is_address(address):
        return Problem(number, typed[:80], _("This is neither an e-mail address nor a telephone number."))
    if reason is None:
        return Problem(
            number, said[:80], _("This reason is not known; leave it empty, or write one of those of the list.")
        )
    return Entry(address, reason, _cell(row, places.source) or source)


def _cell(row: Sequence[str], place: int | None) -> str:
    """A cell's text; the quotation mark that an export puts before what looks like a formula is taken off again."""
    return restored(row[place].strip()) if place is not None and place < len(row) else ""


def is_address(address: str) -> bool:
    """Whether it is an e-mail address, or a telephone number in international form."""
    if address.startswith("+") and "@" not in address:
        return phones.e164(address) == address
    try:
        _valid_email(address)
    except ValidationError:
        return False
    return len(address) <= 254


def _reasons() -> dict[str, str]:
    """A reason by its code, or by its name in the reader's language or in English."""
    found: dict[str, str] = {}
    for language in ("en", translation.get_language() or "en"):
        with translation.override(language):
            found |= {str(label).lower(): value for value, label in Suppression.Reason.choices}
    return {**found, **{value: value for value in Suppression.Reason.values}}


def write_out(*, file: IO[str]) -> int:
    """Write all suppressions as CSV, newest first; returns how many. A part at a time is read."""
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    rows = Suppression.objects.order_by("-created_at", "-id").values_list(
        "email", "reason", "source", "created_at", "lifted_at", "lifted_because", "lifted_by"
    )
    count = 0
    for row in rows.iterator(chunk_size=BATCH):
        writer.writerow([neutral(value) for value in row])
        count += 1
    return count
