"""A sequence is built in a browser as a picture: by mouse, by keyboard, on a phone, in the light and in the dark."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from apps.accounts.models import User
from apps.campaigns.models import Campaign
from apps.incentives.models import VoucherPool
from tests import factories
from tests.admin.conftest import client_for
from tests.browsing import DESKTOP, HOST, PHONE, base, chromium, complaints_of, database  # noqa: F401

pytestmark = pytest.mark.chromium
MAIL = {"key": "mail", "kind": "email", **factories.MAIL}
WAIT = {"key": "wait", "kind": "wait", "seconds": 86400}
BRANCH = {
    "key": "low", "kind": "branch", "condition": {"field": "response.score", "op": "le", "value": 2},
    "yes": [{"key": "case", "kind": "case"}], "no": [{"key": "tag", "kind": "tag", "add": ["ok"]}],
}  # fmt: skip


@pytest.fixture
def address(base: str) -> str:  # noqa: F811
    """Where the tenant's pages are, with a pool to give vouchers from."""
    User.objects.create_superuser("chief", "chief@example.com")
    VoucherPool.objects.create(name="Five euros", value={"en": "5 €"}, kind="generated", pattern="T-####-####")
    return base


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:  # noqa: F811
    """A desk's page, on which nothing may be complained about: no error, no breach of the security policy."""
    opened, complaints = opened_page(chromium, address, DESKTOP)
    yield opened
    assert not complaints


def opened_page(browser: Browser, address: str, size: Any, scheme: Any = "light") -> tuple[Page, list[str]]:
    cookie = client_for(User.objects.get(username="chief"), HOST).cookies["sessionid"].value
    context = browser.new_context(viewport=size, locale="en-GB", color_scheme=scheme, reduced_motion="reduce")
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": address}])
    opened = context.new_page()
    opened.set_default_timeout(15_000)
    return opened, complaints_of(opened)


def edit(page: Page, address: str, steps: list[Any]) -> Campaign:
    """The page of a campaign with this draft."""
    campaign: Campaign = factories.CampaignFactory(name="Sorry", segment="detractor", draft={"steps": steps})
    page.goto(f"{address}/admin/campaigns/campaign/{campaign.pk}/change/")
    told(page)
    return campaign


def told(page: Page) -> None:
    """Wait until the server has said what the picture is to say."""
    page.wait_for_selector("[data-asked=done]", state="attached")


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name=name, exact=True)


def barriers_of(page: Page, complaints: list[str], part: str) -> list[str]:
    """What axe finds in our part of the page; the rest is the admin's own. Its own styles do not count."""
    before = len(complaints)
    found = Axe().run(page, part).response["violations"]
    page.wait_for_timeout(50)
    del complaints[before:]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


def add(page: Page, where: str, kind: str) -> Locator:
    """Insert a step by mouse; returns the panel with its form."""
    page.get_by_role("button", name=where, exact=True).click()
    page.locator(f".f-dialog .f-kind-{kind}").click()
    return page.get_by_role("dialog")


def done(panel: Locator) -> None:
    panel.get_by_role("button", name="Done").click()


def publish(page: Page, text: str = "Version 1 is published") -> Campaign:
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text(text)).to_be_visible()
    return Campaign.objects.select_related("current_version").get()


def test_a_sequence_with_a_branch_is_built_by_mouse_and_published(page: Page, address: str) -> None:
    page.goto(f"{address}/admin/campaigns/campaign/add/")
    page.locator("#id_name").fill("Win back")
    page.locator("#id_segment").select_option("detractor")
    panel = add(page, "Add the first step", "email")
    panel.get_by_role("group", name="Subject", exact=True).get_by_label("English").fill("Sorry, ")
    panel.get_by_text("Variables", exact=True).click()
    panel.get_by_role("button", name="{{ first_name }}").click()
    panel.get_by_role("group", name="Text", exact=True).get_by_label("English").fill("You gave {{ score }}.")
    panel.locator(".f-preview > summary").click()
    expect(panel.locator(".f-subject")).to_have_text("Sorry, Ada")
    expect(panel.frame_locator("iframe").locator("body")).to_contain_text("You gave 2.")
    done(panel)
    expect(card(page, "Step 1: e-mail").locator(".f-text")).to_have_text("“Sorry, {{ first_name }}”")
    panel = add(page, "Insert a step after step 1", "branch")
    panel.get_by_role("button", name="Add a comparison").click()
    panel.get_by_label("What is compared").select_option(label="a case is open")
    panel.get_by_label("Value").select_option(label="yes")
    done(panel)
    expect(card(page, "Step 2: branch").locator(".f-text")).to_have_text("A case is open?")
    expect(card(page, "Step 2: branch")).to_contain_text("Both ways are empty")
    done(add(page, "Insert a step at the beginning of “yes” of step 2", "voucher"))
    expect(card(page, "Step 3: voucher")).to_contain_text("Voucher pool: fill this in.")
    page.locator(".f-link").click()
    expect(card(page, "Step 3: voucher").locator(".f-open")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_label("Voucher pool").select_option(label="Five euros")
    done(page.get_by_role("dialog"))
    expect(page.locator(".f-summary")).to_have_text("Ready to be published.")
    below = page.get_by_role("button", name="Insert a step after step 2", exact=True)
    card(page, "Step 3: voucher").locator(".f-open").drag_to(below)  # Below the branch; nothing is left in it.
    expect(card(page, "Step 2: branch")).to_contain_text("Both ways are empty")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".f-summary")).to_have_text("Ready to be published.")
    campaign = publish(page)
    assert campaign.current_version is not None
    mail, branch = campaign.current_version.document["steps"]
    assert (mail["subject"], mail["body"]) == ({"en": "Sorry, {{ first_name }}"}, {"en": "You gave {{ score }}."})
    assert branch["condition"] == {"all": [{"field": "case.open", "op": "eq", "value": True}]}
    assert [step["pool"] for step in branch["yes"]] == [VoucherPool.objects.get().pk]


def tab_to(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Get there by the Tab key alone."""
    for _ in range(60):
        page.keyboard.press(key)
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"Tab does not lead to {wanted}")


def test_another_is_changed_by_keyboard_alone(page: Page, address: str) -> None:
    campaign = edit(page, address, [MAIL, WAIT, BRANCH])
    keyboard = page.keyboard
    page.get_by_role("button", name="Edit as text").focus()
    tab_to(page, card(page, "Step 1: e-mail").locator(".f-open"))
    keyboard.press("Alt+ArrowDown")  # Behind the wait, and the focus stays with it.
    expect(card(page, "Step 2: e-mail").locator(".f-open")).to_be_focused()
    tab_to(page, page.get_by_role("button", name="What to do with step 2"))
    keyboard.press("Enter")
    keyboard.press("ArrowDown")
    keyboard.press("ArrowDown")
    keyboard.press("Enter")  # Into “yes”.
    expect(card(page, "Step 3: e-mail").locator(".f-open")).to_be_focused()
    tab_to(page, page.get_by_role("button", name="Insert a step after step 3", exact=True))
    keyboard.press("Enter")
    tab_to(page, page.locator(".f-dialog .f-kind-wait"))
    keyboard.press("Enter")
    panel = page.get_by_role("dialog")
    expect(panel.get_by_label("Wait for")).to_be_focused()
    tab_to(page, panel.get_by_label("How long", exact=True))
    keyboard.press("Control+A")
    keyboard.type("2")
    keyboard.press("Enter")
    expect(card(page, "Step 4: wait").locator(".f-text")).to_have_text("2 days later")
    tab_to(page, page.get_by_role("button", name="What to do with step 6"))
    keyboard.press("Enter")
    keyboard.press("ArrowUp")
    keyboard.press("Enter")  # The last is “Delete”.
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    tab_to(page, page.get_by_role("button", name="Publish"))
    keyboard.press("Enter")
    expect(page.get_by_text("Version 1 is published")).to_be_visible()
    campaign.refresh_from_db()
    wait, branch = campaign.draft["steps"]
    assert [wait["key"], branch["key"]] == ["wait", "low"]
    assert [step["kind"] for step in branch["yes"]] == ["email", "wait", "case"]
    assert branch["yes"][1]["seconds"] == 172800
    assert branch["no"] == []


def test_mistakes_are_told_at_the_card_and_nothing_typed_is_lost(page: Page, address: str) -> None:
    campaign = edit(page, address, [MAIL, BRANCH])
    card(page, "Step 1: e-mail").locator(".f-open").click()
    panel = page.get_by_role("dialog")
    subject = panel.get_by_role("group", name="Subject", exact=True)
    subject.get_by_label("English").fill("Hi {{ nobody }}")
    expect(subject.locator(".f-error")).to_contain_text("there is no variable “nobody”")
    page.keyboard.press("Escape")  # Takes it back.
    expect(card(page, "Step 1: e-mail")).not_to_contain_text("nobody")
    card(page, "Step 1: e-mail").locator(".f-open").click()
    subject.get_by_label("English").fill("Hi {{ nobody }}")
    done(panel)
    expect(card(page, "Step 1: e-mail")).to_contain_text("there is no variable “nobody”")
    expect(card(page, "Step 2: branch").locator(".f-problems")).to_be_hidden()
    publish(page, "The draft is saved, but not published")
    told(page)
    expect(card(page, "Step 1: e-mail")).to_contain_text("there is no variable “nobody”")
    campaign.refresh_from_db()
    assert campaign.draft["steps"][0]["subject"]["en"] == "Hi {{ nobody }}"
    page.get_by_role("button", name="Edit as text").click()
    page.locator("#id_draft").fill('{"steps": [{"key": "a"')
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("#id_draft")).to_have_value('{"steps": [{"key": "a"')
    expect(page.get_by_text("This cannot be shown as a picture").first).to_be_visible()


def test_the_picture_is_accessible_and_fits_the_page(chromium: Browser, address: str) -> None:  # noqa: F811
    for size, scheme in ((DESKTOP, "light"), (PHONE, "dark")):
        page, complaints = opened_page(chromium, address, size, scheme)
        edit(page, address, [MAIL, {"key": "x", "kind": "voucher"}, WAIT, BRANCH])
        tops = [page.locator(f".f-{way}").bounding_box()["y"] for way in ("yes", "no")]  # type: ignore[index]
        assert (tops[0] == tops[1]) == (size is DESKTOP)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        page.get_by_role("button", name="What to do with step 1").click()
        assert barriers_of(page, complaints, ".seq") == []
        card(page, "Step 1: e-mail").locator(".f-open").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert barriers_of(page, complaints, ".f-dialog") == []
        page.context.close()
        assert not complaints
