"""A mail template is written in a browser: preview, variables, warnings, a test to oneself; without barriers."""

import os
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from apps.accounts.models import User
from apps.messaging.models import MailTemplate
from tests import factories
from tests.admin.conftest import client_for
from tests.browsing import HOST, base, chromium, complaints_of, database

__all__ = ["base", "chromium", "database"]
pytestmark = pytest.mark.chromium
DESK = {"width": 1440, "height": 1000}
SHOTS = os.environ.get("SHOTS", "")


def shoot(page: Page, name: str) -> None:
    """A picture for whoever wants to look: SHOTS=/some/folder."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def barriers_of(page: Page, complaints: list[str]) -> list[str]:
    """What axe finds in our part of the page; the rest is the admin's own. Its own styles do not count."""
    before = len(complaints)
    found = Axe().run(page, ".mail-preview").response["violations"]
    page.wait_for_timeout(50)
    del complaints[before:]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


def open_editor(browser: Browser, base: str, path: str, **options: Any) -> tuple[Page, list[str]]:
    """The editor, for somebody signed in, and what the browser complains about."""
    user = User.objects.filter(username="chief").first() or User.objects.create_superuser("chief", "c@x.example")
    context = browser.new_context(**{"viewport": DESK, "locale": "en-GB", **options})
    cookie = client_for(user, HOST).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": base}])
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints = complaints_of(page)
    page.goto(f"{base}/admin/messaging/mailtemplate/{path}")
    return page, complaints


def test_a_template_is_written_looked_at_and_sent_to_oneself(chromium: Browser, base: str) -> None:
    factories.theme()
    factories.SurveyFactory()
    factories.ContactFactory(name="Grace Hopper", email="grace@example.com")
    page, complaints = open_editor(chromium, base, "add/?start=invitation")
    frame = page.frame_locator(".preview-stage iframe:not(.preview-coming)")
    expect(frame.get_by_role("link", name="10", exact=True)).to_be_visible()
    page.get_by_label("As seen by").fill("grace@example.com")
    expect(page.locator("#mail-people option")).to_have_count(1)
    page.locator("[name=name]").fill("Ours")
    subject = page.locator("[name=subject_en]")
    subject.fill("Well, ")
    page.get_by_role("button", name="{{ contact.last_name }}").click()
    expect(subject).to_have_value("Well, {{ contact.last_name }}")
    expect(page.locator("[data-part=subject]")).to_have_text("Well, Hopper")
    expect(frame.get_by_text("Hello Grace Hopper")).to_be_visible()
    page.get_by_label("Light or dark").select_option("dark")
    expect(frame.locator(".sheet")).to_have_css("background-color", "rgb(31, 41, 55)")
    page.get_by_role("button", name="Computer").click()
    subject.fill("A subject that is far longer than what a telephone shows beside the sender")
    expect(page.locator("[data-part=warnings]")).to_contain_text("telephones show")
    page.get_by_role("button", name="Send a test to c@x.example").click()
    expect(page.locator("[data-part=said]")).to_contain_text("c@x.example")
    shoot(page, "editor")
    assert barriers_of(page, complaints) == []
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/mailtemplate/")
    assert MailTemplate.objects.get().subject["en"].startswith("A subject")
    page.context.close()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_editor_fits_a_telephone(chromium: Browser, base: str, scheme: Any) -> None:
    factories.theme()
    phone = {"width": 390, "height": 844}
    page, complaints = open_editor(
        chromium, base, "add/?start=opt_in", viewport=phone, color_scheme=scheme, locale="de-DE"
    )
    frame = page.frame_locator(".preview-stage iframe:not(.preview-coming)")
    expect(frame.locator(".sheet")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= phone["width"]
    shoot(page, f"editor-phone-{scheme}")
    assert barriers_of(page, complaints) == []
    page.context.close()
    assert complaints == []
