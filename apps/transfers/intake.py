"""What kind of file arrives, and its bytes as UTF-8 where that can be done on the way. No file is held whole."""

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain

from django.utils.translation import gettext as _

from apps.transfers.problems import TransferError

MAX_BYTES = 1024 * 1024 * 1024
MAX_WORKBOOK = 50 * 1024 * 1024
PEEK = 64 * 1024
_ZIP, _OLD_OFFICE, _PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF"


class Intake:
    """A file on its way in: iterate over it once; then ``size``, ``lines``, ``encoding`` and ``head`` are known."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        stream = iter(parts)
        peeked: list[bytes] = []
        while sum(map(len, peeked)) < PEEK and (part := next(stream, None)) is not None:
            peeked.append(bytes(part))
        self.head = b"".join(peeked)[:PEEK]
        self._parts = chain(peeked, map(bytes, stream))
        self.size = self.lines = 0
        self.is_workbook = self.head.startswith(_ZIP)
        self._refuse_others()
        self.encoding = "" if self.is_workbook else _by_mark(self.head)
        self._is_utf8 = True

    def __iter__(self) -> Iterator[bytes]:
        """The bytes to store: a workbook's as they are; text as UTF-8, or as it is where that is not known."""
        if self.is_workbook:
            yield from self._counted()
        elif self.encoding:
            yield from self._converted()
        else:
            yield from self._looked_at()
        if not self.size:
            raise TransferError(_("The file is empty."))

    def _refuse_others(self) -> None:
        if self.head.startswith(_OLD_OFFICE):
            raise TransferError(_("This is an old Excel file. Save it as .xlsx or .csv and upload it again."))
        if self.head.startswith(_PDF):
            raise TransferError(_("This is a PDF. Upload a table as .csv or .xlsx."))

    def _counted(self) -> Iterator[bytes]:
        limit = MAX_WORKBOOK if self.is_workbook else MAX_BYTES
        for part in self._parts:
            self.size += len(part)
            if self.size > limit:
                raise TransferError(
                    _("The workbook may have at most 50 MB. Save it as .csv and upload that.")
                    if self.is_workbook
                    else _("The file may have at most 1 GB. Split it and import the parts.")
                )
            self.lines += part.count(b"\n")
            yield part

    def _converted(self) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        self.encoding = "utf-8"
        for part in self._counted():
            if text := decoder.decode(part):
                yield text.removeprefix("\ufeff").encode("utf-8", "replace")
        yield decoder.decode(b"", final=True).encode("utf-8", "replace")

    def _looked_at(self) -> Iterator[bytes]:
        """As it is; whether all of it is UTF-8 is known at the end."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        for part in self._counted():
            if self._is_utf8:
                self._is_utf8 = _decodes(decoder, part)
            yield part
        self._is_utf8 = self._is_utf8 and _decodes(decoder, b"", final=True)
        self.encoding = "utf-8" if self._is_utf8 else "cp1252"


def _decodes(decoder: codecs.IncrementalDecoder, part: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(part, final)
    except UnicodeDecodeError:
        return False
    return True


def _by_mark(head: bytes) -> str:
    """UTF-16 or UTF-8 by the mark in front, UTF-16 also by where the zeros stand; "" where nothing tells."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(head) >= 4 and head[1] == head[3] == 0 and head[0] and head[2]:
        return "utf-16-le"
    if len(head) >= 4 and head[0] == head[2] == 0 and head[1] and head[3]:
        return "utf-16-be"
    return ""
