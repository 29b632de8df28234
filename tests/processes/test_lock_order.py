"""Workers take their locks in one order: whoever meets waits for the other, and nobody in a circle."""

from collections.abc import Iterable
from datetime import timedelta
from random import Random
from threading import Thread
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_tenants.utils import tenant_context

from apps.contacts.models import Company, Contact
from apps.surveys import services as surveys
from apps.surveys.models import Invitation
from apps.triggers.models import TriggerRule
from apps.triggers.services import evaluate_events
from tests.processes import census, rows
from tests.processes.fleet import Fleet, wait_for
from tests.processes.hand import DECIDE, DISPATCH
from tests.processes.hands import Done, at_once

pytestmark = [pytest.mark.redis, pytest.mark.timeout(150)]


def mixed(items: Iterable[Any], seed: int) -> list[Any]:
    """In an order without meaning, the same in every run."""
    found = list(items)
    Random(seed).shuffle(found)
    return found


def race(fleet: Fleet, stages: list[str], limit: int) -> Done:
    """All hands begin at the same moment."""
    return at_once(fleet.environment, "fleet", stages, limit=limit)


def slow_down(table: str) -> None:
    """Each new row takes some milliseconds, as on a busy disk: batches meet in the middle of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_sleep(0.005); RETURN NEW; END'"
        )
        cursor.execute(f"CREATE TRIGGER slowly BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION take_time()")


def test_new_people_who_are_in_several_batches_at_once_are_made_without_a_deadlock(fleet: Fleet) -> None:
    survey = rows.furnish()
    touchpoint = rows.touchpoint()
    rows.rules(survey, touchpoint, count=1)
    # Batch by batch the same people in another order, so that all hands have them at the same time.
    blocks = [range(first, first + 40) for first in range(0, 80, 40)]
    numbers = [number for block in blocks for seed in range(2) for number in mixed(block, seed)]
    rows.events(touchpoint, [rows.identity(n, "new") for n in numbers])
    slow_down("contacts_contact")
    before = census.deadlocks()
    done = race(fleet, [DECIDE] * 2, limit=40)
    census.assert_all(
        census.equal("events", len(numbers), done.events),
        census.equal("contacts", 80, Contact.objects.count()),
        *census.invitations(),
        *census.no_deadlock(done.broken, before),
    )


def test_companies_that_only_some_events_name_are_locked_without_a_deadlock(fleet: Fleet) -> None:
    survey = rows.furnish(max_per_company=1000, company_days=7)
    touchpoint = rows.touchpoint()
    rows.rules(survey, touchpoint, count=1)
    companies = Company.objects.bulk_create(Company(external_id=f"k-{n}", name=f"k-{n}") for n in range(12))
    people = rows.people(240)
    for n, person in enumerate(people):
        person.company = companies[n % len(companies)]
    Contact.objects.bulk_update(people, ["company"])
    whose = []
    for n, person in enumerate(mixed(people, 1)):
        data = {"external_id": person.external_id, "email": person.email}
        whose.append({**data, "company": {"external_id": person.company.external_id}} if n % 2 else data)
    rows.events(touchpoint, whose)
    before = census.deadlocks()
    done = race(fleet, [DECIDE] * 4, limit=6)
    census.assert_all(
        census.equal("events", len(whose), done.events), *census.invitations(), *census.no_deadlock(done.broken, before)
    )


def test_what_is_taken_back_while_it_is_dispatched_makes_no_deadlock(fleet: Fleet) -> None:
    survey = rows.furnish()
    order, refund = rows.touchpoint(), rows.touchpoint("refund")
    [rule] = rows.rules(survey, order, count=1)
    rule.revoked_by.set([refund])
    TriggerRule.objects.filter(pk=rule.pk).update(expires_after=timedelta(days=30))
    rows.events(order, [rows.identity(n) for n in range(200)])
    evaluate_events(now=timezone.now())
    assert Invitation.objects.filter(status="scheduled").count() == 200
    rows.events(refund, [rows.identity(n) for n in mixed(range(200), 2)])
    before = census.deadlocks()
    done = race(fleet, [DECIDE, DISPATCH, DECIDE, DISPATCH], limit=25)
    census.assert_all(
        census.equal("events", 200, done.events),
        census.no_event_left(),
        census.equal("invitations that wait", 0, Invitation.objects.filter(status="scheduled").count()),
        census.equal("invitations taken back", 200, Invitation.objects.filter(status="revoked").count()),
        *census.no_deadlock(done.broken, before),
    )


def test_invitations_are_moved_in_the_order_in_which_others_lock_them(house: Any, database: str) -> None:
    survey = rows.furnish()
    now = timezone.now()
    later = now + timedelta(days=2)
    planned = [
        Invitation(survey=survey, reason=f"r-{n}", send_at=now + timedelta(days=1), give_up_at=later, created_at=now)
        for n in range(20)
    ]
    # The table has them in the other direction: whoever takes them as they come begins with the last.
    planned.sort(key=lambda row: row.id)
    Invitation.objects.bulk_create(reversed(planned))
    first, *others = (row.id for row in planned)

    def move() -> None:
        with tenant_context(house), transaction.atomic():
            surveys.move_scheduled(times=dict.fromkeys([*others, first], later), reason="outranked", now=now)
        connection.close()

    with psycopg.connect(database, options="-c search_path=fleet") as beside:
        beside.execute("SELECT 1 FROM surveys_invitation WHERE id = %s FOR UPDATE", [first])
        mover = Thread(target=move)
        mover.start()
        wait_for("the mover to wait", lambda: somebody_waits(beside), 10)
        free = beside.execute("SELECT id FROM surveys_invitation WHERE id = ANY(%s) FOR UPDATE SKIP LOCKED", [others])
        assert len(free.fetchall()) == len(others)
    mover.join(10)
    assert Invitation.objects.filter(send_at=later, status_reason="outranked").count() == 20


def somebody_waits(beside: psycopg.Connection) -> bool:
    """Whether a backend waits for a lock."""
    return beside.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone() is not None
