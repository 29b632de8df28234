"""The misbehaving SMTP server as tests hold it: started, told how to behave, killed, and read afterwards."""

import json
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.journeys.platform import free_port, wait_for

PROGRAM = Path(__file__).with_name("sink.py")


class MailServer:
    """``sink.py`` in a process of its own, always on the same port."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._behaviour: dict[str, Any] = {}
        self.port = free_port()
        self.url = f"smtp://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        """Listen; what was taken before is kept."""
        command = [sys.executable, "-S", str(PROGRAM), str(self.port), str(self._folder)]
        self._process = subprocess.Popen(command, start_new_session=True)
        wait_for("the mail server", self._answers, 15)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """End it at once: connections are refused."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def behave(self, **values: Any) -> None:
        """From the next mail or connection on, see :class:`tests.processes.sink.Control`."""
        self._behaviour |= values
        draft = self._folder / "control.draft"
        draft.write_text(json.dumps(self._behaviour))
        draft.replace(self._folder / "control.json")

    def _lines(self, name: str) -> list[dict[str, Any]]:
        file = self._folder / f"{name}.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    @property
    def mails(self) -> list[dict[str, Any]]:
        """What it took, oldest first."""
        return self._lines("mails")

    @property
    def violations(self) -> list[str]:
        """What clients did against the protocol."""
        return [line["what"] for line in self._lines("violations")]

    @property
    def recipients(self) -> list[str]:
        """Whose mails it took."""
        return [mail["to"] for mail in self.mails]

    @property
    def doubled(self) -> list[str]:
        """Message ids that came more than once."""
        counts = Counter(mail["message_id"] for mail in self.mails)
        return [message_id for message_id, count in counts.items() if count > 1]


@contextmanager
def mail_server(folder: Path) -> Iterator[MailServer]:
    """A server that is gone afterwards."""
    server = MailServer(folder)
    try:
        yield server
    finally:
        server.stop()
