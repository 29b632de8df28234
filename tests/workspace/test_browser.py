"""The pages in a browser: what scripts do, and that the security policy has nothing against them."""

from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, expect

from apps.accounts.models import User
from apps.touchpoints.models import Event
from apps.triggers import dry_runs, services, versions
from apps.triggers.models import DryRun
from tests import factories
from tests.browsing import base, chromium, complaints_of, database
from tests.workspace.conftest import HOST

pytestmark = pytest.mark.chromium
__all__ = ["base", "chromium", "database"]


@pytest.fixture
def context(base: str, chromium: Browser) -> BrowserContext:
    """A phone on which somebody is signed in."""
    client = Client(headers={"host": HOST})
    client.force_login(User.objects.create(username="cx"))
    opened = chromium.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    opened.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "domain": HOST, "path": "/"}])
    return opened


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
