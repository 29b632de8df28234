"""Every way to a survey in a browser: with and without script, phone and desktop, both languages, keyboard, axe."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from apps.common import tokens
from apps.responses.models import Response
from apps.surveys import versions
from apps.surveys.models import Invitation, Question, Survey, ThankYou
from tests import factories
from tests.browsing import AGENT, DESKTOP, PHONE, barriers_of, base, chromium, complaints_of, database

__all__ = ["base", "chromium", "database"]
pytestmark = pytest.mark.chromium
SHOTS = os.environ.get("SHOTS", "")
HUMAN_MS = 1300
WORDS = {
    "en": ("How likely are you", "Continue", "Send my answer", "Thank you!", "What went wrong?"),
    "de": ("Würden Sie uns", "Weiter", "Antwort senden", "Vielen Dank!", "Was lief schief?"),
}


in_every_pair = pytest.mark.parametrize(
    ("size", "language", "script"),
    [(PHONE, "de", True), (PHONE, "en", False), (DESKTOP, "de", False), (DESKTOP, "en", True)],
    ids=["phone-de-script", "phone-en-plain", "desktop-de-plain", "desktop-en-script"],
)


def make_survey() -> Survey:
    """A survey with a further page for those who were not happy, and thanks of its own for them."""
    survey = factories.SurveyFactory()
    Survey.objects.filter(pk=survey.pk).update(is_public=True, public_properties=["store"])
    Question.objects.filter(survey=survey, kind="rating").update(style="stars", position=3)
    add = Question.objects.create
    add(
        survey=survey, key="reason", kind="single", position=2, is_required=True,
        text={"en": "What was it about?", "de": "Worum ging es?"},
        options=[{"key": "late", "text": {"en": "Too late", "de": "Zu spät"}},
                 {"key": "broken", "text": {"en": "Broken", "de": "Kaputt"}}],
        show_if={"field": "response.segment", "op": "eq", "value": "detractor"},
    )  # fmt: skip
    add(
        survey=survey, key="mood", kind="csat", style="smileys", position=4,
        text={"en": "And the parcel?", "de": "Und das Paket?"},
    )  # fmt: skip
    add(
        survey=survey, key="again", kind="yes_no", position=5,
        text={"en": "Would you order again?", "de": "Würden Sie wieder bestellen?"},
    )  # fmt: skip
    add(
        survey=survey, key="parts", kind="multiple", position=6,
        text={"en": "What was missing?", "de": "Was fehlte?"},
        options=[{"key": k, "text": {"en": k.title(), "de": k.title()}} for k in ("lid", "screws")],
    )  # fmt: skip
    ThankYou.objects.create(
        survey=survey, segment="detractor", offers_call_back=True,
        text={"en": "We are sorry.", "de": "Das tut uns leid."},
    )  # fmt: skip
    versions.publish(survey_id=survey.pk, now=timezone.now())
    return survey


@pytest.fixture
def invite(base: str) -> Callable[[str], str]:
    """Invites somebody who reads one language; returns the link."""
    factories.theme()
    factories.TouchpointFactory()
    survey = make_survey()

    def make(language: str) -> str:
        token, now = tokens.new_token(), timezone.now()
        Invitation.objects.create(
            survey=survey, contact=factories.ContactFactory(locale=language), touchpoint=factories.TouchpointFactory(),
            reason=token, status="queued", send_at=now, give_up_at=now, created_at=now,
            token_hash=tokens.hash_token(token), link_expires_at=now + timedelta(days=1),
        )  # fmt: skip
        return f"{base}/s/{token}"

    return make


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Opens a browser as respondents have it."""
    opened = []

    def open_one(size: Any = DESKTOP, *, script: bool = True, **more: Any) -> BrowserContext:
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


def heading(page: Page) -> Any:
    return page.locator("h1").first


def is_answer(answer: Any) -> bool:
    """Whether it is to a posted answer, not to the page's word that it was opened."""
    return bool(answer.request.method == "POST" and not answer.url.endswith("/opened"))


@in_every_pair
def test_a_detractor_answers_the_personal_link(
    invite: Any, browser: Any, size: Any, language: str, *, script: bool
) -> None:
    page = browser(size, script=script).new_page()
    complaints = complaints_of(page)
    question, go_on, send, thanks, sorry = WORDS[language]
    name = f"personal-{language}-{size['width']}-{'js' if script else 'plain'}"
    page.goto(invite(language) + "?score=3")
    expect(heading(page)).to_contain_text(question)
    expect(page.get_by_text(sorry)).to_be_visible()
    shoot(page, f"{name}-1")
    if script:
        assert barriers_of(page, complaints) == []
    page.wait_for_timeout(HUMAN_MS)
    page.locator("textarea").fill("Late <b>again</b>")
    page.get_by_role("button", name=go_on).click()

    expect(page.locator("fieldset.single")).to_be_visible()
    if script:
        assert barriers_of(page, complaints) == []
    page.wait_for_timeout(HUMAN_MS)
    page.get_by_role("button", name=send).click()
    expect(page.get_by_role("alert")).to_be_visible()
    shoot(page, f"{name}-2")
    page.locator("fieldset.single span").nth(1).click()
    page.locator("fieldset.stars label").nth(3).click()
    page.locator("fieldset.smileys label").nth(0).click()
    page.locator("fieldset.multiple label").nth(0).click()
    page.locator("fieldset.multiple label").nth(1).click()
    page.locator("fieldset.yes_no label").nth(1).click()
    shoot(page, f"{name}-3")
    page.wait_for_timeout(HUMAN_MS)
    page.get_by_role("button", name=send).click()

    expect(heading(page)).to_have_text(thanks)
    if script:
        assert barriers_of(page, complaints) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"] if script else True
    shoot(page, f"{name}-4")
    page.locator("input[name=call_back]").fill("0170 123456, after five")
    page.locator(".call button").click()
    expect(page.get_by_role("status")).to_be_visible()
    response = Response.objects.get()
    assert (response.score, response.comment, response.is_partial) == (3, "Late <b>again</b>", False)
    assert (response.suspicions, response.locale, response.call_back) == ([], language, "0170 123456, after five")
    said = {a.question.key: a.value if a.value is not None else a.choices for a in response.answers.all()}
    assert said == {"reason": ["broken"], "delivery": 4, "mood": 1, "again": 0, "parts": ["lid", "screws"]}
    assert not page.context.cookies()
    assert [text for text in complaints if "422" not in text] == []


def test_the_score_is_saved_while_the_respondent_still_reads(invite: Any, browser: Any) -> None:
    page = browser(PHONE).new_page()
    page.goto(invite("en"))
    page.wait_for_timeout(HUMAN_MS)
    with page.expect_response(is_answer) as saving:
        page.locator("[data-lead] label").nth(9).click()
    assert saving.value.status == 204
    response = Response.objects.get()
    assert (response.score, response.is_partial, response.is_suspected) == (9, True, False)
    assert heading(page).is_visible()


def test_a_score_from_the_mail_counts_with_the_first_human_act(invite: Any, browser: Any) -> None:
    page = browser(PHONE).new_page()
    page.goto(invite("en") + "?score=10")
    page.wait_for_timeout(2500)
    assert not Response.objects.exists()
    with page.expect_response(is_answer):
        page.locator("h1").click()
    assert Response.objects.get().score == 10


def test_it_is_answered_with_the_keyboard_alone(invite: Any, browser: Any) -> None:
    page = browser().new_page()
    page.goto(invite("en"))
    page.wait_for_timeout(HUMAN_MS)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-lead] :checked")).to_have_value("10")
    page.keyboard.press("Tab")
    page.keyboard.type("Splendid")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("fieldset.stars")).to_be_visible()
    expect(page.locator("fieldset.single")).to_have_count(0)
    page.wait_for_timeout(HUMAN_MS)
    for _field in range(3):
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
    for _field in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(heading(page)).to_have_text("Thank you!")
    assert (Response.objects.get().score, Response.objects.get().comment) == (10, "Splendid")


@in_every_pair
def test_a_public_link_keeps_what_the_survey_allows(
    base: str, invite: Any, browser: Any, size: Any, language: str, *, script: bool
) -> None:
    page = browser(size, script=script).new_page()
    question, go_on, send, thanks, _sorry = WORDS[language]
    page.goto(f"{base}/s/order?touchpoint=order_received&store=Kiel&secret=x&lang={language}&score=9")
    expect(heading(page)).to_contain_text(question)
    if script:
        assert barriers_of(page) == []
    page.wait_for_timeout(HUMAN_MS)
    page.get_by_role("button", name=go_on).click()
    expect(page.locator("fieldset.stars")).to_be_visible()
    page.get_by_role("button", name=send).click()
    expect(heading(page)).to_have_text(thanks)
    response = Response.objects.get()
    assert (response.score, response.channel, response.contact_id) == (9, "link", None)
    assert response.properties == {"store": "Kiel"}
    assert response.touchpoint
    assert response.touchpoint.key == "order_received"
    assert not response.is_suspected


@pytest.mark.parametrize(
    ("size", "language", "script"),
    [(PHONE, "de", True), (DESKTOP, "en", False)],
    ids=["phone-de-script", "desktop-en-plain"],
)
def test_a_kiosk_is_answered_and_begins_anew(
    base: str, invite: Any, browser: Any, size: Any, language: str, *, script: bool
) -> None:
    page = browser(size, script=script).new_page()
    if script:
        page.clock.install()
    question, go_on, send, thanks, _sorry = WORDS[language]
    page.goto(f"{base}/s/order/kiosk?store=Kiel&lang={language}")
    if script:
        assert barriers_of(page) == []
    page.wait_for_timeout(HUMAN_MS)
    page.locator("[data-lead] label").nth(10).click()
    page.get_by_role("button", name=go_on).click()
    expect(page.locator("fieldset.stars")).to_be_visible()
    page.get_by_role("button", name=send).click()
    expect(heading(page)).to_have_text(thanks)
    expect(page.locator("main a")).to_have_count(0)
    if script:
        page.clock.run_for(9000)
    expect(heading(page)).to_contain_text(question, timeout=15_000)
    expect(page.locator("[data-lead] :checked")).to_have_count(0)
    assert (Response.objects.get().score, Response.objects.get().channel) == (10, "kiosk")


def test_a_kiosk_keeps_answers_while_it_is_offline_and_begins_anew(base: str, invite: Any, browser: Any) -> None:
    context = browser(DESKTOP)
    page = context.new_page()
    page.clock.install()
    page.goto(f"{base}/s/order/kiosk?store=Kiel&lang=en")
    assert barriers_of(page) == []
    shoot(page, "kiosk")
    page.wait_for_timeout(HUMAN_MS)
    context.set_offline(True)
    for score in (2, 8):
        page.locator("[data-lead] label").nth(score).click()
        page.get_by_role("button", name="Continue").click()
        expect(heading(page)).to_have_text("Thank you!")
        page.clock.run_for(9000)
        expect(heading(page)).to_contain_text("How likely")
        expect(page.locator("[data-lead] :checked")).to_have_count(0)
    assert not Response.objects.exists()
    context.set_offline(False)
    page.clock.run_for(31_000)
    expect(page.locator("h1").first).to_contain_text("How likely")
    for _try in range(50):
        if Response.objects.count() == 2:
            break
        page.wait_for_timeout(100)
    found = Response.objects.order_by("score")
    assert [(r.score, r.channel, r.properties) for r in found] == [
        (2, "kiosk", {"store": "Kiel"}),
        (8, "kiosk", {"store": "Kiel"}),
    ]
    assert not any(r.is_suspected for r in found)


def test_dark_mode_and_reduced_motion_have_no_barriers(invite: Any, browser: Any) -> None:
    page = browser(PHONE, color_scheme="dark", reduced_motion="reduce").new_page()
    page.goto(invite("de") + "?score=3")
    assert barriers_of(page) == []
    shoot(page, "dark-1")
    page.goto(page.url.split("?")[0] + "?page=1")
    assert barriers_of(page) == []
    shoot(page, "dark-2")
