"""Postfix's smtp-sink: a server that takes mails as fast as they come."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "nobody"


@contextmanager
def smtp_sink(dump: Path | None = None) -> Iterator[int]:
    """A sink on loopback; yields its port. With ``dump`` it keeps each mail as a file of its own in that folder."""
    program = shutil.which("smtp-sink", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise SystemExit("smtp-sink is missing; on Debian it comes with postfix.")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    options = ["-u", USER]
    if dump is not None:
        dump.chmod(0o777)
        options += ["-R", str(dump), "-d", "%M."]
    process = subprocess.Popen([program, *options, f"127.0.0.1:{port}", "1000"], start_new_session=True)
    try:
        _wait(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as probe:
                if probe.recv(3):
                    return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("smtp-sink does not answer.")
