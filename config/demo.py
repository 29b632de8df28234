"""``make demo``: everything on one machine, from nothing. Runs before there are Django settings.

Starts a PostgreSQL of its own (unless DATABASE_URL names one), brings the database and the static
files up to date, loads the demo tenants, and runs the Procfile until Ctrl-C or SIGTERM.
"""

import argparse
import fcntl
import hashlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn

from config.demo_postgres import NoPostgresError, postgres
from config.demo_running import run_procfile

BASE_DIR = Path(__file__).resolve().parent.parent


# What the caller may have chosen and the demo hands on.
KEPT = ("DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL", "DEFAULT_FROM_EMAIL")


class DemoError(Exception):
    """Why the demo cannot start, in one sentence."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m config.demo", description="Run the demo on this machine.")
    parser.add_argument("--port", default="8000", help="port of the web server (default: 8000)")
    parser.add_argument("--data", default=str(BASE_DIR / ".data"), help="folder for all that the demo keeps")
    parser.add_argument("--scale", default="1", help="share of the demo's history to make, e.g. 0.1")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)
    try:
        return _demo(_port(options.port), _folder(options.data), options.scale)
    except (DemoError, NoPostgresError) as error:
        sys.stderr.write(f"The demo cannot start: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _demo(port: int, data: Path, scale: str) -> int:
    started = time.monotonic()
    with _only_one(data):
        _check_free(port)
        environment = _environment(port, data)
        os.environ.update(environment)
        with postgres(data / "postgres"):
            _note_environment(data / "demo.env", [*environment, *KEPT])
            _manage("upgrade")
            _collect_static(data)
            _manage("load_demo", "--json", str(data / "demo.json"), "--scale", scale)
            return run_procfile(BASE_DIR / "Procfile", data / "demo.json", port, started)


def _stop(*_: object) -> NoReturn:
    """SIGTERM before the servers run: unwind, so that PostgreSQL stops."""
    sys.exit(143)


def _port(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= 65_535:
        raise DemoError(f"PORT must be a number from 1 to 65535, not “{value}”.")
    return int(value)


def _folder(value: str) -> Path:
    """The data folder, made if missing and checked by writing."""
    path = Path(value).expanduser().resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise DemoError(f"the folder {path} cannot be written ({error.strerror}); choose one with DATA=….") from error
    return path


@contextmanager
def _only_one(data: Path) -> Iterator[None]:
    """Hold the folder's lock; the system releases it however this process ends."""
    lock: IO[str]
    with open(data / "demo.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DemoError(f"another one is running with the folder {data}.") from error
        yield


def _check_free(port: int) -> None:
    host = os.environ.get("HOST", "127.0.0.1")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise DemoError(f"port {port} is taken or not allowed ({error.strerror}); try PORT=….") from error


def _environment(port: int, data: Path) -> dict[str, str]:
    """Settings of the demo. What the caller's environment says about database, broker, mail and logs counts."""
    (data / "mail").mkdir(exist_ok=True)
    chosen = {
        "EMAIL_URL": f"maildir://{data / 'mail'}",
        "SMS_URL": f"sink://{data / 'mail'}",
        "LOG_LEVEL": "WARNING",
        "COMPRESS_STATIC": "false",
        "TICK_SECONDS": "2",
        "HOST": "127.0.0.1",
    }
    return {
        **{name: os.environ.get(name) or value for name, value in chosen.items()},
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PUBLIC_HOST": f"localhost:{port}",
        "PUBLIC_SCHEME": "http",
        "DEBUG": "false",
        "SECRET_KEY": _secret(data / "secret"),
        "DATA": str(data),
        "STATIC_ROOT": str(data / "static"),
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }


def _note_environment(path: Path, names: list[str]) -> None:
    """Write the demo's settings down, so that other commands can work on it: ENV_FILE=….env manage.py …"""
    lines = [f"{name}={os.environ[name]}\n" for name in names if os.environ.get(name) and name != "PATH"]
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.writelines(lines)


def _secret(path: Path) -> str:
    """The folder's signing key: links in mails survive a restart."""
    if not path.exists():
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()


def _manage(*arguments: str) -> None:
    """Run a management command. In a session of its own: Ctrl-C reaches us alone, and we end it."""
    command = [sys.executable, "manage.py", *arguments]
    result = subprocess.run(command, cwd=BASE_DIR, start_new_session=True, check=False)
    if result.returncode:
        raise DemoError(f"“manage.py {arguments[0]}” failed; its message is above.")


def _collect_static(data: Path) -> None:
    """Collect the static files, unless nothing they come from has changed."""
    digest = hashlib.sha256()
    folders = [BASE_DIR / "static", *(BASE_DIR / "apps").glob("*/static")]
    files = [BASE_DIR / "requirements.txt", BASE_DIR / "config/settings.py"]
    for path in sorted([*files, *(file for folder in folders for file in folder.rglob("*") if file.is_file())]):
        digest.update(f"{path.relative_to(BASE_DIR)}\0".encode() + path.read_bytes())
    stamp = data / "static" / ".stamp"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    _manage("collectstatic", "--clear", "--no-input", "--verbosity", "0")
    stamp.write_text(digest.hexdigest())


if __name__ == "__main__":
    sys.exit(main())
