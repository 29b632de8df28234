"""Cases in a browser: the list by keyboard, the board by drag and by keyboard, a case's page; nothing complains."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from apps.accounts.models import User
from apps.cases.models import Case, CaseView, Outcome
from tests.browsing import DESKTOP, PHONE, barriers_of, base, chromium, complaints_of, database
from tests.workspace.conftest import HOST, make_setup
from tests.workspace.test_cases import cases_of

pytestmark = pytest.mark.chromium
__all__ = ["base", "chromium", "database"]


@pytest.fixture
def chief(base: str) -> User:
    """Who looks at the pages."""
    return User.objects.create_superuser("chief", first_name="Ada", last_name="Byron")


@pytest.fixture
def page(chief: User, chromium: Browser, now: datetime) -> Page:
    """A page of somebody who is signed in; four cases are open, one is in touch."""
    soon = now + timedelta(days=3)
    cases_of(
        make_setup(), now,
        Ann={"due_at": now - timedelta(days=1), "comment": "Too slow."}, Ben={"due_at": soon, "is_urgent": True},
        Cid={"due_at": soon + timedelta(1)}, Dan={"due_at": soon + timedelta(2)},
        Eve={"status": "contacted", "first_contact_at": now, "comment": "A very long comment " * 20},
    )  # fmt: skip
    Outcome.objects.create(name={"en": "Refunded"})
    client = Client(headers={"host": HOST})
    client.force_login(chief)
    context = chromium.new_context(viewport=DESKTOP, locale="en-GB")  # type: ignore[arg-type]
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "domain": HOST, "path": "/"}
    context.add_cookies([cookie])  # type: ignore[list-item]
    return context.new_page()


def state(name: str) -> Case:
    return Case.objects.get(contact__name=name)


def test_the_list_is_worked_by_keyboard(base: str, page: Page, chief: User) -> None:
    complaints = complaints_of(page)
    page.goto(f"{base}/cases/")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Ann")).to_be_focused()
    page.keyboard.press("a")
    expect(page.get_by_text("1 case changed.")).to_be_visible()
    assert state("Ann").owner == chief
    # One stands where one stood, and goes on.
    expect(page.get_by_role("link", name="Ann")).to_be_focused()
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    expect(page.get_by_text("The ticked cases: 2")).to_be_visible()
    page.keyboard.press("c")
    expect(page.get_by_text("2 cases changed.")).to_be_visible()
    assert {state(name).status for name in ("Ben", "Cid")} == {"contacted"}
    # Keys mean nothing to who types; the help lists them.
    page.keyboard.press("/")
    page.keyboard.type("jaxe?")
    expect(page.get_by_label("Search", exact=True)).to_have_value("jaxe?")
    page.get_by_label("Search", exact=True).fill("")
    page.get_by_role("heading", name="Cases").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert barriers_of(page, complaints) == []
    page.keyboard.press("Escape")
    # From here to there with shift, then closed together.
    page.get_by_label("Tick the case of Ann").click()
    page.get_by_label("Tick the case of Cid").click(modifiers=["Shift"])
    expect(page.get_by_text("The ticked cases: 3")).to_be_visible()
    page.keyboard.press("e")
    page.get_by_label("Outcome", exact=True).locator("visible=true").select_option(label="Refunded")
    assert barriers_of(page, complaints) == []
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("3 cases changed.")).to_be_visible()
    assert {state(name).status for name in ("Ann", "Ben", "Cid")} == {"solved"}
    page.get_by_label("Status", exact=True).first.select_option(label="Closed")
    page.get_by_text("Save this list").click()
    page.get_by_label("name").fill("Done ones")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="Done ones")).to_have_attribute("aria-current", "page")
    assert CaseView.objects.get().query == "status=closed"
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.get_by_label("Tick the case of Ann").check()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert barriers_of(page, complaints) == []
    assert complaints == []


def test_cards_are_dragged_and_moved_by_keys_and_come_back_when_refused(base: str, page: Page) -> None:
    complaints = complaints_of(page)
    page.goto(f"{base}/cases/board/")
    column = {name: page.get_by_role("region", name=name) for name in ("New", "Contacted", "Solved", "Lost")}
    page.get_by_role("listitem").filter(has_text="Ann").drag_to(column["Contacted"])
    expect(page.get_by_role("status")).to_have_text("Ann is in “Contacted” now.")
    assert state("Ann").status == "contacted"
    # By keys, with the focus staying on the card.
    page.get_by_role("link", name="Ben").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Cid")).to_be_focused()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_role("status")).to_have_text("Cid is in “Contacted” now.")
    expect(column["Contacted"].get_by_role("link", name="Cid")).to_be_focused()
    # Closing asks how it ended, and keeps what was typed when one thinks again.
    page.keyboard.press("m")
    page.get_by_role("button", name="Lost").click()
    dialog = page.get_by_role("dialog", name="Close the case of Cid")
    dialog.get_by_label("In a sentence").fill("He moved.")
    assert barriers_of(page, complaints) == []
    page.keyboard.press("Escape")
    expect(column["Contacted"].get_by_role("link", name="Cid")).to_be_focused()
    page.keyboard.press("m")
    page.get_by_role("button", name="Lost").click()
    expect(dialog.get_by_label("In a sentence")).to_have_value("He moved.")
    dialog.get_by_role("button", name="Close the case").click()
    expect(column["Lost"].get_by_role("link", name="Cid")).to_be_focused()
    assert (state("Cid").status, state("Cid").outcome) == ("lost", "He moved.")
    # Somebody else was faster: the card goes to where it is.
    Case.objects.filter(pk=state("Dan").pk).update(status="contacted", revision=5)
    page.get_by_role("link", name="Dan").focus()
    page.keyboard.press("m")
    page.get_by_role("button", name="Contacted").click()
    expect(page.get_by_role("status")).to_have_text("Not moved: Somebody else changed it meanwhile.")
    expect(column["Contacted"].get_by_role("link", name="Dan")).to_be_focused()
    assert [text for text in complaints if "409" not in text] == []
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert barriers_of(page, complaints) == []


def test_a_case_is_talked_about_and_closed_on_its_page(base: str, page: Page) -> None:
    complaints = complaints_of(page)
    Case.objects.filter(pk=state("Dan").pk).update(contact=state("Ann").contact)
    page.goto(f"{base}/cases/{Case.objects.get(response__comment='Too slow.').pk}/")
    page.get_by_text("Merge …").click()
    dialog = page.get_by_role("dialog", name="Merge …")
    dialog.get_by_role("checkbox").check()
    assert barriers_of(page, complaints) == []
    dialog.get_by_role("button", name="Merge into this case").click()
    expect(page.get_by_text("1 case went into this one.")).to_be_visible()
    note = page.get_by_label("Note", exact=True)
    note.press_sequentially("Look, @by")
    expect(page.get_by_role("listbox", name="Colleagues").get_by_role("option", name="Ada Byron")).to_be_visible()
    assert barriers_of(page, complaints) == []
    page.keyboard.press("Enter")
    expect(note).to_have_value("Look, @Ada Byron ")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_text("Look, @Ada Byron")).to_be_visible()
    page.get_by_text("Mail to the contact").click()
    expect(page.get_by_label("Subject")).to_be_visible()
    expect(note).to_be_hidden()
    assert barriers_of(page, complaints) == []
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.get_by_role("link", name="Close …").click()
    expect(page.get_by_label("Outcome", exact=True)).to_be_focused()
    page.get_by_label("Outcome", exact=True).select_option(label="Refunded")
    page.get_by_role("button", name="Close the case").click()
    expect(page.get_by_text("Case closed.")).to_be_visible()
    assert barriers_of(page, complaints) == []
    assert complaints == []
