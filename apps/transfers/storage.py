"""Uploaded files in the database, in parts: written and read without ever holding one whole.

Not in a folder: the worker that reads a file may run on another machine than the web server that got it.
"""

from collections.abc import Iterable, Iterator
from uuid import UUID

from apps.common.bulk import execute, fetch_rows
from apps.transfers.models import ImportChunk

SIZE = 1024 * 1024
"""Bytes of every part but the last."""
_WRITE = "INSERT INTO transfers_importchunk (source_id, number, data) VALUES (%s, %s, %s)"
_READ = "SELECT data FROM transfers_importchunk WHERE source_id = %s AND number = %s"


def write(*, import_id: UUID, parts: Iterable[bytes]) -> int:
    """Store a stream in place of what was stored before; returns its bytes. Must run in a transaction."""
    remove(import_id=import_id)
    size = number = 0
    waiting = bytearray()
    for part in parts:
        waiting += part
        while len(waiting) >= SIZE:
            execute(_WRITE, [import_id, number, bytes(waiting[:SIZE])])
            del waiting[:SIZE]
            number, size = number + 1, size + SIZE
    if waiting:
        execute(_WRITE, [import_id, number, bytes(waiting)])
    return size + len(waiting)


def read(*, import_id: UUID, position: int = 0) -> Iterator[bytes]:
    """The stored bytes from ``position`` on, one part after the other; one query each."""
    number, skip = divmod(position, SIZE)
    while rows := fetch_rows(_READ, [import_id, number]):
        data = bytes(rows[0][0])
        yield data[skip:] if skip else data
        number, skip = number + 1, 0


def remove(*, import_id: UUID) -> None:
    """Delete what is stored."""
    ImportChunk.objects.filter(source_id=import_id).delete()
