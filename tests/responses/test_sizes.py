"""Everything that the first view needs, as it comes over the wire."""

import re
from collections.abc import Callable

import brotli
import pytest

from apps.surveys.models import Question, Theme
from tests.responses.asking import browser, invited

pytestmark = pytest.mark.usefixtures("tenant")
FIRST_VIEW = 6 * 1024
"""Bytes, brotli: HTML, style and script."""


@pytest.fixture
def link() -> str:
    """A personal link of an ordinary survey."""
    return invited()


def test_the_first_view_is_one_small_request(link: str) -> None:
    answer = browser().get(f"{link}?score=9", headers={"accept-encoding": "gzip, br"})
    assert answer["Content-Encoding"] == "br"
    html = brotli.decompress(answer.content).decode()
    print(f"first view: {len(answer.content)} bytes brotli, {len(html)} plain")
    assert len(answer.content) <= FIRST_VIEW
    assert re.findall(r'<(?:link|script|img|iframe)\b[^>]*\b(?:src|href)="(?!data:)', html) == []
    assert "@import" not in html
    assert "url(" not in html


def test_the_logo_is_the_only_other_request(link: str) -> None:
    Theme.objects.update(logo_digest="a" * 32)
    html = browser().get(link).content.decode()
    assert re.findall(r'\bsrc="([^"]*)"', html) == [f"/brand/{'a' * 32}"]


@pytest.mark.parametrize("coding", ["br", "gzip", ""])
def test_it_comes_as_the_browser_can_read_it(link: str, coding: str) -> None:
    import gzip

    answer = browser().get(link, headers={"accept-encoding": coding})
    read: Callable[[bytes], bytes] = {"br": brotli.decompress, "gzip": gzip.decompress}.get(coding, bytes)
    assert b"<main>" in read(answer.content)
    assert answer["Content-Length"] == str(len(answer.content))
    assert "Accept-Encoding" in answer["Vary"]


def test_a_survey_with_much_to_ask_does_not_grow_its_first_view(link: str) -> None:
    small = len(browser().get(link, headers={"accept-encoding": "br"}).content)
    survey = Question.objects.filter(kind="nps").get().survey
    Question.objects.bulk_create(
        Question(survey=survey, key=f"more-{n}", kind="rating", position=10 + n, text={"en": f"How good was part {n}?"})
        for n in range(20)
    )
    assert len(browser().get(link, headers={"accept-encoding": "br"}).content) <= small + 50
