"""The journey map in a browser: wide and on a phone, light and dark, by keyboard, and on paper."""

from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import Browser, Page

from apps.accounts.models import User
from apps.responses.models import ScoreChange
from apps.touchpoints.models import Event, Stage, Touchpoint
from apps.triggers.models import Segment
from tests.browsing import DESKTOP, PHONE, barriers_of, base, chromium, complaints_of, database
from tests.workspace.conftest import HOST, make_setup, story

pytestmark = pytest.mark.chromium
__all__ = ["base", "chromium", "database"]
NAMES = ("Aufmerksamkeit", "Abwägen", "Kauf", "Rechnung und Zahlung", "Lieferung", "Service", "Weiterempfehlung")


def make_journey(now: datetime) -> None:
    """Eight stages with a sub-step, scores of every kind, and both kinds of gaps."""
    setup = make_setup()
    for number in range(6):
        story(setup, number, now - timedelta(days=1), score=2, comment="Too slow.")
    stages = [
        Stage.objects.create(key=f"s{n}", name={"en": name, "de": name}, position=n + 1) for n, name in enumerate(NAMES)
    ]
    step = Stage.objects.create(key="step", name={"en": "Zahlungserinnerung"}, parent=stages[3], position=20)
    for n, stage in enumerate([*stages[:6], step, step]):
        place = Touchpoint.objects.create(key=f"t{n}", name={"en": f"Einführung abgeschlossen {n}"}, stage=stage)
        if n % 3:
            Event.objects.create(touchpoint=place, occurred_at=now, received_at=now)
        for score in ([10] * 30 + [8] * 10, [10] * 12 + [3] * 10)[n % 2] if n > 3 else ():
            ScoreChange.objects.create(
                day=now.date(), survey=setup.survey, touchpoint=place, score=score, weight=1
            )  # fmt: skip
    Segment.objects.create(key="all", name="All of them", condition={"field": "contact.name", "op": "exists"})


def overflow_of(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def test_the_map_is_read_wide_and_narrow_light_and_dark_by_keyboard_and_on_paper(
    base: str, chromium: Browser, now: datetime
) -> None:
    cache.clear()
    make_journey(now)
    client = Client(headers={"host": HOST})
    client.force_login(User.objects.create_superuser("chief"))
    context = chromium.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "domain": HOST, "path": "/"}
    context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    complaints = complaints_of(page)
    for size, scheme in ((DESKTOP, "light"), (PHONE, "dark"), (DESKTOP, "dark")):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for path in ("/journey/", "/journey/stages/s3/", "/journey/touchpoints/order_received/"):
            page.goto(base + path)
            assert overflow_of(page) <= 0, (path, size)
            assert barriers_of(page, complaints) == [], (path, size, scheme)
    # The eighth stage lies beyond the window: arrow keys bring it in.
    page.goto(f"{base}/journey/")
    page.locator(".jm-scroll").focus()
    for _press in range(60):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(20)
        if page.evaluate("document.querySelector('.jm-scroll').scrollLeft") > 20:
            break
    else:
        pytest.fail("the map does not move")
    # Every stage and touchpoint is reached by Tab in the order of the journey.
    order = page.evaluate("[...document.querySelectorAll('.jm-name a')].map(a => a.tabIndex)")
    assert len(order) == 9
    assert set(order) == {0}
    columns = page.evaluate("[...document.querySelectorAll('.jm-arrow')].map(a => Math.round(a.offsetWidth))")
    assert len(columns) == 8
    assert max(columns) - min(columns) <= 4
    page.locator("details summary", has_text="Show as a table").click()
    assert page.get_by_role("table").is_visible()
    # On paper: no navigation, all of it on one sheet.
    page.emulate_media(media="print")
    assert not page.locator(".sidebar").is_visible()
    assert page.locator(".jm-legend").is_visible()
    assert page.pdf(prefer_css_page_size=True, format="A4", landscape=True).count(b"/Type /Page\n") == 1
    assert complaints == []
    context.close()
