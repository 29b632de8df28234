"""A wrong or missing value stops a process with one sentence, not with a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import SERVER_URL

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "SECRET_KEY": "test-key-that-is-long-enough-for-signing-0123456789-abcdef",
    "PUBLIC_HOST": "nps.example.com",
    "DATABASE_URL": SERVER_URL,
    "EMAIL_URL": "smtp://localhost:25",
}


def start(process: str, tmp_path: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    env = {**kept, **GOOD, "DATA": str(tmp_path), **changes}
    command = [sys.executable, "-m", "config.serve", process]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("PUBLIC_HOST", "https://nps.example.com/"),
        ("PUBLIC_SCHEME", "ftp"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_URL", "postgresql://localhost:1/x"),
        ("DATABASE_URL", SERVER_URL.replace("/postgres?", "/nothing_here?")),
        ("EMAIL_URL", "http://mail"),
        ("CELERY_BROKER_URL", "kafka://x"),
        ("CACHE_URL", "memcached://x"),
        ("TICK_SECONDS", "soon"),
        ("WEB_WORKERS", "0"),
        ("PORT", "99999"),
        ("BEHIND_PROXY", "perhaps"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_it(name: str, value: str, tmp_path: Path) -> None:
    ended = start("web", tmp_path, **{name: value})
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Resonanz cannot start: {name} ")
    assert len(ended.stderr.splitlines()) == 1
    assert "Traceback" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("process", ["worker", "beat"])
def test_the_other_processes_say_it_as_well(process: str, tmp_path: Path) -> None:
    ended = start(process, tmp_path, PUBLIC_HOST="not a host")
    assert ended.returncode == 1
    assert ended.stderr.startswith("Resonanz cannot start: PUBLIC_HOST ")


def test_an_unknown_process_is_a_usage_line(tmp_path: Path) -> None:
    assert start("cook", tmp_path).stderr.startswith("usage: ")


def test_the_deployment_check_finds_nothing_with_production_values(tmp_path: Path) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    env = {**kept, **GOOD, "DATA": str(tmp_path)}
    ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
