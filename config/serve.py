"""Starts one of the Procfile's processes: ``python -m config.serve web|worker|beat``.

Reads the settings first, so that a wrong value is one sentence instead of a restarting server's
traceback, and then becomes granian or Celery.
"""

import os
import sys

import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config import env


def _log_level() -> str:
    return env.text("LOG_LEVEL", "INFO").lower()


def _web() -> list[str]:
    return [
        "granian",
        "--interface=wsgi",
        f"--host={env.text('HOST', '127.0.0.1')}",
        f"--port={env.number('PORT', 8000, 1, 65_535)}",
        f"--workers={env.number('WEB_WORKERS', 2, 1, 256)}",
        f"--blocking-threads={env.number('WEB_THREADS', 4, 1, 256)}",
        f"--log-level={_log_level()}",
        "--no-ws",
        "--respawn-failed-workers",
        "--workers-kill-timeout=10",
        "config.wsgi:application",
    ]


def _worker() -> list[str]:
    # Wake-ups are hints and workers need not know of each other: no gossip, no mingling.
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    concurrency = env.number("WORKER_CONCURRENCY", 2, 1, 256)
    return [
        "celery",
        "-q",
        "-A",
        "config",
        "worker",
        f"--concurrency={concurrency}",
        f"--loglevel={_log_level()}",
        *quiet,
    ]


def _beat() -> list[str]:
    return ["celery", "-q", "-A", "config", "beat", f"--loglevel={_log_level()}", "--pidfile="]


COMMANDS = {"web": _web, "worker": _worker, "beat": _beat}


def _check() -> None:
    """Read all settings and reach the database once, without loading the apps."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    database = settings.DATABASES["default"]
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    given = {key: database[name] for key, name in names.items() if database.get(name)}
    try:
        psycopg.connect(**{"connect_timeout": 10, **given, **database.get("OPTIONS", {})}).close()
    except psycopg.Error as error:
        raise env.fail("DATABASE_URL", f"leads to no database: {' '.join(str(error).split())}") from error


def main() -> None:
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        sys.exit(f"usage: python -m config.serve {'|'.join(COMMANDS)}")
    try:
        _check()
        command = COMMANDS[sys.argv[1]]()
    except ImproperlyConfigured as error:
        sys.exit(f"Resonanz cannot start: {error}")
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606


if __name__ == "__main__":
    main()
