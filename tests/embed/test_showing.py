"""The script in a browser, on a page of another origin: what shows itself, how it behaves, how it goes."""

import os
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from apps.contacts.models import Outreach
from apps.embed.models import Placement
from apps.responses.models import Response
from apps.surveys.models import Invitation, Website
from tests.embed.browsing import DESKTOP, PHONE, Open, Shop

pytestmark = pytest.mark.chromium
SHOTS = os.environ.get("SHOTS", "")
LISTEN = """
for (const e of ["shown", "answered", "closed"])
  document.addEventListener("resonanz:" + e, v => (window.told ??= []).push([e, v.detail]))
"""
CSP = "default-src 'none'; script-src {home}; frame-src {home}; connect-src {home}; require-trusted-types-for 'script'"


def problems(tab: Any) -> list[str]:
    """What axe finds on the host page and in the frame."""
    found = Axe().run(tab.page).response
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]


@pytest.mark.parametrize(("size", "language"), [(PHONE, "en"), (DESKTOP, "de")], ids=["phone-en", "desktop-de"])
@pytest.mark.parametrize("kind", ["popover", "slide_in", "inline"])
def test_each_kind_shows_itself_and_takes_an_answer(
    home: str, shop: Shop, popover: Placement, opened: Open, kind: str, size: Any, language: str
) -> None:
    Placement.objects.update(kind=kind, selector="#feedback" if kind == "inline" else "", side="left")
    url = shop.put(home, lang=language, Content_Security_Policy=CSP.format(home=home))
    tab = opened(url, size, script=LISTEN)
    if kind == "inline":
        tab.script_is_there()
        tab.settle(200)
        assert tab.asked == 0  # It is below the window yet.
        tab.page.locator("#feedback").evaluate("e => e.scrollIntoView({block: 'center'})")
    expect(tab.box).to_be_visible()
    expect(tab.frame.get_by_role("heading")).to_have_text(
        "How likely are you to recommend us?" if language == "en" else "Würden Sie uns empfehlen?"
    )
    tab.page.wait_for_timeout(350)
    _fits(tab, kind)
    assert tab.page.evaluate("document.activeElement === document.body")
    assert problems(tab) == []
    if SHOTS:
        tab.page.screenshot(path=Path(SHOTS) / f"{kind}-{'phone' if size is PHONE else 'desktop'}-{language}.png")

    tab.page.wait_for_timeout(800)  # Nobody answers within a second.
    tab.frame.locator("label", has_text="9").first.click()
    _answer(tab)
    expect(tab.frame.locator("[data-done]")).to_be_attached()
    tab.page.wait_for_function("window.told && told.some(t => t[0] === 'answered')")
    assert Response.objects.get().channel == "embed"
    tab.page.get_by_role("button", name="Close" if language == "en" else "Schließen").click()
    expect(tab.page.locator("iframe")).to_have_count(0)
    tab.page.wait_for_function("told.some(t => t[0] === 'closed')")
    told = tab.page.evaluate("told")
    assert [one[0] for one in told] == ["shown", "answered", "closed"]
    assert told[0][1] == {"touchpoint": "product_page", "placement": popover.pk}
    assert "/embed/closed" not in tab.requests
    assert tab.complaints == []


def _fits(tab: Any, kind: str) -> None:
    """Inside the window, and the frame as high as what is in it."""
    box = tab.box.bounding_box()
    size = tab.page.viewport_size
    assert box["width"] >= 300
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= size["width"]
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    button = tab.box.get_by_role("button").bounding_box()
    assert min(button["width"], button["height"]) >= 24
    if kind != "inline":
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= size["height"]
        assert tab.box.get_attribute("role") == "dialog"
    assert tab.box.get_attribute("aria-label") in ("Survey", "Umfrage")


def _answer(tab: Any) -> None:
    """Send page by page until all is said."""
    for _page in range(4):
        button = tab.frame.locator("form button[type=submit], form button:not([type])").first
        if tab.frame.locator("[data-done]").count() or not button.count():
            return
        button.click()
        tab.page.wait_for_timeout(500)


def test_escape_closes_and_the_close_button_comes_first(
    home: str, shop: Shop, popover: Placement, opened: Open
) -> None:
    tab = opened(shop.put(home))
    expect(tab.box).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(tab.page.locator("iframe")).to_have_count(0)
    tab.settle()
    assert tab.asked == 1


def test_a_question_that_opens_by_itself_takes_no_focus(
    home: str, shop: Shop, popover: Placement, opened: Open
) -> None:
    Placement.objects.update(delay=1)
    tab = opened(shop.put(home))
    tab.page.get_by_role("link", name="Next").focus()
    expect(tab.box).to_be_visible()
    assert tab.page.evaluate("document.activeElement.textContent") == "Next"
    tab.page.keyboard.press("Escape")
    assert tab.page.evaluate("document.activeElement.textContent") == "Next"


def test_what_the_visitor_asked_for_takes_the_focus_and_gives_it_back(
    home: str, shop: Shop, popover: Placement, opened: Open
) -> None:
    Placement.objects.update(on_track=True)
    body = "<button id=give onclick=\"Resonanz.show('product_page')\">Feedback</button>"
    tab = opened(shop.put(home, body=body))
    tab.script_is_there()
    tab.page.get_by_role("button", name="Feedback").press("Enter")
    expect(tab.box).to_be_visible()
    assert tab.page.evaluate("document.activeElement.shadowRoot.activeElement.role") == "dialog"
    tab.page.keyboard.press("Tab")
    assert tab.page.evaluate("document.activeElement.shadowRoot.activeElement.ariaLabel") == "Close"
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator("iframe")).to_have_count(0)
    assert tab.page.evaluate("document.activeElement.id") == "give"


def test_escape_inside_the_frame_closes_too(home: str, shop: Shop, popover: Placement, opened: Open) -> None:
    tab = opened(shop.put(home))
    tab.frame.locator("label").first.click()
    # From within, and a moment later: a key that takes its own frame away is never acknowledged to the driver.
    press = "() => setTimeout(() => document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'})), 50)"
    tab.frame.locator("body").evaluate(press)
    expect(tab.page.locator("iframe")).to_have_count(0)


def test_a_closed_question_is_told_once_and_the_second_view_shows_nothing(
    home: str, shop: Shop, popover: Placement, opened: Open
) -> None:
    url = shop.put(home, script="data-consent=granted")
    tab = opened(url)
    expect(tab.box).to_be_visible()
    with tab.page.expect_request("**/embed/closed"):
        tab.page.get_by_role("button", name="Close").click()
    tab.settle()
    assert Outreach.objects.get().outcome == Outreach.Outcome.DECLINED
    tab.page.reload()
    tab.settle(700)
    assert tab.asked == 1
    # Without the browser's own memory the contact budget holds all the same.
    tab.page.evaluate("const m = JSON.parse(localStorage.resonanz); localStorage.resonanz = JSON.stringify({v: m.v})")
    tab.page.reload()
    tab.settle(700)
    assert tab.asked == 2
    assert tab.page.locator("iframe").count() == 0
    assert Invitation.objects.count() == 1


def test_pages_of_other_websites_get_nothing(home: str, shop: Shop, popover: Placement, opened: Open) -> None:
    Website.objects.update(origin="https://other.example")
    tab = opened(shop.put(home))
    tab.settle(700)
    assert tab.asked == 1
    assert tab.page.locator("iframe").count() == 0
    assert "blocked by CORS policy" in tab.complaints[0]


def test_a_foreign_page_cannot_frame_a_survey(home: str, shop: Shop, popover: Placement, opened: Open) -> None:
    tab = opened(shop.put(home))
    expect(tab.box).to_be_visible()
    address = tab.page.locator("iframe").get_attribute("src")
    html = f"<!doctype html><title>Evil</title><iframe src='{address}'></iframe>"
    shop.pages["/evil"] = html, {}
    foreign = opened(shop.origin.replace("shop.test", "evil.test") + "/evil")
    foreign.settle(600)
    assert any("frame-ancestors" in text for text in foreign.complaints)
    assert foreign.page.frames[1].url.startswith("chrome-error:")


def test_messages_of_others_are_not_heard(home: str, shop: Shop, popover: Placement, opened: Open) -> None:
    tab = opened(shop.put(home))
    expect(tab.box).to_be_visible()
    tab.page.evaluate("postMessage({resonanz: 'close'}, '*'); postMessage({resonanz: 'size', height: 9}, '*')")
    tab.settle()
    expect(tab.box).to_be_visible()
    assert tab.page.locator("iframe").bounding_box()["height"] > 50


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_visitors_colours_and_wish_for_calm(
    home: str, shop: Shop, popover: Placement, opened: Open, scheme: str
) -> None:
    tab = opened(shop.put(home), PHONE, color_scheme=scheme, reduced_motion="reduce")
    expect(tab.box).to_be_visible()
    style = tab.box.evaluate("e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).animationName]")
    assert style[1] == "none"
    light = int(style[0][4:-1].split(",")[0]) > 128
    assert light == (scheme == "light")
    if SHOTS:
        tab.page.screenshot(path=Path(SHOTS) / f"popover-{scheme}.png")
    assert problems(tab) == []
