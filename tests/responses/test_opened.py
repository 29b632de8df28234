"""Whether a survey page was seen: said by its script, a day and nothing more, at most once."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from apps.responses.models import Response
from apps.responses.views.personal import MAX_OPENINGS
from apps.surveys import versions
from apps.surveys.models import Invitation, Survey
from tests import factories
from tests.browsing import AGENT, base, chromium, complaints_of, database
from tests.responses.asking import browser, human, invited, read_for

__all__ = ["base", "chromium", "database"]
SCANNER = "Mozilla/5.0 (compatible; Barracuda Link Protection)"


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def link(tenant: Any) -> str:
    """A personal link of an ordinary survey."""
    return invited()


def opened() -> Any:
    return Invitation.objects.get().opened_on


def test_nothing_but_the_pages_script_says_that_it_was_opened(link: str, django_assert_num_queries: Any) -> None:
    client = browser()
    versions.publish(survey_id=Survey.objects.get().pk, now=timezone.now())
    for method in (client.get, client.head):
        method(f"{link}?score=9")
        assert method(f"{link}/opened").status_code == 405
    trapped = read_for()
    client.get(f"{link}/more?t={trapped}")
    for posted, agent in (
        ({}, AGENT),  # without a page's stamp
        ({"t": read_for(0.2)}, AGENT),  # before anybody could have looked
        ({"t": "A" + read_for()[1:]}, AGENT),  # forged
        ({"t": trapped}, AGENT),  # by what opens links that nobody sees
        (human(), SCANNER),
    ):
        answer = client.post(f"{link}/opened", posted, headers={"user-agent": agent})
        assert (answer.status_code, answer.content, opened()) == (204, b"", None)
    # One row, beside the prepared statement that finds it.
    with django_assert_num_queries(1):
        answer = client.post(f"{link}/opened", human())
    assert (answer.status_code, answer.content, answer.cookies) == (204, b"", {})
    assert opened() == timezone.now().date()
    assert not Response.objects.exists()


def test_only_the_first_day_stands_however_often_it_is_said(link: str) -> None:
    before = timezone.now().date() - timedelta(days=3)
    Invitation.objects.update(opened_on=before)
    answers = [browser().post(f"{link}/opened", human()).status_code for _repeat in range(MAX_OPENINGS + 1)]
    assert answers == [204] * MAX_OPENINGS + [429]
    assert opened() == before


@pytest.mark.parametrize("why", ["unknown", "expired", "closed"])
def test_a_link_that_leads_nowhere_notes_nothing(link: str, why: str) -> None:
    if why == "expired":
        Invitation.objects.update(link_expires_at=timezone.now() - timedelta(seconds=1))
    elif why == "closed":
        Survey.objects.update(is_active=False)
    answer = browser().post(f"{'/s/' + 'x' * 32 if why == 'unknown' else link}/opened", human())
    assert answer.status_code == (204 if why == "closed" else 404)
    assert opened() is None


@pytest.mark.usefixtures("tenant")
def test_of_an_anonymous_survey_a_day_is_kept_and_its_answer_shows_nothing_of_it() -> None:
    survey = factories.SurveyFactory()
    Survey.objects.filter(pk=survey.pk).update(is_anonymous=True)
    link, client = invited(survey=survey), browser()
    client.post(f"{link}/opened", human())
    answer = client.post(link, human(score="9"))
    row, response = Invitation.objects.get(), Response.objects.get()
    assert (row.opened_on, row.used_on) == (timezone.now().date(), timezone.now().date())
    assert (response.invitation, response.contact) == (None, None)
    # The answer's own link belongs to no invitation: there is nothing to note.
    Invitation.objects.update(opened_on=None)
    assert (
        client.post(f"{answer.headers['Location'].split('/thanks')[0].split('?')[0]}/opened", human()).status_code
        == 204
    )
    assert opened() is None


@pytest.mark.usefixtures("tenant")
def test_only_pages_behind_a_personal_link_say_it() -> None:
    link, client = invited(), browser()
    Survey.objects.update(is_public=True)
    assert b"/opened" in client.get(link).content
    for public in ("/s/order", "/s/order/kiosk"):
        page = client.get(public)
        assert (page.status_code, b"/opened" in page.content) == (200, False)
    assert client.post("/s/order/opened", human()).status_code == 404


@pytest.mark.chromium
def test_the_script_says_it_once_somebody_looks(base: str, chromium: Any) -> None:
    link = invited()
    factories.theme()
    context = chromium.new_context(user_agent=AGENT)
    page = context.new_page()
    complaints, said = complaints_of(page), []
    page.on("request", lambda request: said.append(request) if request.url.endswith("/opened") else None)
    page.goto(f"{base}{link}")
    with page.expect_response("**/opened") as answered:
        pass
    assert answered.value.status == 204
    page.wait_for_timeout(300)
    assert opened() == timezone.now().date()
    assert [sorted(field.split("=")[0] for field in request.post_data.split("&")) for request in said] == [["t"]]
    assert complaints == []
    context.close()
