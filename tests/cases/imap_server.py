"""A small IMAP server at a port of this machine: real lines, as much of RFC 3501 as is used."""

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

USER, PASSWORD = "answers@in.resonanz.test", 'geheim, "sehr"'


@dataclass
class Stored:
    """One message of the folder."""

    data: bytes
    day: datetime = datetime(2026, 11, 23, tzinfo=UTC)
    is_read: bool = False


@dataclass
class Folder:
    """What the server holds, what it was asked, and where it breaks."""

    port: int = 0
    validity: int = 1
    messages: dict[int, Stored] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    breaks_at: str = ""
    """A command that it drops the line at."""
    sent: int = 0
    """Bytes of messages that left."""

    def add(self, data: bytes, **fields: Any) -> int:
        number = max(self.messages, default=100) + 1
        self.messages[number] = Stored(data, **fields)
        return number

    @property
    def read(self) -> list[int]:
        return [number for number, one in self.messages.items() if one.is_read]


class _Handler(socketserver.StreamRequestHandler):
    folder: Folder

    def handle(self) -> None:
        self.say("* OK ready")
        while line := self.rfile.readline().decode().strip():
            tag, _, rest = line.partition(" ")
            command = " ".join(rest.split()[: 2 if rest.upper().startswith("UID") else 1]).upper()
            self.folder.commands.append(command)
            if self.folder.breaks_at and command == self.folder.breaks_at:
                return
            answer = getattr(self, "do_" + command.lower().replace(" ", "_"), None)
            self.say(f"{tag} {answer(rest) if answer else 'BAD what'} .")
            if command == "LOGOUT":
                return

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def do_capability(self, _rest: str) -> str:
        self.say("* CAPABILITY IMAP4rev1")
        return "OK"

    def do_login(self, rest: str) -> str:
        wanted = f'"{USER}" "{PASSWORD.replace(chr(34), chr(92) + chr(34))}"'
        return "OK" if rest.partition(" ")[2] == wanted else "NO [AUTHENTICATIONFAILED] wrong password"

    def do_select(self, rest: str) -> str:
        if '"INBOX"' not in rest:
            return "NO no such folder"
        following = max(self.folder.messages, default=100) + 1
        self.say(f"* {len(self.folder.messages)} EXISTS")
        self.say(f"* OK [UIDVALIDITY {self.folder.validity}]")
        self.say(f"* OK [UIDNEXT {following}]")
        return "OK [READ-WRITE]"

    def do_uid_search(self, rest: str) -> str:
        numbers = sorted(self.folder.messages)
        if found := re.search(r"UID (\d+):\*", rest[4:]):
            chosen = [number for number in numbers if number >= int(found[1])] or numbers[-1:]
        else:
            since = datetime.strptime(rest.rsplit(maxsplit=1)[-1], "%d-%b-%Y").replace(tzinfo=UTC)
            chosen = [number for number in numbers if self.folder.messages[number].day >= since]
        self.say(" ".join(["* SEARCH", *map(str, chosen)]))
        return "OK"

    def do_uid_fetch(self, rest: str) -> str:
        number = int(rest.split()[2])
        stored = self.folder.messages.get(number)
        if stored is None:
            return "OK"
        found = re.search(r"BODY\.PEEK\[(HEADER|)\]<0\.(\d+)>", rest)
        assert found
        head = stored.data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        data = (head if found[1] else stored.data)[: int(found[2])]
        size = f"RFC822.SIZE {len(stored.data)} " if "RFC822.SIZE" in rest else ""
        self.say(f"* 1 FETCH (UID {number} {size}BODY[{found[1]}]<0> {{{len(data)}}}")
        self.wfile.write(data)
        self.folder.sent += len(data)
        self.say(")")
        return "OK"

    def do_uid_store(self, rest: str) -> str:
        for number in rest.split()[2].split(","):
            self.folder.messages[int(number)].is_read = True
        return "OK"

    def do_logout(self, _rest: str) -> str:
        self.say("* BYE")
        return "OK"


@contextmanager
def serving() -> Iterator[Folder]:
    """A server while the block lasts."""
    folder = Folder()
    handler = type("Handler", (_Handler,), {"folder": folder})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        folder.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield folder
        finally:
            server.shutdown()
            thread.join()
