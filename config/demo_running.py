"""Runs the demo's processes and tells where to look, once the web server answers."""

import json
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from honcho import manager as honcho
from honcho.environ import parse_procfile

# A Celery worker needs some seconds to finish what it is at.
honcho.KILL_WAIT = 20


class MainProcesses:
    """Ends a process by a signal to it alone: it looks after its children itself.

    honcho signals the whole group, which takes the children from under a Celery worker that waits
    for them.
    """

    def terminate(self, pid: int) -> None:
        _signal(os.kill, pid, signal.SIGTERM)

    def kill(self, pid: int) -> None:
        _signal(os.killpg, pid, signal.SIGKILL)


def _signal(send: Callable[[int, int], None], pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        send(pid, number)


def run_procfile(procfile: Path, demo_json: Path, port: int, started: float) -> int:
    """Run all processes of the Procfile until one ends or a signal comes; returns the exit code.

    Ctrl-C and SIGTERM are the expected way to end, so they count as success.
    """
    manager = honcho.Manager()
    manager._procmgr = MainProcesses()
    for name, command in parse_procfile(procfile.read_text()).processes.items():
        manager.add_process(name, f"exec {command}", cwd=str(procfile.parent), env=dict(os.environ))
    announcer = threading.Thread(target=_announce, args=(demo_json, port, started), daemon=True)
    announcer.start()
    manager.loop()
    return 0 if manager.returncode in {130, 143} else int(manager.returncode or 1)


def _announce(demo_json: Path, port: int, started: float) -> None:
    while not _answers(port):
        time.sleep(0.1)
    seconds = time.monotonic() - started
    sys.stdout.write(welcome(json.loads(demo_json.read_text(encoding="utf-8")), seconds))
    sys.stdout.flush()


def _answers(port: int) -> bool:
    connection = HTTPConnection(os.environ["HOST"].replace("0.0.0.0", "127.0.0.1"), port, timeout=5)  # noqa: S104
    try:
        connection.request("GET", "/", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def welcome(demo: dict[str, Any], seconds: float) -> str:
    """Addresses, sign-ins, keys and a first event to send."""
    lines = ["", f"Resonanz is running after {seconds:.1f} s. Ctrl-C stops everything.", ""]
    for tenant in demo["tenants"]:
        lines.append(f"  {tenant['name']:<10} {tenant['url']}")
        lines += [f"             {user['role']:<6} {user['user']}  {user['password']}" for user in tenant["users"]]
        lines.append(f"             key    {tenant['api_key']}")
    operator = demo["operator"]
    lines += [
        f"  {'Platform':<10} {demo['public_url'].rstrip('/')}/admin/",
        f"             admin  {operator['user']}  {operator['password']}",
        f"  {'Mails':<10} {demo['mailbox_url']}",
        f"  {'Shop':<10} {demo['shop_url']}  (a page with an embedded question)",
        "",
        "Send an event:",
        "",
        *first_event(demo["tenants"][0], demo["public_url"].rstrip("/")),
        "",
        "",
    ]
    return "\n".join(lines)


def first_event(tenant: dict[str, Any], public_url: str) -> list[str]:
    """A curl command that can be pasted as it is: an order was received at the retailer.

    Three days ago, for that is how long the demo's rule waits: the mail leaves at once.
    """
    received = datetime.now(UTC) - timedelta(days=3)
    body = {
        "touchpoint": "order_received",
        "external_id": f"order-{int(time.time())}",
        "occurred_at": received.isoformat(timespec="seconds"),
        "contact": {"email": "ada@example.com", "name": "Ada Lovelace", "locale": "en"},
    }
    return [
        f"curl {public_url}/api/v1/events \\",
        f"  -H {shlex.quote('Authorization: Bearer ' + tenant['api_key'])} \\",
        "  -H 'Content-Type: application/json' \\",
        f"  -d {shlex.quote(json.dumps(body))}",
    ]
