"""Answers that nobody can be told by: hidden until there are enough, and never with a name or a time of day."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.responses.models import Response
from apps.surveys import versions
from apps.surveys.models import Survey
from tests import factories
from tests.workspace.test_responses import LIST, names, say, survey, text_of, url

__all__ = ["survey"]


def anonymous(number: int) -> tuple[Survey, list[Response]]:
    """An anonymous survey with so many answers, one per link."""
    made = factories.SurveyFactory(key="quiet", is_anonymous=True)
    versions.publish(survey_id=made.pk, now=timezone.now())
    return made, [say(made, {"nps": 1, "comment": f"Whisper {n}"}, f"Person {n}") for n in range(number)]


def test_answers_of_an_anonymous_survey_stay_hidden_until_there_are_five(
    client: Client, user: User, tenant: Any
) -> None:
    made, found = anonymous(4)
    page = text_of(client, LIST)
    assert "Whisper" not in page
    assert "shown once a survey has 5 of them" in page
    assert "Whisper" not in text_of(client, f"{LIST}?q=Whisper&suspected=all")
    assert "Whisper" not in text_of(client, "/")
    assert client.get(url(found[0])).status_code == 404
    assert client.post(url(found[0], "judge"), {"by": "machine"}).status_code == 404
    assert client.post(url(found[0], "open_case")).status_code == 404
    # A machine is nobody to hide among.
    say(made, {"nps": 1}, "Person 4", suspicions=["trap"])
    assert client.get(url(found[0])).status_code == 404
    say(made, {"nps": 1, "comment": "Whisper 5"}, "Person 5")
    page = text_of(client, LIST)
    assert page.count("Whisper") == 5
    assert "shown once a survey has" not in page
    assert client.get(url(found[0])).status_code == 200


def test_more_hidden_answers_cost_no_more_queries(queries_of: Callable[[str], int], survey: Survey) -> None:
    say(survey, {"nps": 1})
    few = queries_of(LIST)
    anonymous(6)
    assert queries_of(LIST) == few


def test_a_survey_that_becomes_anonymous_hides_only_what_is_answered_from_then_on(
    client: Client, survey: Survey
) -> None:
    for number in range(6):
        say(survey, {"nps": 9}, f"Open {number}")
    Survey.objects.filter(pk=survey.pk).update(is_anonymous=True)
    versions.publish(survey_id=survey.pk, now=timezone.now())
    say(survey, {"nps": 1, "comment": "Whisper"}, "Hidden")
    assert names(client) == [f"Open {number}" for number in range(6)]
    # And one that is not anonymous any more still keeps its promise.
    Survey.objects.filter(pk=survey.pk).update(is_anonymous=False)
    versions.publish(survey_id=survey.pk, now=timezone.now())
    assert "Whisper" not in text_of(client, LIST)


def test_an_anonymous_answer_shows_its_day_only_and_nobody(client: Client, tenant: Any) -> None:
    _made, found = anonymous(5)
    today = datetime.now(UTC).date()
    for address in (LIST, url(found[0])):
        html = client.get(address).content.decode()
        assert f'<time datetime="{today.isoformat()}">' in html
        assert f'<time datetime="{today.isoformat()}T' not in html
        assert "Person" not in html
        assert "Anonymous" in html
