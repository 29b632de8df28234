"""The map is arranged in a browser: by drag, by keyboard and by menu; nothing complains and nothing bars the way."""

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from apps.accounts.models import User
from apps.touchpoints import arranging
from apps.touchpoints.models import Touchpoint
from tests.browsing import DESKTOP, PHONE, barriers_of, base, chromium, complaints_of, database
from tests.workspace.conftest import HOST

pytestmark = pytest.mark.chromium
__all__ = ["base", "chromium", "database"]


@pytest.fixture
def page(base: str, chromium: Browser) -> Page:
    """A page of a superuser; two stages with three touchpoints, a sub-step with none."""
    client = Client(headers={"host": HOST})
    client.force_login(User.objects.create_superuser("chief"))
    ids = {key: arranging.add_stage(key=key, name={"en": key.title()}).pk for key in ("find", "buy")}
    ids["pay"] = arranging.add_stage(key="pay", name={"en": "Pay"}, parent_id=ids["buy"]).pk
    for key, on in (("advert", "find"), ("visit", "find"), ("order", "buy")):
        arranging.add_touchpoint(key=key, name={"en": key.title()}, stage_id=ids[on])
    context = chromium.new_context(viewport=DESKTOP, locale="en-GB")  # type: ignore[arg-type]
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "domain": HOST, "path": "/"}
    context.add_cookies([cookie])  # type: ignore[list-item]
    return context.new_page()


def order() -> str:
    return " ".join(f"{row.key}@{row.stage.key}" for row in Touchpoint.objects.select_related("stage"))


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_touchpoints_are_placed_by_drag_by_keyboard_and_by_menu(base: str, page: Page) -> None:
    complaints = complaints_of(page)
    page.goto(f"{base}/journey/arrange/")
    said = page.get_by_role("status")
    card = {name: page.get_by_role("listitem").filter(has_text=name) for name in ("Advert", "Visit", "Order")}
    handle = {name: page.get_by_role("button", name=f"Move {name}") for name in card}
    # By drag: onto the empty sub-step, then before another card.
    card["Advert"].drag_to(page.get_by_role("region", name="Pay").get_by_role("list"))
    expect(said).to_have_text("“Advert” lies on “Buy › Pay”, 1 of 1.")
    assert order() == "visit@find order@buy advert@pay"
    card["Visit"].drag_to(card["Order"], target_position={"x": 40, "y": 3})
    expect(said).to_have_text("“Visit” lies on “Buy”, 1 of 2.")
    assert order() == "visit@buy order@buy advert@pay"
    # By keyboard: lifted, moved, put back; lifted, moved through the column and to the stage beside it, dropped.
    handle["Visit"].focus()
    page.keyboard.press("Space")
    expect(said).to_contain_text("“Visit” lifted: Buy, 1 of 2.")
    expect(handle["Visit"]).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowDown")
    expect(said).to_have_text("Buy, 2 of 2")
    page.keyboard.press("Escape")
    expect(said).to_have_text("“Visit” is back where it was.")
    expect(handle["Visit"]).to_be_focused()
    assert barriers_of(page, complaints) == []
    page.keyboard.press("Space")
    press(page, "ArrowDown", "ArrowDown", "ArrowDown")
    expect(said).to_have_text("Buy › Pay, 2 of 2")
    press(page, "ArrowUp", "Space")
    expect(said).to_have_text("“Visit” lies on “Buy › Pay”, 1 of 2.")
    expect(handle["Visit"]).to_be_focused()
    press(page, "Space", "ArrowLeft", "Space")
    expect(said).to_have_text("“Visit” lies on “Find”, 1 of 1.")
    assert order() == "visit@find order@buy advert@pay"
    # Whoever leaves a lifted card leaves it where it was.
    press(page, "Space", "ArrowRight", "Tab")
    expect(said).to_have_text("“Visit” is back where it was.")
    # Somebody else is faster: the page says so and shows the map as it is.
    pk = Touchpoint.objects.get(key="order").pk
    arranging.put_touchpoint(touchpoint_id=pk, stage_id=Touchpoint.objects.get(key="visit").stage_id)
    page.get_by_label("Menu of Advert").click()
    page.get_by_role("button", name="To the stage before").click()
    expect(said).to_contain_text("Somebody else changed the map meanwhile.")
    expect(page.get_by_role("region", name="Find").get_by_text("Order")).to_be_visible()
    page.get_by_label("Menu of Pay").click()
    assert barriers_of(page, complaints) == []
    page.get_by_role("button", name="Make it a stage").click()
    expect(said).to_have_text("“Pay” is stage 3 of 3.")
    assert order() == "visit@find order@find advert@pay"
    assert [text for text in complaints if "409" not in text] == []
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert barriers_of(page, complaints) == []
