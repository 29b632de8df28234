"""In a browser: contrast is told while a colour is typed, texts are copied, and a poster fits on its paper."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from apps.common.colours import contrast, readable_accent, text_on
from apps.surveys import library
from apps.surveys.models import Survey, Theme
from tests.admin.test_rule_builder_chromium import DESK, PHONE, address, browser, open_page, tenant  # noqa: F401
from tests.surveys.test_library import NOW

pytestmark = pytest.mark.chromium
FITS = """() => {
  const paper = document.querySelector(".sheet").getBoundingClientRect();
  return ["header", ".questions", ".code", ".how", "footer"].every((part) => {
    const element = document.querySelector(`.sheet ${part}`), box = element.getBoundingClientRect();
    return box.top >= paper.top - 1 && box.bottom <= paper.bottom + 1 && element.scrollHeight <= box.height + 1;
  });
}"""


@pytest.fixture
def survey(tenant: Any) -> Survey:  # noqa: F811
    row = library.create("order-received", "shop", NOW)
    row.is_public = True
    row.save()
    return row


@pytest.fixture
def page(browser: Browser, address: str, survey: Survey) -> Any:  # noqa: F811
    opened, complaints = open_page(browser, address, DESK)
    yield opened
    opened.context.close()
    assert not complaints


def test_contrast_is_told_live_and_a_better_colour_is_taken(page: Page, address: str) -> None:  # noqa: F811
    page.goto(f"{address}/admin/surveys/theme/add/")
    page.locator("#id_brand_name").fill("Nordwind")
    accent, said = page.locator("#id_accent"), page.locator(".colour-said")
    expect(said).to_have_text("Contrast 5.4:1: reads well.")
    for colour in ("#f5a623", "#0f766e", "#7b7b7b", "#808080", "#ff0000", "#0000ff", "#00ffff", "#c08457", "#123456"):
        accent.fill(colour)
        ratio = int(contrast(colour, text_on(colour)) * 10) / 10
        expect(said).to_contain_text(f"Contrast {ratio}:1")
        take = page.locator(".colour-take")
        expect(take).to_be_visible(visible=readable_accent(colour) != colour)
        if readable_accent(colour) != colour:
            expect(take).to_have_text(f"Take {readable_accent(colour)}")
    accent.fill("#f5a623")
    page.locator("#id_on_accent").fill("#ffffff")
    expect(said).to_have_text("Contrast 2.0:1: WCAG AA asks for 4.5:1.")
    page.locator(".colour-take").click()
    expect(accent).to_have_value("#a56a07")
    page.locator("[name=_save]").first.click()
    page.wait_for_url("**/admin/**")
    expect(page.locator("body")).to_contain_text("Nordwind")
    assert Theme.objects.get().accent == "#a56a07"


@pytest.mark.parametrize("paper", ["a4", "a5", "letter"])
def test_a_poster_fits_on_its_paper_however_long_the_question(
    page: Page,
    address: str,  # noqa: F811
    survey: Survey,
    paper: str,
) -> None:
    page.emulate_media(media="print")
    for times in (1, 2, 3):
        question = survey.questions.get(kind="nps")
        question.text = {code: " ".join([text] * times)[:500] for code, text in question.text.items()}
        question.save()
        Survey.objects.update(current_version=None)
        for language in ("en", "de", "both"):
            page.goto(f"{address}/admin/surveys/survey/{survey.pk}/share/poster/?paper={paper}&poster={language}")
            assert page.evaluate(FITS), (times, language)
    expect(page.locator(".tools")).to_be_hidden()


def test_a_link_is_copied_and_a_phone_shows_it_without_moving_sideways(
    browser: Browser,  # noqa: F811
    address: str,  # noqa: F811
    survey: Survey,
) -> None:
    phone, complaints = open_page(browser, address, PHONE)
    phone.goto(f"{address}/admin/surveys/survey/{survey.pk}/share/")
    first = phone.locator(".share-copy button").first
    expect(first).to_have_text("Copy")
    first.click()
    expect(first).to_have_text("Copied")
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.goto(f"{address}/admin/surveys/survey/library/")
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.context.close()
    assert not complaints
