"""A survey is built in a browser by somebody who has never seen JSON: by mouse, by keyboard, on a phone, in German."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django_tenants.utils import tenant_context
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from apps.accounts.models import User
from apps.surveys.models import Survey
from apps.tenants.models import Tenant
from apps.tenants.provisioning import create_tenant
from tests import factories
from tests.admin.conftest import client_for
from tests.browsing import chromium_running, served

pytestmark = pytest.mark.chromium
HOST = "umfragen.localhost"
DESK = {"width": 1440, "height": 1000}
PHONE = {"width": 390, "height": 844}
SURVEYS = "/admin/surveys/survey/"
SHOTS = os.environ.get("SHOTS", "")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with chromium_running() as started:
        yield started


@pytest.fixture
def tenant(autocommit: None) -> Iterator[Tenant]:
    """A tenant of this test's own: what the server is to see must be committed."""
    row = create_tenant(schema_name="umfragen", name="Umfragen", host=HOST)
    with tenant_context(row):
        factories.theme()
        yield row
    row.delete(force_drop=True)


@pytest.fixture
def address(tenant: Tenant) -> Iterator[str]:
    """Where the tenant's pages are served, with a connection of the server's own."""
    with served() as port:
        yield f"http://{HOST}:{port}"


def open_page(browser: Browser, address: str, size: Any, **options: Any) -> tuple[Page, list[str]]:
    """A page of somebody signed in, and what the console complains about."""
    user = User.objects.filter(username="chief").first() or User.objects.create_superuser("chief", "c@x.example")
    cookie = client_for(user, HOST).cookies["sessionid"].value
    context = browser.new_context(viewport=size, **{"locale": "en-GB", **options})
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": address}])
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    loud = {"error", "warning"}
    page.on("console", lambda message: complaints.append(message.text) if message.type in loud else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, complaints


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A desk's page, on which nothing may be complained about: no error, no breach of the security policy."""
    opened, complaints = open_page(browser, address, DESK)
    opened.goto(f"{address}{SURVEYS}add/")
    yield opened
    opened.context.close()
    assert not complaints


def shoot(page: Page, name: str) -> None:
    """A picture for whoever wants to look: SHOTS=/some/folder."""
    if SHOTS:
        page.wait_for_timeout(900)
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)
        page.evaluate("scrollTo(0, 1500)")
        page.screenshot(path=str(Path(SHOTS) / f"{name}-view.png"))


def card(page: Page, number: int) -> Locator:
    return page.get_by_role("group", name=f"Question {number}", exact=True)


def frame(page: Page) -> FrameLocator:
    """What the preview shows now."""
    return page.frame_locator(".preview-stage iframe:not(.preview-coming)")


def add(page: Page, kind: str, text: str) -> Locator:
    """Add a question by mouse."""
    page.locator("#questions-group .add-row").click()
    fresh = page.locator("#questions-data > .form-group:not(.empty-form):not([hidden])").last
    fresh.locator("select[name$=-kind]").select_option(kind)
    fresh.locator("input[name$=-text_en]").fill(text)
    fresh.locator("input[name$=-text_en]").blur()
    return fresh


def begin(page: Page) -> None:
    """Name, recommendation question."""
    page.locator("[name=name_en]").fill("Delivery")
    page.locator("[name=key]").fill("delivery")
    add(page, "nps", "How likely are you to recommend us?")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def option(of: Locator, *texts: str) -> None:
    for text in texts:
        of.get_by_role("button", name="Add an option").click()
        of.locator(".s-option").last.get_by_role("textbox").first.fill(text)
        of.locator(".s-option").last.get_by_role("textbox").first.blur()


def compare(of: Locator, number: int, field: str, operator: str, value: str = "") -> None:
    """Fill in one comparison by mouse."""
    of.get_by_role("button", name="Add a comparison").click()
    row = of.get_by_role("group", name=f"Comparison {number}", exact=True)
    row.get_by_label("What is compared").select_option(label=field)
    row.get_by_label("How it is compared").select_option(label=operator)
    if value:
        row.get_by_label("Value").select_option(label=value)


def build(page: Page) -> None:
    """A survey with a choice, and a question for those who chose one thing and are unhappy."""
    begin(page)
    choice = add(page, "single", "What went wrong?")
    option(choice, "Too late", "Broken")
    detail = add(page, "text", "What was broken?")
    compare(detail, 1, "What went wrong?", "is", "Broken")
    compare(detail, 2, "promoter, passive or detractor", "is not", "promoters")


CONDITION = {
    "all": [
        {"field": "answer.what-went-wrong", "op": "eq", "value": "broken"},
        {"field": "response.segment", "op": "ne", "value": "promoter"},
    ]
}


def test_a_survey_is_built_by_mouse(page: Page) -> None:
    build(page)
    shoot(page, "built")
    save(page)
    page.wait_for_url(re.compile(f"{SURVEYS}$"))
    found = {q.key: q for q in Survey.objects.get().questions.all()}
    assert list(found) == ["nps", "what-went-wrong", "what-was-broken"]
    assert [o["key"] for o in found["what-went-wrong"].options] == ["too-late", "broken"]
    assert found["what-was-broken"].show_if == CONDITION


def test_a_survey_is_built_by_keyboard(page: Page) -> None:
    page.locator("[name=name_en]").focus()
    page.keyboard.type("Delivery")
    page.locator("[name=key]").focus()
    page.keyboard.type("delivery")
    page.locator("#questions-group .add-row").focus()
    page.keyboard.press("Enter")
    expect(card(page, 1).locator("select[name$=-kind]")).to_be_focused()
    page.keyboard.type("recomm")
    page.keyboard.press("Tab")
    page.keyboard.type("How likely?")
    page.locator("#questions-group .add-row").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("one of")
    page.keyboard.press("Tab")
    page.keyboard.type("What?")
    card(page, 2).get_by_role("button", name="Add an option").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("Price")
    page.keyboard.press("Enter")
    page.keyboard.type("Speed")
    card(page, 2).get_by_role("button", name="Move question 2 up").focus()
    page.keyboard.press("Enter")
    expect(card(page, 1).locator("h3 strong")).to_contain_text("What?")
    expect(card(page, 1).get_by_role("button", name="Move question 1 down")).to_be_focused()
    page.keyboard.press("Enter")
    expect(card(page, 1).locator("h3 strong")).to_contain_text("How likely?")
    save(page)
    page.wait_for_url(re.compile(f"{SURVEYS}$"))
    survey = Survey.objects.get()
    assert list(survey.questions.values_list("key", "position")) == [("nps", 0), ("what", 1)]
    assert [o["key"] for o in survey.questions.get(key="what").options] == ["price", "speed"]


def test_only_what_the_kind_needs_is_asked(page: Page) -> None:
    begin(page)
    fresh = add(page, "rating", "Speed")
    shown = {
        "rating": ["style", "low_label"], "single": ["options"], "scale": ["low", "high", "low_label"], "text": [],
        "multiple": ["options"], "csat": ["style", "low_label"], "yes_no": [],
    }  # fmt: skip
    for kind, expected in shown.items():
        fresh.locator("select[name$=-kind]").select_option(kind)
        for name in ("style", "options", "low", "high", "low_label"):
            row = fresh.locator(f".field-{name}").first
            expect(row).to_be_visible() if name in expected else expect(row).to_be_hidden()
    expect(card(page, 1).locator(".field-show_if")).to_be_hidden()
    expect(fresh.locator(".field-show_if")).to_be_visible()


def test_questions_are_dragged_and_taken_away(page: Page) -> None:
    begin(page)
    add(page, "rating", "Speed")
    add(page, "yes_no", "Again?")
    for number in (1, 2, 3):
        card(page, number).get_by_role("button", name=re.compile("show or hide")).click()
    card(page, 3).locator(".s-handle").drag_to(card(page, 2).locator("h3"), target_position={"x": 60, "y": 4})
    expect(card(page, 2).locator("h3 strong")).to_contain_text("Again?")
    add(page, "text", "Why?")
    card(page, 2).locator(".delete-template").click()
    expect(card(page, 3).locator("h3 strong")).to_contain_text("Why?")
    expect(card(page, 3).locator("input[name$=-text_en]")).to_have_value("Why?")  # What others say is kept.
    save(page)
    page.wait_for_url(re.compile(f"{SURVEYS}$"))
    assert list(Survey.objects.get().questions.values_list("key", flat=True)) == ["nps", "speed", "why"]


def test_what_is_wrong_stands_at_its_question_and_all_is_kept(page: Page) -> None:
    build(page)
    card(page, 3).get_by_role("button", name="Move question 3 up").click()
    moved = card(page, 2).get_by_role("group", name="Comparison 1").get_by_label("What is compared")
    expect(moved.locator("option:checked")).to_have_text("what-went-wrong (not asked before)")
    save(page)
    wrong = card(page, 2)
    expect(wrong.locator(".errors")).to_contain_text("The question “What went wrong?” comes later")
    expect(wrong.locator(".s-row").first).to_have_class(re.compile("s-wrong"))
    expect(wrong.locator(".s-row").last).not_to_have_class(re.compile("s-wrong"))
    expect(card(page, 3).locator("[name$=-text_en]")).to_have_value("What went wrong?")
    shoot(page, "wrong")
    assert not Survey.objects.exists()
    card(page, 2).get_by_role("button", name="Move question 2 down").click()
    save(page)
    page.wait_for_url(re.compile(f"{SURVEYS}$"))
    assert Survey.objects.get().questions.get(key="what-was-broken").show_if == CONDITION


def test_what_can_never_be_shown_is_said_so(page: Page) -> None:
    begin(page)
    rating = add(page, "rating", "Speed")
    compare(rating, 1, "promoter, passive or detractor", "is", "promoters")
    compare(rating, 2, "promoter, passive or detractor", "is", "detractors")
    save(page)
    expect(card(page, 2).locator(".errors")).to_contain_text("This question can never be shown")
    card(page, 2).get_by_label("How the comparisons below are combined").select_option("any")
    save(page)
    page.wait_for_url(re.compile(f"{SURVEYS}$"))


def test_the_preview_follows_what_is_typed(page: Page) -> None:
    expect(frame(page).locator("body")).to_contain_text("Add a question")
    build(page)
    expect(frame(page).locator("h1")).to_have_text("How likely are you to recommend us?")
    card(page, 1).locator("[name$=-text_en]").fill("Would you come back?")
    card(page, 1).locator("[name$=-text_de]").fill("Kommen Sie wieder?")
    expect(frame(page).locator("h1")).to_have_text("Would you come back?")
    page.get_by_label("Language", exact=True).select_option("de")
    expect(frame(page).locator("h1")).to_have_text("Kommen Sie wieder?")
    page.get_by_label("Page", exact=True).select_option("Page 2")
    expect(frame(page).locator("body")).to_contain_text("What went wrong?")
    page.get_by_label("Page", exact=True).select_option("Thanks")
    page.get_by_label("Answered as").select_option("promoter (9)")
    expect(frame(page).locator("h1")).to_have_text("Vielen Dank!")
    page.get_by_role("button", name="Computer").click()
    assert page.locator(".preview-stage iframe").last.evaluate("f => f.contentWindow.innerWidth") == 900
    page.get_by_role("button", name="Telephone").click()
    assert page.locator(".preview-stage iframe").last.evaluate("f => f.contentWindow.innerWidth") == 390
    assert page.evaluate("history.length") <= 2
    assert not Survey.objects.exists()


def test_nothing_can_be_sent_from_the_preview(page: Page) -> None:
    begin(page)
    expect(frame(page).locator("h1")).to_be_visible()
    expect(frame(page).locator("main button")).to_be_disabled()
    assert frame(page).locator("script").count() == 0


def test_a_deep_condition_stays_text(browser: Browser, address: str) -> None:
    survey = factories.SurveyFactory()
    deep = {"any": [{"not": {"field": "response.score", "op": "ge", "value": 9}}]}
    survey.questions.filter(key="delivery").update(show_if=deep)
    page, complaints = open_page(browser, address, DESK)
    page.goto(f"{address}{SURVEYS}{survey.pk}/change/")
    card(page, 3).get_by_role("button", name=re.compile("show or hide")).click()
    expect(card(page, 3).locator("textarea[name$=show_if]")).to_be_visible()
    expect(card(page, 3)).to_contain_text("cannot be shown as rows")
    save(page)
    page.wait_for_url(re.compile(f"{SURVEYS}$"))
    assert survey.questions.get(key="delivery").show_if == deep
    page.context.close()
    assert not complaints


def test_a_version_is_looked_at(page: Page, address: str) -> None:
    build(page)
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_role("link", name="Version 1").click()
    expect(frame(page).locator("h1")).to_have_text("How likely are you to recommend us?")
    page.get_by_label("Page", exact=True).select_option("Page 2")
    expect(frame(page).locator("body")).to_contain_text("What went wrong?")
    shoot(page, "version")
    page.get_by_role("link", name="Back to the survey").click()
    page.get_by_role("button", name="Duplicate").click()
    expect(page.locator("[name=key]")).to_have_value("delivery-copy")
    page.get_by_role("button", name="Archive").click()
    expect(page.locator("body")).to_contain_text("In the archive since")


def test_without_the_editors_scripts_it_is_done_with_text(browser: Browser, address: str) -> None:
    survey = factories.SurveyFactory()
    page, _complaints = open_page(browser, address, DESK)
    page.route("**/static/surveys/*.js", lambda route: route.abort())
    page.goto(f"{address}{SURVEYS}{survey.pk}/change/")
    page.locator("[name=questions-2-show_if]").fill('{"field": "response.score", "op": "lt", "value": 7}')
    page.get_by_role("button", name="Refresh").click()
    expect(page.frame_locator("iframe[name=preview-frame]").locator("h1")).to_contain_text("recommend")
    save(page)
    page.wait_for_url(re.compile(f"{SURVEYS}$"))
    assert survey.questions.get(key="delivery").show_if == {"field": "response.score", "op": "lt", "value": 7}
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_it_fits_and_reads_well(browser: Browser, address: str, size: Any, scheme: Any) -> None:
    page, complaints = open_page(browser, address, size, color_scheme=scheme)
    page.goto(f"{address}{SURVEYS}add/")
    build(page)
    expect(frame(page).locator("h1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    if size is DESK:  # Beside the form, and in sight however far down one is.
        page.evaluate("scrollTo(0, 1200)")
        expect(page.locator(".preview-stage")).to_be_in_viewport(ratio=0.8)
    shoot(page, f"{size['width']}-{scheme}")
    page.context.close()
    assert not complaints


def test_it_speaks_german(browser: Browser, address: str) -> None:
    survey = factories.SurveyFactory()
    survey.questions.filter(key="delivery").update(
        show_if={"all": [{"field": "response.score", "op": "le", "value": 6.5}, {"field": "contact.x", "op": "in",
                                                                                 "value": ["a", "b"]}]}
    )  # fmt: skip
    page, complaints = open_page(browser, address, PHONE, locale="de-DE")
    page.goto(f"{address}{SURVEYS}{survey.pk}/change/")
    assert page.locator("html").get_attribute("lang") == "de"
    expect(frame(page).locator("h1")).to_have_text("Würden Sie uns empfehlen?")
    last = page.locator("#questions-data > .form-group:not(.empty-form)").last
    last.locator(".s-toggle").click()
    expect(last.locator(".s-row").first.locator(".s-value")).to_have_value("6,5")
    expect(last.locator(".s-row").last.locator("input.s-value")).to_have_value("a; b")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    shoot(page, "390-german")
    page.context.close()
    assert not complaints
