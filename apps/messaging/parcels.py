"""A message on its way out: what sending needs of it, read in one go."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from apps.common.bulk import fetch_rows
from apps.messaging import frames
from apps.messaging.frames import Frame
from apps.messaging.links import unsubscribe_headers
from apps.messaging.models import OutgoingEmail

_COLUMNS = (
    "id", "contact_id", "channel", "needs_legal_basis", "to_email", "to_name", "domain", "from_header", "reply_to",
    "relay", "stream", "subject", "frame_id", '"values"::text', "headers::text", "message_id", "attempts",
)  # fmt: skip
SELECT = f"SELECT {', '.join(_COLUMNS)} FROM messaging_outgoingemail"  # noqa: S608
"""The beginning of a statement that :func:`fetch` can read."""
# What takes one byte a character, in HTML, too; anything else takes six at most.
_PLAIN = re.compile(r"[^\x80-\U0010ffff&<>\"']*").fullmatch
GONE = "This text was deleted after the time set in the mail policy."


class Row(NamedTuple):
    """Columns of the outbox as they are read."""

    id: UUID
    contact_id: UUID | None
    channel: str
    needs_legal_basis: bool
    to_email: str
    to_name: str
    domain: str
    from_header: str
    reply_to: str
    relay: str
    stream: str
    subject: str
    frame_id: int | None
    values: str
    headers: str
    message_id: str
    attempts: int


class Parcel:
    """One message with its frame; its words are put together when they are asked for."""

    def __init__(self, row: Row, frame: Frame | None) -> None:
        self.row = row
        self._frame = frame

    @cached_property
    def values(self) -> dict[str, str]:
        """What goes into the frame's places."""
        own = {
            name: value if isinstance(value, str) else str(value) for name, value in json.loads(self.row.values).items()
        }
        return {"subject": self.row.subject, **own}

    @property
    def headers(self) -> dict[str, str]:
        """Headers of its own, and the way out (RFC 2369, RFC 8058) where it has one."""
        leave = self.values.get("unsubscribe_url", "")
        own: Mapping[str, str] = json.loads(self.row.headers)
        return {**(unsubscribe_headers(leave) if leave else {}), **own}

    @property
    def frame(self) -> Frame | None:
        """What it shares with others; None once it is deleted."""
        return self._frame

    @cached_property
    def longest_line(self) -> int:
        """No line of either part is longer, in bytes. A bound, quickly had: lines may be far shorter."""
        longest = max((len(value) if _PLAIN(value) else 6 * len(value) for value in self.values.values()), default=0)
        patterns = [one for one in (self._frame or ()) if one is not None]
        return max((pattern.longest_line(longest) for pattern in patterns), default=len(GONE))

    def text_bytes(self) -> bytes:
        """The text part, CRLF line ends, UTF-8."""
        return self._frame.text.fill(self.values) if self._frame else GONE.encode()

    def html_bytes(self) -> bytes:
        """The HTML part likewise; empty if it is text only."""
        return self._frame.html.fill(self.values) if self._frame and self._frame.html else b""

    @property
    def text(self) -> str:
        """The text part with plain line ends."""
        return self.text_bytes().decode().replace("\r\n", "\n")

    @property
    def html(self) -> str:
        """The HTML part with plain line ends."""
        return self.html_bytes().decode().replace("\r\n", "\n")


def read(ids: Collection[UUID]) -> list[Parcel]:
    """The messages in the order of their turn, with their frames. At most three queries."""
    return fetch(f"{SELECT} WHERE id = ANY(%s) ORDER BY due_at, id", [list(ids)])


def fetch(statement: str, params: Sequence[Any]) -> list[Parcel]:
    """The messages that a statement of ours finds, with their frames. At most three queries."""
    rows = [Row(*values) for values in fetch_rows(statement, params)]
    if not rows:
        return []
    ready = frames.ready({row.frame_id for row in rows if row.frame_id is not None})
    return [Parcel(row, ready.get(row.frame_id) if row.frame_id is not None else None) for row in rows]


def as_sent(email: OutgoingEmail) -> Parcel | None:
    """A message as it was (or will be) sent; None once its words are deleted."""
    found: list[Any] = read([email.pk]) if email.frame_id is not None else []
    return found[0] if found else None
