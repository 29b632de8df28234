"""Twenty thousand cadences that wait cost nothing, and the one that is edited runs at once."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from celery import current_app
from django.db import transaction
from django.utils import timezone

from apps.common import queues
from apps.common.db import connection
from apps.common.recurrence import due_at
from apps.contacts.models import Contact
from apps.surveys.models import Invitation
from apps.tenants.tasks import tick
from apps.triggers import cadences
from apps.triggers.models import Cadence
from apps.triggers.segments import bucket_of
from tests.processes import census, rows
from tests.processes.fleet import Fleet, wait_for

pytestmark = [pytest.mark.redis, pytest.mark.timeout(120)]
MANY, PEOPLE, ALLOWED_SECONDS = 20_000, 50, 5.0
REPEATS = 60

_MANY = """
    INSERT INTO triggers_cadence (name, survey_id, windows, skip_holidays, percent, expires_after, priority, is_active,
                                  kind, period_days, recurrence, starts_on, at, next_run_at, covered_until, last_error,
                                  best_hour)
    SELECT 'c' || n, %s, '[]', false, 100, interval '14 days', 0, true, 'per_contact', 91, '', '2026-01-01', '09:00',
           now() + interval '1 hour' + n * interval '1 minute', now() + interval '1 hour', '', false
    FROM generate_series(1, %s) n
"""


def ms(what: Callable[[], Any]) -> float:
    """Milliseconds that it takes at best: what else the machine does meanwhile only ever adds."""
    spans = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        what()
        spans.append((time.perf_counter() - started) * 1000)
    return min(spans)


def idle_costs(house: Any) -> dict[str, float]:
    """What is done again and again while nothing is due: by the tick, by a drain, by the sweep."""
    tenant_now = timezone.now()
    current_app.loader.import_default_modules()  # The tasks, and with them every queue that the sweep looks into.
    assert cadences.QUEUE in queues.DRAINS

    def one_tick() -> None:
        tick()
        connection.set_tenant(house)

    return {
        "tick": ms(one_tick),
        "cadences' drain": ms(lambda: (cadences.run_due(now=tenant_now), cadences.next_due())),
        "sweep": ms(lambda: queues.repair(now=tenant_now)),
    }


def plant(survey: Any) -> None:
    """Rows as a bulk load leaves them: the planner has no figures about them yet."""
    with connection.cursor() as cursor:
        cursor.execute(_MANY, [survey.pk, MANY])


def switched_off(survey: Any) -> Cadence:
    """A cadence that asks each contact once a day, planned a day ahead at the minute that has just gone by."""
    fired_at = rows.last_minute(timezone.now())
    row = rows.each_day(survey, fired_at=fired_at, runs_at=fired_at, is_active=False)
    cadences.plan(cadence=row, now=timezone.now())
    return row


def edit(row: Cadence) -> None:
    """Switch it on, as the admin does."""
    with transaction.atomic():
        row.is_active = True
        row.save()
        cadences.plan(cadence=row, now=timezone.now())


def expected(row: Cadence, contacts: list[Contact], until: datetime) -> set[rows.Turn]:
    """The turns after the edit that are planned in one go: nobody is asked for the time in which it was off."""
    assert row.covered_until is not None
    after, offset = row.covered_until, cadences.offset_of(row.pk)
    planned = [
        contact
        for contact in contacts
        if due_at(bucket_of(contact.pk), rows.own_turn(row, contact, after), row.period_days, offset) <= until
    ]
    return rows.turns(row, planned, after)


@pytest.mark.usefixtures("announcing")
def test_an_edited_cadence_among_twenty_thousand_runs_within_five_seconds(fleet: Fleet) -> None:
    survey = rows.furnish()
    contacts = rows.people(PEOPLE)
    plant(survey)
    row = switched_off(survey)
    fleet.environment["SWEEP_SECONDS"] = "3600"  # It must not come to the rescue of a wake-up that is missing.
    fleet.start_all(beats=1, workers=1)
    time.sleep(2)  # Ticks have gone by: the queue sleeps until the first of the many is due.
    assert not Invitation.objects.exists()

    until = rows.last_minute(timezone.now()).replace(hour=row.at.hour, minute=row.at.minute) + rows.ONE_DAY
    edit(row)
    started = time.monotonic()
    wanted = expected(row, contacts, until)
    wait_for("all invitations", lambda: Invitation.objects.count() >= len(wanted), 30)
    seconds = time.monotonic() - started
    print(f"{len(wanted)} invitations {seconds:.2f} s after the edit among {Cadence.objects.count()} cadences")
    census.assert_all(
        census.turns(wanted),
        *census.invitations(),
        census.equal(f"within {ALLOWED_SECONDS:g} s", True, seconds < ALLOWED_SECONDS),
        census.equal("errors in the logs", [], fleet.complaints()[:5]),
    )


def test_while_nothing_is_due_twenty_thousand_cadences_cost_as_much_as_none(house: Any) -> None:
    survey = rows.furnish()
    idle_costs(house)  # Plans, caches and connections are warm.
    without = idle_costs(house)
    plant(survey)
    beside = idle_costs(house)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE triggers_cadence")
    known = idle_costs(house)
    for name in without:
        figures = f"{without[name]:.2f} ms without, {beside[name]:.2f} ms beside, {known[name]:.2f} ms analysed"
        print(f"{name}: {figures} ({MANY:,} cadences)")
    census.assert_all(
        *[
            census.equal(f"{name} takes about as long", True, max(beside[name], known[name]) < 1.5 * without[name] + 1)
            for name in without
        ]
    )
