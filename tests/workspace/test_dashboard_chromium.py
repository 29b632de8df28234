"""The dashboard in a browser: a chart by keyboard, filters that apply at once, no barriers, nothing too wide."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from apps.accounts.models import User
from apps.insights.models import Annotation, SavedView, ShareLink
from apps.workspace import saved
from tests.browsing import DESKTOP, PHONE, barriers_of, base, chromium, complaints_of, database
from tests.workspace.conftest import HOST, make_setup, story

pytestmark = pytest.mark.chromium
__all__ = ["base", "chromium", "database"]


@pytest.fixture
def page(base: str, chromium: Browser, now: datetime) -> Page:
    """The page of somebody who may do everything; answers of some weeks."""
    setup = make_setup()
    for number in range(30):
        story(setup, number, now - timedelta(days=2 * number), score=number % 5 + 6, comment="Fine." * (number % 2))
    Annotation.objects.create(day=now.date() - timedelta(days=10), text="New checkout", created_at=now)
    client = Client(headers={"host": HOST})
    client.force_login(User.objects.create_superuser("chief"))
    context = chromium.new_context(viewport=DESKTOP, locale="en-GB")  # type: ignore[arg-type]
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "domain": HOST, "path": "/"}
    context.add_cookies([cookie])  # type: ignore[list-item]
    return context.new_page()


def test_the_chart_is_read_by_keyboard_and_nothing_stands_in_the_way(base: str, page: Page) -> None:
    complaints = complaints_of(page)
    page.goto(f"{base}/?grain=month")
    points = page.locator(".trend-wide .month")
    points.last.focus()
    for key, at in (("ArrowLeft", -2), ("Home", 0), ("ArrowLeft", 0), ("ArrowRight", 1), ("End", -1)):
        page.keyboard.press(key)
        expect(points.nth(at)).to_be_focused()
        expect(points.nth(at).locator(".readout")).to_be_visible()
    expect(page.locator('.trend-wide .month[tabindex="0"]')).to_have_count(1)
    expect(page.get_by_role("img", name="(n = ").last).to_be_visible()

    page.get_by_label("Compared with", exact=True).select_option("none")
    expect(page).to_have_url(f"{base}/?grain=month&compare=none")
    page.get_by_role("link", name="Week", exact=True).click()
    page.get_by_label("Broken down by").select_option("channel")
    expect(page.get_by_role("heading", name="By channel")).to_be_visible()
    page.get_by_role("link", name="Save this view").click()
    page.get_by_label("Name").fill("By channel, without comparison")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1, name="By channel, without comparison")).to_be_visible()
    for size, scheme in ((DESKTOP, "light"), (PHONE, "dark")):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for path in ("/", "/views/"):
            page.goto(base + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
            assert barriers_of(page, complaints) == []
    page.get_by_role("link", name="Name and links of").click()
    assert barriers_of(page, complaints) == []
    assert complaints == []


def test_a_shared_page_speaks_the_readers_language_and_stands_in_nobodys_way(
    base: str, page: Page, now: datetime
) -> None:
    view = SavedView.objects.create(name="Ours", created_at=now, updated_at=now)
    link = ShareLink.objects.create(view=view, created_at=now)
    page.context.clear_cookies()
    complaints = complaints_of(page)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="dark")
    page.goto(f"{base}/shared/{saved.token_of(link)}/")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("heading", level=1, name="Ours")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert barriers_of(page, complaints) == []
    assert complaints == []
