"""The pages that mails lead to, in a browser: phone size, both languages, with and without script, keyboard, axe."""

import os
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from apps.contacts.models import Contact, LegalBasis, OptIn, Preference
from apps.messaging import opt_in
from apps.messaging.links import unsubscribe_url
from apps.messaging.models import Suppression
from apps.messaging.opt_in import Ask
from tests import factories
from tests.browsing import AGENT, DESKTOP, PHONE, barriers_of, base, chromium, complaints_of, database

__all__ = ["base", "chromium", "database"]
pytestmark = pytest.mark.chromium
SHOTS = os.environ.get("SHOTS", "")
WORDING = {
    "en": "Yes, Nordwind may send me short surveys and news about my orders by e-mail. I can object at any time.",
    "de": "Ja, Nordwind darf mir kurze Umfragen und Neues zu meinen Bestellungen per E-Mail schicken. Ich kann dem "
    "jederzeit widersprechen.",
}


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Opens a browser as people have it."""
    opened = []

    def open_one(size: Any = PHONE, *, script: bool = True, **more: Any) -> BrowserContext:
        context = chromium.new_context(viewport=size, java_script_enabled=script, user_agent=AGENT, **more)
        opened.append(context)
        return context

    cache.clear()
    yield open_one
    for context in opened:
        context.close()


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def someone(language: str) -> Contact:
    factories.theme(privacy_url="https://nordwind.example/privacy", postal_address="Nordwind GmbH, Hafen 1, Kiel")
    return factories.ContactFactory(email="ada@x.example", locale=language)


def asked(language: str) -> str:
    """The path of a request that has been mailed."""
    contact, now = someone(language), timezone.now()
    question = Ask("r", "ada@x.example", "survey:order", WORDING[language], contact.id, "v1", language)
    opt_in.request(asks=[question], now=now)
    with transaction.atomic():
        [(_row, token)], _count = opt_in.take(now=now)
    return f"/mail/confirm/{token}"


def fine(page: Page, complaints: list[str], *, script: bool) -> None:
    """Nothing in the way of anybody, nothing wider than the screen."""
    if script:
        assert barriers_of(page, complaints) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]


def button(page: Page, number: int) -> Any:
    """Buttons by their place: their words are checked where the catalog has them."""
    return page.locator("main button").nth(number)


@pytest.mark.parametrize(
    ("language", "scheme", "script"),
    # Axe needs the script; without it each language and each scheme is seen once.
    [*product(["en", "de"], ["light", "dark"], [True]), ("en", "dark", False), ("de", "light", False)],
)
def test_wishes_are_chosen_and_then_everything_is_ended(
    base: str, browser: Any, language: str, scheme: str, *, script: bool
) -> None:
    page = browser(script=script, color_scheme=scheme).new_page()
    complaints = complaints_of(page)
    contact = someone(language)
    name = f"{language}-{scheme}-{'js' if script else 'plain'}"
    page.goto(unsubscribe_url(contact.id, base))
    expect(page.locator("html")).to_have_attribute("lang", language)
    shoot(page, f"wishes-{name}-1")
    fine(page, complaints, script=script)
    page.locator("input[name=surveys]").uncheck()
    page.locator("input[name=every][value='90']").check()
    button(page, 1).click()
    expect(page.get_by_role("status")).to_be_visible()
    expect(page.locator("input[name=surveys]")).not_to_be_checked()
    expect(page.locator("input[name=every][value='90']")).to_be_checked()
    shoot(page, f"wishes-{name}-2")
    fine(page, complaints, script=script)
    row = Preference.objects.get()
    assert (row.wants_surveys, row.wants_follow_ups, row.min_days_between) == (False, True, 90)
    assert not Suppression.objects.exists()

    button(page, 0).click()
    expect(page.locator("h2")).to_be_visible()
    shoot(page, f"wishes-{name}-3")
    fine(page, complaints, script=script)
    assert Suppression.objects.get().source == "unsubscribe page"
    button(page, 0).click()
    expect(page.get_by_role("status")).to_be_visible()
    shoot(page, f"wishes-{name}-4")
    fine(page, complaints, script=script)
    assert OptIn.objects.get().is_own_wish
    assert not page.context.cookies()
    assert complaints == []


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_consent_is_confirmed_by_a_human(base: str, browser: Any, language: str, *, script: bool) -> None:
    page = browser(script=script).new_page()
    complaints = complaints_of(page)
    page.goto(base + asked(language))
    name = f"{language}-{'js' if script else 'plain'}"
    expect(page.locator("blockquote")).to_have_text(WORDING[language])
    shoot(page, f"confirm-{name}-1")
    fine(page, complaints, script=script)
    page.wait_for_timeout(300)
    assert not LegalBasis.objects.exists()
    button(page, 0).click()
    expect(page.locator("blockquote")).to_have_count(0)
    shoot(page, f"confirm-{name}-2")
    fine(page, complaints, script=script)
    assert LegalBasis.objects.get().wording == WORDING[language]
    assert not page.context.cookies()
    assert complaints == []


def test_everything_is_done_with_the_keyboard_alone_and_without_a_mouse(base: str, browser: Any) -> None:
    page = browser(DESKTOP).new_page()
    page.goto(unsubscribe_url(someone("en").id, base))
    shoot(page, "wishes-desktop")
    page.keyboard.press("Tab")
    expect(button(page, 0)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_be_visible()
    row = Preference.objects.get()
    assert (row.wants_surveys, row.wants_follow_ups, row.min_days_between) == (False, True, 30)


def test_what_leads_nowhere_says_so(base: str, browser: Any) -> None:
    page = browser().new_page()
    for path in ("/mail/u/x", "/mail/confirm/x"):
        complaints = complaints_of(page)
        page.goto(base + path)
        shoot(page, f"nowhere-{path.split('/')[2]}")
        fine(page, complaints, script=True)
