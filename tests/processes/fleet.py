"""Redis, beats and workers as an operator runs them: processes of their own, ended by their process ids."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psutil
import redis

from tests.journeys.platform import ROOT, Sink, free_port, wait_for

Role = Literal["beat", "worker", "web"]
SECRET_KEY = "test-key-that-is-long-enough-for-signing-0123456789-abcdef"
TICK_SECONDS, SWEEP_SECONDS = 1, 5
STOP_SECONDS = 40  # A drain that has just begun takes its 20 seconds, and the last batch more.
_READY = {"worker": " ready.", "beat": "beat: Starting...", "web": "Listening at"}


class Mailbox(Sink):
    """The SMTP sink, which also notes when each mail came in."""

    def __init__(self) -> None:
        self.came_in: list[datetime] = []
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        super().__init__()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        self.came_in.append(datetime.now(UTC))
        return answer


class Redis:
    """A Redis server on loopback that can be emptied, killed, and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.start()

    def start(self) -> None:
        """Start with nothing in it."""
        command = [shutil.which("redis-server") or "redis-server", "--port", str(self._port), "--bind", "127.0.0.1"]
        self._process = subprocess.Popen(
            [*command, "--save", "", "--dir", str(self._folder)], stdout=subprocess.DEVNULL, start_new_session=True
        )
        wait_for("Redis", self._answers, 15)

    def _answers(self) -> bool:
        with suppress(redis.ConnectionError):
            return bool(redis.Redis(port=self._port).ping())
        return False

    def flush(self) -> None:
        """Forget everything, as after a restart without a file."""
        redis.Redis(port=self._port).flushall()

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


class Running:
    """One process of the Procfile in a process group of its own, with its log."""

    def __init__(self, role: Role, environment: dict[str, str], log: Path) -> None:
        self.role, self._log_file = role, log
        self._is_asked = self._is_over = False
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.serve", role],
                cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended, of whatever cause."""
        return self.process.poll() is None

    def log(self) -> str:
        """What it said."""
        return self._log_file.read_text(errors="replace")

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Until it takes tasks, or sends them."""

        def is_ready() -> bool:
            assert self.is_alive, f"{self.role} ended:\n{self.log()[-3000:]}"
            return _READY[self.role] in self.log()

        wait_for(f"{self.role} to be ready", is_ready, seconds)

    def kill(self) -> None:
        """End it and its children at once, as a power cut or the kernel short of memory does."""
        if self._is_over:
            return  # Its number may be somebody else's by now.
        self._is_over = True
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def kill_child(self) -> bool:
        """End only the process that carries the tasks out; the worker starts another. False if there is none."""
        for child in psutil.Process(self.process.pid).children():
            child.kill()
            return True
        return False

    def stop(self) -> None:
        """Ask it to stop, as a deployment does; what does not is killed, and children that were left behind."""
        self.ask_to_stop()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        self.kill()

    def ask_to_stop(self) -> None:
        """Once only: a second signal finds Celery's beat in the middle of answering the first, and it hangs."""
        if self.is_alive and not self._is_asked:
            self._is_asked = True
            self.process.send_signal(signal.SIGTERM)


class Fleet:
    """Any number of beats and workers on one database, one Redis and one mailbox."""

    def __init__(self, folder: Path, database_url: str, redis_url: str, mailbox: Mailbox) -> None:
        self._folder = folder
        self.everything: list[Running] = []
        keep = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR")}
        self.environment = {
            **keep,
            "ENV_FILE": os.devnull,  # not the one that may lie in the checkout
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": SECRET_KEY,
            "PUBLIC_HOST": "resonanz.test",
            "PUBLIC_SCHEME": "http",
            "DATABASE_URL": database_url,
            "EMAIL_URL": mailbox.url,
            "CELERY_BROKER_URL": redis_url,
            "CACHE_URL": redis_url,
            "DATA": str(folder / "data"),
            "TICK_SECONDS": str(TICK_SECONDS),
            "SWEEP_SECONDS": str(SWEEP_SECONDS),
            "WORKER_CONCURRENCY": "1",
        }

    def start(self, role: Role, *, wait: bool = True) -> Running:
        """Start one more."""
        log = self._folder / f"{role}-{len(self.everything)}.log"
        running = Running(role, self.environment, log)
        self.everything.append(running)
        if wait:
            running.wait_until_ready()
        return running

    def start_all(self, *, beats: int, workers: int) -> None:
        """Start so many, and wait until all are ready.

        Further beats follow once the first has written the schedule: while its table is empty, django-celery-beat
        lets two of them write the same entry, and the second one logs an error before it goes on.
        """
        from django_celery_beat.models import PeriodicTask

        started = [self.start("worker", wait=False) for _ in range(workers)]
        for number in range(beats):
            started.append(self.start("beat", wait=False))
            if number == 0:
                wait_for("the schedule", lambda: PeriodicTask.objects.filter(name="tick").exists(), 30)
        for running in started:
            running.wait_until_ready()

    @property
    def workers(self) -> list[Running]:
        """The workers that are alive."""
        return [running for running in self.everything if running.role == "worker" and running.is_alive]

    def complaints(self) -> list[str]:
        """Lines of the logs that tell of an error."""
        words = (" ERROR ", " CRITICAL ", "Traceback", "deadlock")
        lines = [line for running in self.everything for line in running.log().splitlines()]
        return [line for line in lines if any(word in line for word in words)]

    def tails(self, lines: int = 15) -> str:
        """The ends of all logs, for a message about what went wrong."""
        parts = []
        for number, running in enumerate(self.everything):
            said = "\n".join(running.log().splitlines()[-lines:])
            parts.append(f"--- {running.role} {number} ({'alive' if running.is_alive else 'ended'})\n{said}")
        return "\n".join(parts)

    def end(self) -> None:
        """End all that was started, without waiting for what it is at."""
        for running in self.everything:
            running.kill()


@contextmanager
def fleet_on(folder: Path, database_url: str) -> Iterator[tuple[Fleet, Redis, Mailbox]]:
    """A fleet without processes yet, with a Redis and a mailbox; nothing is left of it afterwards."""
    broker, mailbox = Redis(folder), Mailbox()
    fleet = Fleet(folder, database_url, broker.url, mailbox)
    try:
        yield fleet, broker, mailbox
    finally:
        fleet.end()
        broker.kill()
        mailbox.stop()


def patiently(check: Any, seconds: float, pause: float = 0.2) -> bool:
    """Whether the check comes true within the time; unlike ``wait_for``, a no is no failure."""
    stop_at = time.monotonic() + seconds
    while time.monotonic() < stop_at:
        if check():
            return True
        time.sleep(pause)
    return bool(check())
