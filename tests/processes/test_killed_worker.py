"""A worker dies in the middle of a batch: the next one decides what is left, and nothing twice."""

import time

import pytest
from django.db import connection

from apps.surveys.models import Invitation
from apps.touchpoints.models import Event
from apps.triggers.models import Decision
from tests.processes import census, rows
from tests.processes.fleet import Fleet, wait_for

pytestmark = [pytest.mark.redis, pytest.mark.timeout(120)]
EVENTS, PEOPLE = 2000, 400


def decided() -> int:
    """Events whose decision is committed."""
    return Event.objects.filter(status="decided").count()


def is_writing() -> bool:
    """Whether another process has written to this database and not committed yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL"
            " AND pid <> pg_backend_pid() AND query ~ 'triggers_decision|touchpoints_event|surveys_invitation')"
        )
        return bool(cursor.fetchone()[0])


def wait_for_the_middle() -> int:
    """Until one batch is decided and the next one is being written; returns how many events are decided."""
    stop_at = time.monotonic() + 40
    while time.monotonic() < stop_at:
        count = decided()
        if 0 < count < EVENTS and is_writing():
            return count
        time.sleep(0.003)
    raise AssertionError(f"the middle was never seen: {decided()} decided")


@pytest.mark.usefixtures("announcing")
def test_each_event_is_decided_once_though_a_worker_was_killed_in_the_middle(fleet: Fleet) -> None:
    survey = rows.furnish()
    touchpoint = rows.touchpoint()
    listening = [rule.pk for rule in rows.rules(survey, touchpoint, delay=3 * rows.ONE_DAY)]
    fleet.start_all(beats=1, workers=1)
    [first] = fleet.workers
    events = rows.events(touchpoint, [rows.identity(n % PEOPLE) for n in range(EVENTS)])

    seen = wait_for_the_middle()
    first.kill()
    left = decided()
    started = time.monotonic()
    fleet.start("worker")
    wait_for("all events", lambda: decided() >= EVENTS, 45)
    seconds = time.monotonic() - started
    print(f"killed at {seen} of {EVENTS}; all decided {seconds:.1f} s after the second worker was started")
    census.assert_all(
        census.equal("killed in the middle", True, 0 < left < EVENTS),
        census.event_decisions([event.pk for event in events], listening),
        census.no_event_left(),
        *census.invitations(),
        census.equal("invitations", EVENTS * len(listening), Invitation.objects.count()),
        census.equal("decisions", EVENTS * len(listening), Decision.objects.count()),
        census.ledger_agrees(),
        census.equal("errors in the logs", [], fleet.complaints()[:5]),
    )
