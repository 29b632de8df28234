"""Reminders of a survey are edited with it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.surveys.admin.archive import duplicate
from apps.surveys.models import Survey, SurveyReminder
from tests.admin.test_survey_builder import NPS, SURVEYS, posted, rows

pytestmark = pytest.mark.usefixtures("tenant")
MORNINGS = [{"days": [0, 1], "from": "09:00", "to": "12:00"}]


def row(**values: Any) -> dict[str, Any]:
    usual = {"position": 1, "delay": "4 days", "windows": "[]", "subject_en": "", "subject_de": "", "text_en": ""}
    return {**usual, "text_de": "", **values}


def save(client: Client, *reminders: dict[str, Any]) -> Any:
    return client.post(f"{SURVEYS}add/", posted(NPS, **rows("reminders", reminders)))


def complaints(answer: Any) -> str:
    assert answer.status_code == 200
    formset = next(one.formset for one in answer.context["inline_admin_formsets"] if one.formset.prefix == "reminders")
    return str(formset.errors) + str(formset.non_form_errors())


def test_reminders_are_kept_with_delay_windows_and_words(client: Client) -> None:
    second = row(position=2, delay="36 hours", subject_de="Noch einmal, {{ name|Sie }}")
    assert save(client, row(windows=json.dumps(MORNINGS)), second).status_code == 302
    first, other = SurveyReminder.objects.order_by("position")
    assert (first.delay, first.windows) == (timedelta(days=4), MORNINGS)
    assert (other.delay, other.subject) == (timedelta(hours=36), {"de": "Noch einmal, {{ name|Sie }}"})


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"position": 4}, "less than or equal to 3"),
        ({"delay": "5 minutes"}, "at least an hour"),
        ({"delay": "3"}, "Write a number and a unit"),
        ({"windows": '[{"days": []}]'}, "Each send window needs weekdays"),
        ({"text_en": "Hello {{ score }}"}, "There is no variable score"),
    ],
)
def test_what_means_nothing_is_refused_at_its_field(client: Client, values: dict[str, Any], told: str) -> None:
    assert told in complaints(save(client, row(**values)))
    assert not Survey.objects.exists()


def test_the_same_number_twice_is_refused(client: Client) -> None:
    assert save(client, row(), row()).status_code == 200
    assert not SurveyReminder.objects.exists()


def test_a_fourth_reminder_is_refused(client: Client) -> None:
    answer = save(client, *[row(position=n) for n in (1, 2, 3, 3)])
    assert answer.status_code == 200
    assert not SurveyReminder.objects.exists()


def test_a_copy_of_a_survey_reminds_as_the_survey_does(client: Client) -> None:
    assert save(client, row(), row(position=2)).status_code == 302
    copy = duplicate(Survey.objects.get(), by="Kim")
    assert copy.reminders.count() == 2
    assert SurveyReminder.objects.count() == 4
