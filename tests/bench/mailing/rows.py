"""Mails per second, from the claim to the server's yes."""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from tests.bench.mailing.sink import smtp_sink
from tests.bench.measure import Row, row
from tests.bench.stack import ROOT

if TYPE_CHECKING:
    from tests.bench.rows import Bench

SETTINGS = "tests.bench.mailing.settings"
DATABASE = "mailing"
MAILS = 4000
COMPARED = 1000


def sending(bench: "Bench") -> list[Row]:
    """Through a Celery worker, against a stock Django loop and against ready-made messages over a pipelined line."""
    bench.migrate(DATABASE)
    _compare(bench)
    with smtp_sink() as port, _worker(bench, port):
        printed = _run(bench, port, "tests.bench.mailing.turns", str(bench.pace.pairs), str(MAILS))
    note = f"  {printed['size'] / 1024:.1f} KB each; rendered and queued {median(printed['enqueued']):.0f} a second"
    print(note, file=sys.stderr, flush=True)
    return [
        row("sending vs stock Django", "mails/s", (printed["ours_stock"], printed["stock"]), bar=4.0),
        row("sending vs prebuilt, pipelined", "mails/s", (printed["ours_prebuilt"], printed["prebuilt"]), bar=0.4),
    ]


def _compare(bench: "Bench") -> None:
    """Fast is worth nothing if it is not the same mail."""
    folder = Path(tempfile.mkdtemp(prefix="rsz-mails-"))
    try:
        with smtp_sink(folder) as port:
            found = _run(bench, port, "tests.bench.mailing.sameness", str(COMPARED), str(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"  {found['compared']} of {COMPARED} mails read back and compared", file=sys.stderr, flush=True)
    if found["differences"] or found["missing"] or not found["compared"]:
        raise SystemExit(f"The mails differ from what Django makes: {found}")


def _run(bench: "Bench", port: int, module: str, *arguments: str) -> dict[str, Any]:
    import json

    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT, env=_environment(bench, port), stdout=subprocess.PIPE, timeout=900, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{module} failed.")
    return dict(json.loads(done.stdout.decode().splitlines()[-1]))


def _environment(bench: "Bench", port: int) -> dict[str, str]:
    given = bench.stack.environment(DATABASE, SETTINGS)
    return {**given, "EMAIL_URL": f"smtp://127.0.0.1:{port}", "WORKER_CONCURRENCY": "1"}


@contextmanager
def _worker(bench: "Bench", port: int) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "config.serve", "worker"],
        cwd=ROOT, env=_environment(bench, port), start_new_session=True,
    )  # fmt: skip
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
