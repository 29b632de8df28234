"""An SMTP server that misbehaves on request: ``python sink.py PORT FOLDER``. Plain asyncio, a process of its own.

What it took is appended to FOLDER/mails.jsonl before it answers, so that counting survives whoever is killed; what a
client did against the protocol goes to FOLDER/violations.jsonl. FOLDER/control.json says how to behave and is read
again for each connection and mail. What happens to one recipient stands before the first “-” of the address, see
``Control`` and ``Conversation``.
"""

import asyncio
import json
import os
import re
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, fields
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

LONGEST_LINE = 1000  # with its end, RFC 5321, 4.5.3.1.6
LAST_IN_GROUP = {b"EHLO", b"HELO", b"DATA", b"QUIT", b"NOOP"}  # RFC 2920, 3.1
AT_RCPT = {
    "later": b"451 4.7.1 come back later",
    "full": b"452 4.2.2 mailbox full",
    "never": b"550 5.1.1 no such user",
    "bye": b"421 4.3.2 shutting down",
}
AT_DATA = {"data4": b"451 4.3.0 not now", "data5": b"554 5.7.1 not wanted"}
ONLY_AT_FIRST = {"later", "full", "bye", "data4"}


@dataclass
class Control:
    """How to behave."""

    pipelining: bool = True
    delay: float = 0.0
    """Seconds before each mail's last answer."""
    slow: float = 1.0
    """The same for those to slow-…"""
    refusals: int = 1
    """How often a temporary no is said to one recipient before it is taken."""
    hang: bool = False
    """Accept connections and say nothing."""
    slam: bool = False
    """Accept connections and drop them."""


class Server:
    """Files and counts that all conversations share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._refused: dict[str, int] = {}
        self.conversations = 0

    @property
    def control(self) -> Control:
        """As the file says at the moment."""
        try:
            given = json.loads((self._folder / "control.json").read_text())
        except FileNotFoundError:
            given = {}
        return Control(**{one.name: given[one.name] for one in fields(Control) if one.name in given})

    def refuses(self, recipient: str, kinds: dict[str, bytes]) -> bytes | None:
        """What this recipient is answered instead of yes, if anything."""
        kind = recipient.partition("-")[0]
        if kind not in kinds:
            return None
        if kind in ONLY_AT_FIRST:
            self._refused[recipient] = self._refused.get(recipient, 0) + 1
            if self._refused[recipient] > self.control.refusals:
                return None
        return kinds[kind]

    def append(self, name: str, **values: Any) -> None:
        """One line of a file, in one write."""
        line = json.dumps({**values, "at": time.time()}).encode() + b"\n"
        handle = os.open(self._folder / f"{name}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)


class Conversation:
    """One connection."""

    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        server.conversations += 1
        self._number = server.conversations
        self._control = server.control
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._is_8bit = False

    async def run(self) -> None:
        """Until one of both hangs up."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            if self._control.hang:
                await asyncio.sleep(3600)
            if self._control.slam:
                self._drop()
            else:
                self._say(b"220 sink.test ESMTP")
                while await self._step():
                    pass
        self._writer.close()

    async def _step(self) -> bool:
        line = await self._line()
        verb = line.split(b" ", 1)[0].strip().upper()
        if verb in LAST_IN_GROUP or not self._control.pipelining:
            await self._expect_silence(line)
        if verb == b"EHLO":
            self._say(b"250-sink.test")
            if self._control.pipelining:
                self._say(b"250-PIPELINING")
            self._say(b"250 8BITMIME")
        elif verb == b"MAIL":
            self._mail(line)
        elif verb == b"RCPT":
            return self._rcpt(line)
        elif verb == b"DATA":
            return await self._data()
        elif verb in (b"RSET", b"NOOP", b"HELO"):
            self._forget() if verb == b"RSET" else None
            self._say(b"250 fine")
        else:
            self._say(b"221 bye" if verb == b"QUIT" else b"500 what?")
            return verb != b"QUIT"
        return True

    def _mail(self, line: bytes) -> None:
        found = re.fullmatch(rb"MAIL FROM:<([^>]*)>( BODY=8BITMIME)?\r\n", line, re.IGNORECASE)
        if self._sender is not None:
            self._violation("nested MAIL")
            return self._say(b"503 5.5.1 nested MAIL")
        if found is None:
            self._violation(f"odd MAIL: {line!r}")
            return self._say(b"501 5.5.4 syntax")
        self._sender, self._is_8bit = found[1].decode(), bool(found[2])
        return self._say(b"250 sender ok")

    def _rcpt(self, line: bytes) -> bool:
        found = re.fullmatch(rb"RCPT TO:<([^>]+)>\r\n", line, re.IGNORECASE)
        if self._sender is None or found is None:
            self._violation(f"odd RCPT: {line!r}")
            self._say(b"503 5.5.1 bad sequence")
            return True
        recipient = found[1].decode()
        answer = self._server.refuses(recipient, AT_RCPT)
        if answer is None:
            self._recipients.append(recipient)
        self._say(answer or b"250 recipient ok")
        return answer is None or not answer.startswith(b"421")

    async def _data(self) -> bool:
        if not self._recipients:
            self._say(b"554 5.5.1 no valid recipients")
            return True
        self._say(b"354 go ahead")
        kind = self._recipients[0].partition("-")[0]
        body = await self._body(cut_at=5 if kind == "cutin" else None)
        if body is None:
            return self._drop()
        await asyncio.sleep(self._control.slow if kind == "slow" else self._server.control.delay)
        answer = self._server.refuses(self._recipients[0], AT_DATA)
        if answer is None:
            mail = message_from_bytes(body, policy=policy.compat32)
            for recipient in self._recipients:
                self._server.append(
                    "mails", to=recipient, message_id=mail["Message-ID"], subject=mail["Subject"],
                    cut=kind == "cut", connection=self._number,
                )  # fmt: skip
        if kind == "cut":
            return self._drop()
        self._forget()
        self._say(answer or b"250 2.0.0 queued")
        return True

    async def _body(self, cut_at: int | None) -> bytes | None:
        """The mail without its stuffing; None when it is time to hang up."""
        lines: list[bytes] = []
        while (line := await self._line()) != b".\r\n":
            if line.startswith(b".") and not line.startswith(b".."):
                self._violation(f"a dot that is not doubled: {line[:60]!r}")
            if not line.isascii() and not self._is_8bit:
                self._violation("8-bit text without BODY=8BITMIME")
            lines.append(line[1:] if line.startswith(b".") else line)
            if cut_at is not None and len(lines) >= cut_at:
                return None
        return b"".join(lines)

    async def _line(self) -> bytes:
        line = await self._reader.readuntil(b"\n")
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            self._violation(f"a line end that is not CRLF: {line[-60:]!r}")
        if len(line) > LONGEST_LINE:
            self._violation(f"a line of {len(line)} bytes")
        return line

    async def _expect_silence(self, line: bytes) -> None:
        """Nothing may follow before the answer; what is on its way shows within a moment."""
        if not self._control.pipelining:
            await asyncio.sleep(0.002)
        waiting: Any = self._reader
        if waiting._buffer:
            self._violation(f"not waited for the answer to {line[:60]!r}")

    def _say(self, answer: bytes) -> None:
        self._writer.write(answer + b"\r\n")

    def _forget(self) -> None:
        self._sender, self._recipients, self._is_8bit = None, [], False

    def _drop(self) -> bool:
        self._writer.transport.abort()
        return False

    def _violation(self, what: str) -> None:
        self._server.append("violations", what=what, connection=self._number)


async def main(port: int, folder: Path) -> None:
    """Serve until killed."""
    server = Server(folder)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Conversation(server, reader, writer).run()

    listening = await asyncio.start_server(talk, "127.0.0.1", port, limit=2**20)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
