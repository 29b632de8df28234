"""The pages in a browser: what scripts do, and that the security policy has nothing against them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg
import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import Client
from django.test.testcases import LiveServerThread
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from apps.accounts.models import User
from apps.touchpoints.models import Event
from apps.triggers import dry_runs, services, versions
from apps.triggers.models import DryRun
from tests import factories
from tests.environment import NAME, SERVER_URL
from tests.workspace.conftest import HOST

pytestmark = pytest.mark.chromium
COPY = f"{NAME}_pages"


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
    arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--host-resolver-rules=MAP * 127.0.0.1"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
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


@pytest.fixture
def context(base: str, chromium: Browser) -> BrowserContext:
    """A phone on which somebody is signed in."""
    client = Client(headers={"host": HOST})
    client.force_login(User.objects.create(username="cx"))
    opened = chromium.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    opened.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "domain": HOST, "path": "/"}])
    return opened


def complaints_of(page: Page) -> list[str]:
    """What the browser complains about from now on, but for the missing HTTPS."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def test_why_is_answered_and_a_dry_run_is_watched_to_its_end(base: str, context: BrowserContext, now: datetime) -> None:
    rule = factories.TriggerRuleFactory(condition={"field": "event.total", "op": "ge", "value": 100})
    event = factories.EventFactory(properties={"total": 80}, occurred_at=now, received_at=now, external_id="order-1")
    services.evaluate_events(now=now)
    page = context.new_page()
    complaints = complaints_of(page)

    page.goto(f"{base}/why/?q=order-1")
    page.locator("tbody a").first.click()
    expect(page.locator("main")).to_contain_text("total ≥ 100; found 80")
    page.goto(base + reverse("workspace:why_contact", args=[Event.objects.get(pk=event.pk).contact_id]))
    page.locator("summary", has_text="After the order").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("What would have to change")).to_be_attached()
    expect(page.get_by_text("There is a legal basis")).to_be_visible()

    run = dry_runs.start(title="Trial", days=7, now=timezone.now(), draft=versions.snapshot(rule, segments={}))
    page.goto(base + reverse("workspace:dry_run", args=[run.pk]))
    expect(page.get_by_text("Waits for a worker.")).to_be_visible()
    watched = DryRun.objects.filter(pk=run.pk)
    watched.update(status="running", lease_until=timezone.now() + dry_runs.LEASE, events_total=50, events_done=20)
    expect(page.get_by_text("20 of 50 events looked at")).to_be_visible()
    assert page.locator("progress").get_attribute("value") == "40"
    page.reload()
    expect(page.get_by_text("20 of 50 events looked at")).to_be_visible()
    watched.update(status="waiting")
    assert dry_runs.run_next(now=timezone.now(), clock=timezone.now) == 1
    expect(page.get_by_text("Estimated mails per day").first).to_be_visible()
    expect(page.locator("progress")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator(".nav [aria-current]")).to_be_in_viewport(ratio=1)
    assert [text for text in complaints if "Cross-Origin-Opener-Policy" not in text] == []


def test_without_scripts_the_page_reloads_itself(base: str, chromium: Browser, context: BrowserContext) -> None:
    run = dry_runs.start(title="Trial", days=7, now=timezone.now())
    bare = chromium.new_context(java_script_enabled=False, storage_state=context.storage_state())
    page = bare.new_page()
    page.goto(base + reverse("workspace:dry_run", args=[run.pk]))
    expect(page.get_by_text("Waits for a worker.")).to_be_visible()
    assert dry_runs.run_next(now=timezone.now(), clock=timezone.now) == 1
    expect(page.get_by_text("Nothing happened at the rules' touchpoints")).to_be_visible(timeout=10_000)
    bare.close()
