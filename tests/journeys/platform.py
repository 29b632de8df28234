"""The whole platform as an operator runs it: real processes, stopped by process id."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any, TypeVar

import psutil
import psycopg
from aiosmtpd.controller import Controller

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, check: Callable[[], T], seconds: float = 60) -> T:
    """The first true value of ``check``; fails loudly after the time given."""
    stop_at = time.monotonic() + seconds
    while time.monotonic() < stop_at:
        found = check()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s: {what}")


class Sink:
    """An SMTP server on loopback that keeps what it is given."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self._controller.start()
        self.url = f"smtp://127.0.0.1:{self._controller.port}"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        """All mails to an address, oldest first."""
        return [mail for mail in self.mails if address in str(mail["To"])]

    def stop(self) -> None:
        self._controller.stop()


@dataclass
class Answer:
    """What an HTTP request came back with."""

    status: int
    body: bytes
    headers: Message = field(default_factory=Message)

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Home:
    """Where a platform lives: made from nothing at its first start, and found again at the next."""

    data: Path
    port: int

    def told(self) -> dict[str, Any]:
        """What demo.json says; nothing before the first start."""
        path = self.data / "demo.json"
        return dict(json.loads(path.read_text())) if path.exists() else {}


class Platform:
    """``python -m config.demo`` in a newcomer's shell, where nothing is set but what is given."""

    def __init__(self, home: Home, log: Path, **settings: str) -> None:
        self.port, self._data, self._log_file = home.port, home.data, log
        keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._log = log.open("wb")
        # A tenth of the demo's people: all that it has is still there, and it is made in a few seconds.
        command = [sys.executable, "-m", "config.demo", "--port", str(home.port), "--data", str(home.data)]
        command += ["--scale", "0.1"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env={**keep, **settings}, stdout=self._log, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        try:
            wait_for("the web server", self._is_up, 240)
            self.demo = home.told()
            self.database = self._database_url()
        except BaseException:
            self.stop()
            raise

    def log(self) -> str:
        """What the processes said."""
        return self._log_file.read_text(errors="replace")

    def _is_up(self) -> bool:
        assert self._process.poll() is None, self.log()
        try:
            return self.request("GET", "localhost", "/healthz").status == 200
        except OSError:
            return False

    def _database_url(self) -> str:
        """The embedded server's socket, as it says itself."""
        socket_folder = (self._data / "postgres" / "postmaster.pid").read_text().splitlines()[4]
        return f"postgresql://postgres@/resonanz?host={socket_folder}"

    def tenant(self, slug: str) -> dict[str, Any]:
        """The tenant's entry in demo.json."""
        return next(t for t in self.demo["tenants"] if t["slug"] == slug)

    def request(
        self, method: str, host: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One HTTP request to loopback with the Host header set; redirects are not followed."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method)
        request.add_header("Host", f"{host}:{self.port}")
        for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
            request.add_header(name, value)
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            with opener.open(request, timeout=20) as answer:
                return Answer(answer.status, answer.read(), answer.headers)
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read(), error.headers)

    def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """Rows straight from the database."""
        with psycopg.connect(self.database) as connection:
            return connection.execute(sql, params).fetchall()  # type: ignore[arg-type]

    def manage(self, *arguments: str) -> str:
        """Run a management command on the running demo; returns what it prints."""
        keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment = {**keep, "ENV_FILE": str(self._data / "demo.env")}
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def census(self, schema: str) -> dict[str, int]:
        """Number of rows of every table of a schema but those that signing in fills."""
        with psycopg.connect(self.database) as connection:
            names = connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = %s", [schema]
            ).fetchall()
            ignored = ("django_session", "django_admin_log", "axes_", "common_agendaitem", "django_celery_beat")
            return {
                name: connection.execute(f'SELECT count(*) FROM "{schema}"."{name}"').fetchall()[0][0]  # type: ignore[arg-type]
                for (name,) in names
                if not name.startswith(ignored)
            }

    def processes(self) -> list[psutil.Process]:
        """Everything below the demo, and PostgreSQL, which stands on its own."""
        roots = [psutil.Process(self._process.pid)]
        with suppress(FileNotFoundError, psutil.NoSuchProcess):
            roots.append(psutil.Process(int((self._data / "postgres/postmaster.pid").read_text().split()[0])))
        return [*roots, *(child for root in roots for child in root.children(recursive=True))]

    def stop(self, number: int = signal.SIGINT) -> int | None:
        """Signal all, as a terminal does with Ctrl-C; returns the exit code. Fails if anything would not stop."""
        if self._process.poll() is None:
            family = self.processes()
            os.killpg(self._process.pid, number)
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
            _gone, alive = psutil.wait_procs(family, timeout=5)
            for process in alive:
                process.kill()
            assert not alive, f"still running: {alive}"
        self._log.close()
        return self._process.poll()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None
