"""Pages in a real browser: fixtures to import where a test needs Debian's Chromium and a server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, Page, sync_playwright

from tests.copies import copied

HOST = "nordwind.resonanz.test"
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--host-resolver-rules=MAP * 127.0.0.1",
]


class _PromptServer(ThreadedWSGIServer):
    """Django's, but it does not go on for half a second once it is told to stop."""

    def serve_forever(self, poll_interval: float = 0.01) -> None:
        super().serve_forever(poll_interval)


class _Thread(LiveServerThread):
    server_class = _PromptServer


@contextmanager
def served() -> Iterator[int]:
    """The platform as a real server with connections of its own; yields its port on loopback."""
    server = _Thread("127.0.0.1", StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    assert server.error is None, server.error
    try:
        yield server.port
    finally:
        server.terminate()
        server.join()


@contextmanager
def chromium_running() -> Iterator[Browser]:
    """Debian's Chromium; every host name leads to this machine."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright's loop runs in this thread and makes Django careful; but the test waits for it each time.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def chromium(django_db_setup: None, django_db_blocker: Any) -> Iterator[Browser]:
    """One browser for a file; each test has profiles of its own in it, which end with the test."""
    from django.db import connections

    # Beside a running loop Django has connections of its own: those from before would stay, and forbid a copy.
    with django_db_blocker.unblock():
        connections.close_all()
    with chromium_running() as started:
        yield started


@pytest.fixture
def database(chromium: Browser, django_db_blocker: Any) -> Iterator[None]:
    """A copy of the tests' database: a server sees only what is committed, and that must meet no other test."""
    with copied("pages", django_db_blocker):
        yield
        for context in chromium.contexts:
            context.close()


@pytest.fixture
def base(database: None) -> Iterator[str]:
    """Where a server shows nordwind's pages; the test stands in nordwind."""
    from django.db import connections
    from django_tenants.utils import tenant_context

    from apps.tenants.models import Tenant

    with served() as port, tenant_context(Tenant.objects.get(schema_name="nordwind")):
        yield f"http://{HOST}:{port}"
        connections.close_all()


def complaints_of(page: Page) -> list[str]:
    """What the browser complains about from now on, but for the missing HTTPS."""
    found: list[str] = []

    def note(text: str) -> None:
        if "Cross-Origin-Opener-Policy" not in text:
            found.append(text)

    page.on("console", lambda message: note(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: note(str(error)))
    return found


def barriers_of(page: Page, complaints: list[str] | None = None) -> list[str]:
    """What axe finds on the page as it stands: WCAG 2.2 AA and good practice.

    It tries styles that the page's policy refuses: what the browser says to that is taken out of ``complaints``.
    """
    before = len(complaints or [])
    found = Axe().run(page).response["violations"]
    if complaints is not None:
        page.wait_for_timeout(50)
        del complaints[before:]
    return [f"{violation['id']}: {node['html'][:200]}" for violation in found for node in violation["nodes"]]
