"""Responses brought in from elsewhere: at their own time in the figures, and nothing follows from them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.common.models import AgendaItem
from apps.insights import figures
from apps.insights import services as insights
from apps.insights.models import Rollup
from apps.insights.slices import Period, Slice
from apps.integrations.models import Delivery, Endpoint
from apps.responses.models import Answer, Response, ScoreChange
from apps.responses.past import InvalidPastResponsesError, PastResponse, record_past_responses, remove_past_responses
from apps.surveys.models import Survey
from tests import factories

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
THEN = datetime(2024, 5, 6, 23, 30, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("tenant")


@pytest.fixture
def survey() -> Survey:
    found: Survey = factories.SurveyFactory()
    return found


def past(survey: Survey, number: int = 1, **changes: Any) -> PastResponse:
    row: dict[str, Any] = {"survey_id": survey.pk, "answered_at": THEN, "score": 9, "source": "delighted"}
    return PastResponse(**{**row, "external_id": str(number), **changes})


def test_a_language_is_stored_as_every_other_is_told(survey: Survey) -> None:
    record_past_responses(rows=[past(survey, 1, locale="de_AT"), past(survey, 2, locale="de")], now=NOW)
    assert set(Response.objects.values_list("locale", flat=True)) == {"de-AT", "de"}
    found = figures.score(wanted=Slice(language="de"), period=Period(THEN.date(), THEN.date()), now=NOW)
    assert found.n == 2


def test_a_past_response_is_stored_whole_and_counts_on_its_own_day(survey: Survey) -> None:
    contact, touchpoint = factories.ContactFactory(), factories.TouchpointFactory()
    Endpoint.objects.create(url="https://example.com/hook")
    row = past(
        survey,
        contact_id=contact.pk,
        touchpoint_id=touchpoint.pk,
        score=3,
        comment="“Zu spät” \\ \x7f \n 😀",
        locale="de",
        updated_at=THEN + timedelta(days=2),
        properties={"plan": "Pro", "seats": 5},
        tags=["delivery", "Käse"],
        answers={"delivery": 2},
    )
    (pk,) = record_past_responses(rows=[row], now=NOW)
    found = Response.objects.get()
    assert (found.pk, found.contact, found.touchpoint, found.version, found.channel) == (
        pk, contact, touchpoint, None, "import",
    )  # fmt: skip
    assert (found.score, found.comment, found.locale, found.tags) == (3, row.comment, "de", ["delivery", "Käse"])
    assert (found.properties, found.source, found.external_id) == (row.properties, "delighted", "1")
    assert (found.answered_at, found.updated_at) == (THEN, THEN + timedelta(days=2))
    assert [(a.question.key, a.value) for a in found.answers.select_related("question")] == [("delivery", 2)]
    insights.roll_up(now=NOW)
    (cell,) = Rollup.objects.all()
    assert (cell.day, cell.scores, cell.touchpoint) == (date(2024, 5, 6), {3: 1}, touchpoint)
    # No campaign looks at it, nobody is told.
    assert (found.follow_up, found.follow_up_at) == ("none", None)
    assert not Delivery.objects.exists()
    assert not AgendaItem.objects.exclude(queue="insights.roll_up").exists()


def test_the_number_of_statements_does_not_grow_with_the_number_of_responses(survey: Survey) -> None:
    counts = []
    for size in (2, 400):
        rows = [past(survey, size * 1000 + n, answers={"delivery": 1 + n % 5}) for n in range(size)]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert None not in record_past_responses(rows=rows, now=NOW)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 5  # Django's own log; COPY and what PostgreSQL binds go beside it, once each
    assert Answer.objects.count() == 402


def test_the_same_response_of_a_source_is_taken_over_once(survey: Survey) -> None:
    first = record_past_responses(rows=[past(survey, 1), past(survey, 2)], now=NOW)
    rows = [past(survey, 3), past(survey, 2, score=0), past(survey, 3), past(survey, 4, external_id=None)]
    second = record_past_responses(rows=rows, now=NOW)
    assert None not in first
    assert [pk is None for pk in second] == [False, True, True, False]
    assert record_past_responses(rows=[past(survey, 1, source="surveymonkey")], now=NOW) != [None]
    assert Response.objects.filter(source="delighted", external_id="2").get().score == 9
    assert sum(ScoreChange.objects.values_list("weight", flat=True)) == Response.objects.count() == 5


def test_what_cannot_be_stored_is_named_row_by_row_and_nothing_is_stored(survey: Survey) -> None:
    secret = factories.SurveyFactory(key="secret", is_anonymous=True)
    rows = [
        past(survey, 1),
        past(survey, 2, score=11),
        past(survey, 3, score=None),
        past(survey, 4, answers={"delivery": 6, "nps": 3}),
        past(survey, 5, answered_at=NOW + timedelta(hours=1)),
        past(survey, 6, comment="a\x00b"),
        past(secret, 7),
        past(survey, 8, survey_id=0),
    ]
    with pytest.raises(InvalidPastResponsesError) as caught:
        record_past_responses(rows=rows, now=NOW)
    assert caught.value.problems == {
        1: {"score": "out_of_range"},
        2: {"score": "says_nothing"},
        3: {"delivery": "out_of_range", "nps": "unknown_question"},
        4: {"answered_at": "in_the_future"},
        5: {"comment": "out_of_range"},
        6: {"survey_id": "anonymous_survey"},
        7: {"survey_id": "unknown_survey"},
    }
    assert not Response.objects.exists()


def test_taking_them_out_leaves_figures_and_other_responses_as_they_were(survey: Survey) -> None:
    other = Response.objects.create(survey=survey, score=9, answered_at=THEN, updated_at=THEN)
    rows = [past(survey, n, score=n, answers={"delivery": 1}) for n in range(4)]
    ids = [pk for pk in record_past_responses(rows=rows, now=NOW) if pk]
    insights.roll_up(now=NOW)
    assert remove_past_responses(ids=[*ids, other.pk], now=NOW) == 4
    insights.roll_up(now=NOW)
    assert list(Response.objects.all()) == [other]
    assert not any(cell.responses for cell in Rollup.objects.all())
    assert remove_past_responses(ids=ids, now=NOW) == 0
