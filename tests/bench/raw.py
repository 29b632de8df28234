"""The other yardstick: no framework, one prepared INSERT of the body as it came, answered when durable."""

import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

import psycopg

# Rows as wide as ours, with a primary key and one unique index.
TABLE = """
    CREATE TABLE raw_event (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        external_id text NOT NULL UNIQUE,
        body jsonb NOT NULL,
        received_at timestamptz NOT NULL DEFAULT now(),
        status text NOT NULL DEFAULT 'pending')
"""
INSERT = "INSERT INTO raw_event (external_id, body) VALUES (%s, %s::text::jsonb) ON CONFLICT DO NOTHING RETURNING id"
_local = threading.local()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The WSGI application."""
    if environ["REQUEST_METHOD"] != "POST":
        start_response("404 Not Found", [("Content-Length", "0")])
        return [b""]
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
    try:
        connection = _local.connection
    except AttributeError:
        connection = _local.connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    row = connection.execute(INSERT, (environ["HTTP_IDEMPOTENCY_KEY"], body), prepare=True).fetchone()
    answer = b'{"id": "%d", "status": "accepted"}' % row[0]
    start_response("202 Accepted", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]
