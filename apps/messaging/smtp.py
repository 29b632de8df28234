"""Many mails over one SMTP connection, each with one round trip instead of four.

The body of a mail goes out together with the next one's envelope (RFC 2920, command pipelining), but only after
``begin`` said that it may: so at any moment at most one mail is neither known to be accepted nor known to be here.
"""

import re
import smtplib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from email.utils import parseaddr
from functools import lru_cache
from typing import Any

from django.core.mail import get_connection
from django.utils.encoding import punycode

from apps.messaging.mime import encode, stuffed
from apps.messaging.models import OutgoingEmail
from apps.messaging.outcomes import SENT, Fault, Outcome, of_building, refused
from apps.messaging.parcels import Parcel

Begin = Callable[[int], bool]
OK, GO_AHEAD, BYE = 250, 354, 421
_PLAIN = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}")
_RESET = b"RSET\r\n"
_END = b".\r\n"


class Mail:
    """A mail as it goes over the line, with its place in the batch."""

    def __init__(self, position: int, parcel: Parcel, commands: tuple[bytes, bytes, bytes]) -> None:
        self.position, self.commands = position, commands
        self._parcel = parcel
        self._data: bytes | None = None
        self.objection: Exception | None = None
        """Why it cannot be a mail, once it was tried."""

    @property
    def data(self) -> bytes:
        """Its bytes; none if it cannot be a mail."""
        if self._data is None:
            try:
                self._data = stuffed(encode(self._parcel))
            except Exception as error:
                self.objection, self._data = error, b""
        return self._data


class SmtpLine:
    """A connection to an SMTP server, opened when it is first needed."""

    def __init__(self, backend: str, options: Mapping[str, Any]) -> None:
        self._backend, self._options = backend, options
        self._owner: Any = None
        self._smtp: Any = None
        self._needs_reset = self._is_closing = False
        self._is_ahead = False  # whether the next mail's envelope is out already

    def deliver(self, parcels: Sequence[Parcel], begin: Begin) -> Iterator[tuple[int, Outcome]]:
        """Send the mails in order; yields each one's position and outcome as soon as it is known.

        ``begin(position)`` is asked before a mail's first byte leaves; False ends the work at once. A server that
        cannot be reached or hangs up ends it, too. What has not been yielded has not left.
        """
        queue: deque[Mail] = deque()
        try:
            self._open()
        except Exception as error:  # nothing has left yet, whatever went wrong
            yield 0, Outcome(OutgoingEmail.Status.QUEUED, f"no connection: {error}", Fault.RELAY)
            return
        for position, parcel in enumerate(parcels):
            try:
                queue.append(Mail(position, parcel, self._commands(parcel)))
            except Exception as error:  # it cannot be a mail; the others can
                yield position, of_building(error)
        yield from self._over_the_line(queue, begin)

    def close(self) -> None:
        """Say goodbye; a server that is gone is no matter."""
        owner, self._owner, self._smtp = self._owner, None, None
        if owner is not None:
            with suppress(Exception):  # Nobody waits for anything on it.
                owner.close()

    def _open(self) -> None:
        if self._smtp is not None:
            return
        owner: Any = get_connection(self._backend, **self._options)
        owner.open()
        self._owner, self._smtp = owner, owner.connection
        self._smtp.ehlo_or_helo_if_needed()
        self._needs_reset = False

    def _over_the_line(self, queue: deque[Mail], begin: Begin) -> Iterator[tuple[int, Outcome]]:
        try:
            while queue and self._smtp is not None:
                mail = queue.popleft()
                outcome = self._pass_on(mail, queue, begin)
                if outcome is None:
                    return
                yield mail.position, outcome
                if self._is_closing:
                    return
        finally:
            if self._is_ahead or self._is_closing:
                self._drop()

    def _pass_on(self, mail: Mail, queue: deque[Mail], begin: Begin) -> Outcome | None:
        """Send one mail, and the next one's envelope with it; None if it must not leave any more."""
        data, has_begun = mail.data, False
        if mail.objection is not None:
            if self._is_ahead:
                self._drop()  # The server waits for it already; there is no other way to take that back.
            return of_building(mail.objection)
        try:
            outcome = self._envelope(mail)
            if outcome is not None:
                return outcome
            if not begin(mail.position):
                self._drop()
                return None
            has_begun = True
            self._is_ahead = bool(queue) and self._pipelines
            self._smtp.sock.sendall(data + (b"".join(queue[0].commands) if self._is_ahead else b""))
            if queue:
                _ = queue[0].data  # made while the server is busy with this one
            return self._result(self._smtp.getreply())
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            status = OutgoingEmail.Status.UNKNOWN if has_begun else OutgoingEmail.Status.QUEUED
            return Outcome(status, f"line lost: {error}", Fault.RELAY)
        except BaseException:
            self._drop()  # The server may be waiting for a mail: a goodbye would become its text.
            raise

    def _drop(self) -> None:
        """Hang up at once: whatever the server is told now could be taken for the rest of a mail."""
        if self._smtp is not None:
            self._smtp.close()
        self._owner = self._smtp = None
        self._is_ahead = self._is_closing = False

    @property
    def _pipelines(self) -> bool:
        return bool(self._smtp.has_extn("pipelining"))

    def _commands(self, parcel: Parcel) -> tuple[bytes, bytes, bytes]:
        row = parcel.row
        extra = " BODY=8BITMIME" if self._smtp.has_extn("8bitmime") else ""
        mail = f"MAIL FROM:{_return_path(row.from_header)}{extra}\r\n"
        rcpt = f"RCPT TO:{_forward_path(row.to_email)}\r\n"
        if "\r" in mail[:-2] + rcpt[:-2] or "\n" in mail[:-2] + rcpt[:-2]:
            raise ValueError("A line break in an address.")
        return mail.encode("ascii"), rcpt.encode("ascii"), b"DATA\r\n"

    def _envelope(self, mail: Mail) -> Outcome | None:
        """Say who it is from and for; None if the server now waits for the mail itself."""
        is_ahead, self._is_ahead = self._is_ahead, False
        if self._needs_reset:
            self._say(_RESET)
            self._needs_reset = False
        if not self._pipelines:
            return self._one_by_one(mail)
        if not is_ahead:
            self._smtp.sock.sendall(b"".join(mail.commands))
        sender, recipient, data = (self._smtp.getreply() for _command in mail.commands)
        objection = self._objection(sender, recipient, data)
        if objection is not None and data[0] == GO_AHEAD:
            self._say(_END)  # Nobody is to get it: this ends the transaction.
        elif objection is not None:
            self._needs_reset = True
        return objection

    def _one_by_one(self, mail: Mail) -> Outcome | None:
        replies = [(OK, b""), (OK, b""), (GO_AHEAD, b"")]
        for number, command in enumerate(mail.commands):
            replies[number] = self._say(command)
            objection = self._objection(*replies)
            if objection is not None:
                self._needs_reset = True
                return objection
        return None

    def _say(self, command: bytes) -> tuple[int, bytes]:
        self._smtp.sock.sendall(command)
        reply: tuple[int, bytes] = self._smtp.getreply()
        return reply

    def _objection(self, sender: Any, recipient: Any, data: Any) -> Outcome | None:
        self._is_closing = self._is_closing or BYE in (sender[0], recipient[0], data[0])
        if sender[0] != OK:
            return _refusal(sender, "mail")
        if recipient[0] not in (OK, 251):
            return _refusal(recipient, "rcpt")
        return None if data[0] == GO_AHEAD else _refusal(data, "data")

    def _result(self, reply: tuple[int, bytes]) -> Outcome:
        code, _text = reply
        self._is_closing = self._is_closing or code == BYE
        if 200 <= code < 300:
            return SENT
        if code < 400:
            raise smtplib.SMTPException(f"the server answered {code} to a mail")
        return _refusal(reply, "data")


def _refusal(reply: tuple[int, bytes], at: str) -> Outcome:
    code, text = reply
    if not 400 <= code < 600:
        raise smtplib.SMTPException(f"the server answered {code} to {at.upper()}")
    return refused(code, text.decode(errors="replace"), at=at)


def _forward_path(email: str) -> str:
    if _PLAIN.fullmatch(email):
        return f"<{email}>"
    local, _, domain = email.rpartition("@")
    return smtplib.quoteaddr(f"{local}@{punycode(domain)}")


@lru_cache(maxsize=1024)
def _return_path(from_header: str) -> str:
    return smtplib.quoteaddr(parseaddr(from_header)[1])
