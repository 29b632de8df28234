"""Two beats and four workers: every due item happens once, however their hands meet."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.contacts.models import Contact
from apps.surveys.models import Invitation
from apps.triggers.models import Decision
from tests.processes import census, rows
from tests.processes.fleet import Fleet, Mailbox, wait_for

pytestmark = [pytest.mark.redis, pytest.mark.timeout(150)]
CADENCES, TEAMS, PEOPLE = 60, 12, 120
EVENTS, EVENT_PEOPLE, WAVES, PARTS, PART_SECONDS = 300, 90, 3, 5, 0.04
SPREAD = timedelta(seconds=10)


def plant(contacts: list[Contact], survey: Any) -> set[rows.Turn]:
    """Cadences that fall due one after the other within the next seconds; every third asks at moments of its own."""
    begins = timezone.now() + timedelta(seconds=1)
    fired_at = rows.last_minute(begins - rows.ONE_HOUR)
    expected: set[rows.Turn] = set()
    for n in range(CADENCES):
        key = f"p{n % TEAMS}"
        make = rows.each_day if n % 3 == 2 else rows.daily
        runs_at = begins + n * SPREAD / CADENCES
        row = make(survey, name=f"c{n}", fired_at=fired_at, runs_at=runs_at, segment=rows.team(key))
        expected |= rows.turns(row, rows.members(contacts, key), fired_at)
    return expected


def pour(touchpoint: Any) -> list[Any]:
    """The events in waves, over the time in which the cadences fall due; the same people in every wave.

    A wave comes in parts, so close that one worker still has the first when others are woken for the next.
    """
    stored = []
    for wave in range(WAVES):
        for part in range(PARTS):
            first = (wave * 7 + part * 11) % EVENT_PEOPLE
            whose = [rows.identity((first + n) % EVENT_PEOPLE) for n in range(EVENTS // WAVES // PARTS)]
            stored += rows.events(touchpoint, whose)
            time.sleep(PART_SECONDS)
        time.sleep(SPREAD.total_seconds() / WAVES - PARTS * PART_SECONDS)
    return [event.pk for event in stored]


@pytest.mark.usefixtures("announcing")
def test_each_turn_and_each_event_is_decided_once_and_each_invitation_is_one_mail(
    fleet: Fleet, mailbox: Mailbox
) -> None:
    survey = rows.furnish()
    contacts = rows.people(PEOPLE, teams=TEAMS)
    touchpoint = rows.touchpoint()
    listening = [rule.pk for rule in rows.rules(survey, touchpoint)]
    fleet.start_all(beats=2, workers=4)
    expected = plant(contacts, survey)
    events = pour(touchpoint)
    wanted = len(expected) + len(events) * len(listening)
    try:
        wait_for("all decisions", lambda: Decision.objects.count() >= wanted, 40)
        wait_for("all mails", census.all_sent, 40)
    except AssertionError as error:
        pytest.fail(f"{error}; {Decision.objects.count()} of {wanted}\n{fleet.tails()}", pytrace=False)
    time.sleep(2)  # Whoever does something a second time does it now.
    wait_for("all mails", census.all_sent, 20)
    census.assert_all(
        census.turns(expected),
        census.event_decisions(events, listening),
        census.no_event_left(),
        *census.invitations(),
        *census.mails(mailbox),
        census.ledger_agrees(),
        census.equal("deadlocks", 0, census.deadlocks()),
        census.equal("errors in the logs", [], fleet.complaints()[:5]),
        census.equal("processes that ended", 0, sum(not running.is_alive for running in fleet.everything)),
    )
    print(f"{Invitation.objects.count()} invitations, {len(mailbox.mails)} mails, latest {census.late_by():.1f} s late")
