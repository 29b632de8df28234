"""Reading a mailbox over IMAP without becoming a way into our own network.

Names are resolved once, private addresses refused, and the very address that was looked at is connected to (unless
``allow_private``, the setting WEBHOOK_ALLOW_PRIVATE: for platforms whose tenants are trusted with the network). The
whole session has an end, however slowly the other side drips, and a bound on what it may send.
"""

import contextlib
import imaplib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from apps.integrations.outbound_http import is_public

CONNECT_SECONDS, SESSION_SECONDS = 10.0, 45.0
HEAD_BYTES, MAIL_BYTES = 64 * 1024, 1_500_000
"""So much of a head, and of a mail, is read."""
MOST_BYTES = 64 * 1024 * 1024
"""So much is read in a session."""
PORTS = frozenset({143, 993})
"""Where a tenant's mailbox may be: we knock at no other door for them."""
_SIZE = re.compile(rb"RFC822\.SIZE (\d{1,12})")
_CHUNK = re.compile(r"[\x20-\x7e]+")


class MailboxError(Exception):
    """The mailbox cannot be read; says why, in words for whoever set it up."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where a mailbox is, and how to sign in. ``security`` is "ssl", "tls", or "" for none."""

    host: str
    port: int
    security: str
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """A folder's numbering, and how many messages it holds."""

    uid_validity: int
    uid_next: int
    count: int


class Session:
    """A connection that is signed in. All that goes wrong is a :class:`MailboxError`."""

    def __init__(self, account: Account, *, seconds: float = SESSION_SECONDS) -> None:
        self._account = account
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True
        self._imap: Any = None
        self._line: socket.socket | None = None
        self._expired = False

    def __enter__(self) -> Self:
        self._timer.start()
        try:
            self._ask(self._sign_in)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._close()

    def open(self) -> Opened:
        """Open the folder, to be written to."""
        count = self._ask(lambda: self._imap.select(_quoted(self._account.folder)))
        validity, following = (self._number(name) for name in ("UIDVALIDITY", "UIDNEXT"))
        if validity is None:
            raise MailboxError("The mail server does not number its mails (UIDVALIDITY).")
        return Opened(validity, following or 1, int(count[0] or 0) if count and (count[0] or b"").isdigit() else 0)

    def numbers(self, *, after: int, limit: int) -> list[int]:
        """The next messages' numbers, in their order."""
        found = self._found(f"UID {after + 1}:*")
        # “4:*” also finds number 3 where that is the last.
        return sorted(number for number in found if number > after)[:limit]

    def numbers_since(self, day: datetime) -> list[int]:
        """The numbers of messages that came in since that day."""
        months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
        return sorted(self._found(f"SINCE {day.day:02d}-{months[day.month - 1]}-{day.year}"))

    def head(self, number: int) -> bytes | None:
        """A message's head; None if it is gone."""
        return self._fetch(number, f"BODY.PEEK[HEADER]<0.{HEAD_BYTES}>")[0]

    def mail(self, number: int) -> tuple[bytes | None, bool]:
        """The beginning of a message, and whether it goes on; None if it is gone. It stays unread."""
        data, size = self._fetch(number, f"RFC822.SIZE BODY.PEEK[]<0.{MAIL_BYTES}>")
        return data, data is not None and size > len(data)

    def mark_read(self, numbers: Sequence[int]) -> None:
        """Mark messages as read."""
        chosen = ",".join(str(number) for number in numbers)
        self._ask(lambda: self._imap.uid("STORE", chosen, "+FLAGS.SILENT", r"(\Seen)"))

    # --- the line ---------------------------------------------------------------------------------

    def _sign_in(self) -> Any:
        account = self._account
        if not _CHUNK.fullmatch(account.user) or not _CHUNK.fullmatch(account.folder):
            raise MailboxError("User name and folder must be letters, digits and signs without accents.")
        context = ssl.create_default_context()
        kind = _Encrypted if account.security == "ssl" else _Bounded
        self._imap = kind(account, context, self._watch)
        if account.security == "tls":
            self._imap.starttls(context)
        if "AUTH=PLAIN" in self._imap.capabilities:
            said = f"\0{account.user}\0{account.password}".encode()
            return self._imap.authenticate("PLAIN", lambda _challenge: said)
        return self._imap.login(_quoted(account.user), account.password)

    def _number(self, name: str) -> int | None:
        found = self._imap.response(name)[1]
        value = found[0] if found else None
        return int(value) if isinstance(value, bytes) and value.isdigit() else None

    def _found(self, criteria: str) -> list[int]:
        data = self._ask(lambda: self._imap.uid("SEARCH", criteria))
        words = b" ".join(line for line in data if isinstance(line, bytes)).split()
        return [int(word) for word in words if word.isdigit()]

    def _fetch(self, number: int, what: str) -> tuple[bytes | None, int]:
        data = self._ask(lambda: self._imap.uid("FETCH", str(number), f"({what})"))
        parts = [one for one in data if isinstance(one, tuple) and len(one) == 2]
        if not parts:
            return None, 0
        size = next((found for line in parts + [one for one in data if isinstance(one, bytes)]
                     if (found := _SIZE.search(line[0] if isinstance(line, tuple) else line))), None)  # fmt: skip
        return bytes(parts[0][1]), int(size[1]) if size else 0

    def _ask(self, question: Any) -> list[Any]:
        try:
            status, data = question()
        except MailboxError:
            raise
        except UnicodeError as error:
            raise MailboxError("The mail server takes no password with accents.") from error
        except (OSError, imaplib.IMAP4.error, ValueError) as error:
            raise MailboxError(self._explain(error)) from error
        if status != "OK":
            raise MailboxError(
                _cut(b" ".join(one for one in data if isinstance(one, bytes)).decode("utf-8", "replace"))
            )
        return list(data)

    def _explain(self, error: Exception) -> str:
        if self._expired or isinstance(error, TimeoutError):
            return "No answer in time."
        if isinstance(error, socket.gaierror):
            return "There is no such host."
        return _cut(f"{type(error).__name__}: {error}")

    def _expire(self) -> None:
        self._expired = True
        self._shut()

    def _watch(self, line: socket.socket) -> None:
        """A duplicate, because TLS replaces the socket object that it wraps."""
        if self._expired:
            raise TimeoutError
        self._line = socket.socket(fileno=socket.dup(line.fileno()))

    def _shut(self) -> None:
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def _close(self) -> None:
        with contextlib.suppress(OSError, imaplib.IMAP4.error, MailboxError):
            if self._imap is not None:
                self._imap.logout()
        self._timer.cancel()
        if self._line is not None:
            self._line.close()


class _Bounded(imaplib.IMAP4):
    """Reads so much and no more: what it reads it keeps in memory."""

    def __init__(self, account: Account, context: ssl.SSLContext, watch: Callable[[socket.socket], None]) -> None:
        self._account, self._context, self._watch = account, context, watch
        self._received = 0
        super().__init__(account.host, account.port, CONNECT_SECONDS)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        line = _connect(self._account)
        self._watch(line)
        return line

    def read(self, size: int) -> bytes:
        self._count(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._count(len(line))
        return line

    def _count(self, size: int) -> None:
        self._received += size
        if self._received > MOST_BYTES:
            raise MailboxError("The mail server sends more than was asked for.")


class _Encrypted(_Bounded):
    """The same, encrypted from the start."""

    def _create_socket(self, timeout: float | None) -> socket.socket:
        line = super()._create_socket(timeout)
        return self._context.wrap_socket(line, server_hostname=self._account.host)


def _connect(account: Account) -> socket.socket:
    """A connection to an address that was looked at."""
    if not account.allow_private and account.port not in PORTS:
        raise MailboxError("Mailboxes are read at port 993 or 143 only.")
    found = socket.getaddrinfo(account.host, account.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
    # All of them: a name that also has a private address is not one to trust.
    if not account.allow_private and not all(is_public(address) for address in addresses):
        raise MailboxError("The address is not on the public internet.")
    error: OSError = OSError("There is no such host.")
    for address in addresses[:4]:
        try:
            return socket.create_connection((address, account.port), CONNECT_SECONDS)
        except OSError as failed:
            error = failed
    raise error


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _cut(text: str) -> str:
    """What the other side said, as one line that can be stored and shown."""
    return "".join(char if char.isprintable() else " " for char in text)[:300].strip() or "The mail server refused."
