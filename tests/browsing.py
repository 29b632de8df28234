"""Pages in a real browser: fixtures to import where a test needs Debian's Chromium and a server."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, Page, sync_playwright

from tests.environment import NAME, SERVER_URL

HOST = "nordwind.resonanz.test"
COPY = f"{NAME}_pages"
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


@pytest.fixture
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A copy of the tests' database: a server sees only what is committed, and that must meet no other test."""
    from django.db import connections

    with django_db_blocker.unblock():
        connections.close_all()
        with psycopg.connect(SERVER_URL, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{COPY}" WITH (FORCE)')
            admin.execute(f'CREATE DATABASE "{COPY}" TEMPLATE "{NAME}"')
        connections.settings["default"]["NAME"] = COPY
        try:
            yield
        finally:
            connections.close_all()
            connections.settings["default"]["NAME"] = NAME
            with psycopg.connect(SERVER_URL, autocommit=True) as admin:
                admin.execute(f'DROP DATABASE IF EXISTS "{COPY}" WITH (FORCE)')


@pytest.fixture
def chromium(database: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Debian's Chromium."""
    # Playwright's loop runs in this thread and makes Django careful; but the test waits for it each time.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def base(chromium: Browser) -> Iterator[str]:
    """Where a server shows nordwind's pages; the test stands in nordwind."""
    # Only now: beside a running loop Django has a connection of its own, which must be the test's.
    from django.db import connections
    from django_tenants.utils import tenant_context

    from apps.tenants.models import Tenant

    server = LiveServerThread("127.0.0.1", StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    assert server.error is None, server.error
    with tenant_context(Tenant.objects.get(schema_name="nordwind")):
        yield f"http://{HOST}:{server.port}"
    connections.close_all()
    server.terminate()
    server.join()


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
