"""Something is promised for answering: the page says so in both languages, and the response is marked."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import brotli
import pytest
from django.utils import timezone, translation

from apps.insights import services as insights
from apps.insights.models import Rollup
from apps.integrations.models import Delivery, Endpoint
from apps.responses import tickets
from apps.responses.models import Response
from apps.responses.past import PastResponse, record_past_responses, remove_past_responses
from apps.responses.recording import Changes, record_response, revise_response
from apps.responses.services import Submission, submit
from apps.responses.tickets import Ticket
from apps.surveys import versions
from apps.surveys.models import Invitation, Survey
from tests import factories
from tests.responses.asking import browser, human, invited

pytestmark = pytest.mark.usefixtures("tenant")
PROMISE = {"en": "<b>€5</b> voucher as a thank-you", "de": "5-€-Gutschein als Dankeschön & mehr"}
NOW = timezone.now()
SENTENCE = "For your answer, whatever it says: %(incentive)s"


def promise(texts: dict[str, str], *, at: datetime | None = None) -> Survey:
    """The ordinary survey, as it is published from now on."""
    survey: Survey = factories.SurveyFactory(is_public=True)
    Survey.objects.filter(pk=survey.pk).update(incentive=texts)
    versions.publish(survey_id=survey.pk, now=at or timezone.now())
    survey.refresh_from_db()
    return survey


def said_on(path: str, language: str = "en") -> str:
    """The line about the promise, as people read it; "" without one."""
    html = browser().get(path, headers={"accept-language": language}).content.decode()
    assert "<b>€5" not in html
    found = re.search(r'<p class="about">([^<]*€[^<]*)</p>', html)
    return unescape(found[1]) if found else ""


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("is_published", [True, False])
def test_every_page_that_asks_says_what_is_promised(language: str, is_published: bool) -> None:
    survey = promise(PROMISE)
    if not is_published:  # As it was made by a script that knows nothing of versions.
        Survey.objects.update(current_version=None)
    contact = factories.ContactFactory(locale=language)
    with translation.override(language):
        said = translation.gettext(SENTENCE) % {"incentive": PROMISE[language]}
    public = f"/s/{survey.key}"
    for path in (invited(survey=survey, contact=contact), public, f"{public}?embed=1", f"{public}/kiosk"):
        assert said_on(path, language) == said, path


def test_nothing_is_said_where_nothing_is_promised_and_blanks_are_nothing() -> None:
    survey = promise({"en": "  ", "de": ""})
    assert survey.current_version is not None
    assert "incentive" not in survey.current_version.definition
    assert said_on(invited(survey=survey)) == ""
    assert versions.publish(survey_id=survey.pk, now=NOW).number == 1


def test_the_first_view_stays_small_with_a_promise() -> None:
    path = invited(survey=promise({"en": "€5 voucher as a thank-you"}))
    answer = browser().get(f"{path}?score=9", headers={"accept-encoding": "br"})
    assert b"whatever it says" in brotli.decompress(answer.content)
    assert len(answer.content) <= 6 * 1024


def test_a_response_is_marked_by_what_its_version_promised_whatever_changes_later() -> None:
    Endpoint.objects.create(url="https://example.com/hook")
    survey = promise(PROMISE)
    first, second = invited(survey=survey), invited(survey=survey)
    browser().post(first, human(score="9"))
    at = timezone.now() + timedelta(seconds=1)
    survey = promise({}, at=at)
    later = timezone.now() + timedelta(seconds=5)
    browser().post(first, human(score="3"))  # Changed, under what was promised then.
    ticket = tickets.write_ticket(
        Ticket(survey.pk, None, {}, channel="link", made_at=timezone.now() - timedelta(seconds=20))
    )
    browser().post("/s/open", {"k": ticket, "score": "8"})
    rows = Response.objects.order_by("score").values_list("score", "is_incentivised")
    assert list(rows) == [(3, True), (8, False)]
    told = [row.payload["is_incentivised"] for row in Delivery.objects.order_by("id")]
    assert told == [True, True, False]
    # The mail of the second promised something, though its page does not any more.
    invitation = Invitation.objects.exclude(response__isnull=False).get()
    assert second
    response = submit(invitation_id=invitation.pk, submission=Submission({"nps": 7}), now=later)
    assert response.is_incentivised
    # One that was invited afterwards was promised nothing.
    invited(survey=survey, send_at=later)
    invitation = Invitation.objects.exclude(response__isnull=False).get()
    assert not submit(invitation_id=invitation.pk, submission=Submission({"nps": 6}), now=later).is_incentivised


def test_an_anonymous_response_is_marked_as_well() -> None:
    survey = promise(PROMISE)
    Survey.objects.update(is_anonymous=True)
    versions.publish(survey_id=survey.pk, now=timezone.now())
    browser().post(invited(survey=survey), human(score="9"))
    assert [(row.contact_id, row.is_incentivised) for row in Response.objects.all()] == [(None, True)]


THEN = datetime(2024, 5, 6, 12, tzinfo=UTC)


def test_what_was_brought_in_is_marked_as_told_and_leaves_its_own_cells_again() -> None:
    survey = promise(PROMISE)
    rows = [
        PastResponse(survey.pk, THEN, 9, source="x", external_id=str(number), is_incentivised=told)
        for number, told in enumerate([True, True, False, None])
    ]
    ids = [pk for pk in record_past_responses(rows=rows, now=NOW) if pk]
    assert list(Response.objects.order_by("external_id").values_list("is_incentivised", flat=True)) == [
        True, True, False, False,
    ]  # fmt: skip
    insights.roll_up(now=NOW)
    assert {(cell.is_incentivised, cell.responses) for cell in Rollup.objects.all()} == {(True, 2), (False, 2)}
    remove_past_responses(ids=ids[:1], now=NOW)
    insights.roll_up(now=NOW)
    assert {(cell.is_incentivised, cell.responses) for cell in Rollup.objects.all()} == {(True, 1), (False, 2)}


@pytest.mark.parametrize(("told", "marked"), [(None, True), (False, False), (True, True)])
def test_what_another_system_records_now_is_marked_as_it_says_else_by_the_survey(told: Any, marked: bool) -> None:
    survey = promise(PROMISE)
    response = record_response(row=PastResponse(survey.pk, NOW, 9, is_incentivised=told), now=NOW)
    assert response.is_incentivised is marked
    revise_response(response_id=response.pk, changes=Changes(score=2, answered_at=NOW - timedelta(days=3)), now=NOW)
    insights.roll_up(now=NOW)
    cells = [(cell.scores, cell.is_incentivised) for cell in Rollup.objects.all() if cell.responses]
    assert cells == [({2: 1}, marked)]
