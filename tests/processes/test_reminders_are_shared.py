"""A reminder whose contact answers at this very moment waits; several workers remind each once."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from apps.messaging.models import OutgoingEmail
from apps.surveys import reminders
from apps.surveys.models import Reminder, SurveyReminder
from tests.processes import rows
from tests.processes.test_dispatch_is_shared import dispatch, due, hold

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def other(database: str, house: Any) -> Iterator[psycopg.Connection]:
    """Another process's connection. Nobody waits for it longer than two seconds."""
    with psycopg.connect(database, options="-c search_path=fleet") as beside:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        yield beside
        beside.rollback()


def invited(count: int) -> tuple[list[Any], list[UUID]]:
    """People whose invitations went out, each with a reminder that is due an hour from now."""
    survey = rows.furnish()
    SurveyReminder.objects.create(survey=survey, position=1, delay=timedelta(hours=1))
    people = rows.people(count)
    ids = due(survey, people)
    assert dispatch(limit=count) == count
    OutgoingEmail.objects.update(status="sent", sent_at=timezone.now())
    return people, ids


def remind(limit: int = 100) -> int:
    return reminders.remind_due(now=timezone.now() + timedelta(hours=2), base_url="http://fleet.test", limit=limit)


def test_who_is_answering_at_this_moment_is_passed_over(other: psycopg.Connection) -> None:
    _people, ids = invited(3)
    other.execute("SELECT 1 FROM surveys_invitation WHERE id = %s FOR UPDATE", [ids[0]])
    assert remind() == 2
    assert Reminder.objects.get(invitation=ids[0]).status == "scheduled"
    other.rollback()
    assert remind() == 1
    assert not Reminder.objects.exclude(status="queued").exists()


def test_contacts_in_others_hands_are_passed_over_and_theirs_are_reminded_later(other: psycopg.Connection) -> None:
    people, ids = invited(5)
    hold(other, people[:2])
    assert remind() == 3
    assert set(Reminder.objects.filter(status="scheduled").values_list("invitation", flat=True)) == set(ids[:2])
    other.rollback()
    assert remind() == 2
    assert OutgoingEmail.objects.filter(reason__startswith="reminder:").count() == 5
