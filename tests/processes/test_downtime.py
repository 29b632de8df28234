"""Nothing ran for three days: everybody is asked once, at a time when the tenant sends."""

import time
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from apps.contacts.models import BusinessCalendar, Contact
from apps.messaging.models import OutgoingEmail
from apps.surveys.models import Invitation
from apps.triggers.models import Cadence, Decision
from tests.processes import census, rows
from tests.processes.fleet import TICK_SECONDS, Fleet, Mailbox, wait_for

pytestmark = [pytest.mark.redis, pytest.mark.timeout(120)]
# One of these has a time of day now that leaves room for both windows within the day.
ZONES = ("Asia/Kolkata", "America/Los_Angeles", "Pacific/Auckland", "Europe/Berlin", "America/Sao_Paulo")
PEOPLE = 30


def home_zone() -> ZoneInfo:
    """A zone in which it is neither night nor late evening."""
    return next(ZoneInfo(name) for name in ZONES if 4 <= timezone.now().astimezone(ZoneInfo(name)).hour <= 18)


def window(zone: ZoneInfo, begin: timedelta, end: timedelta) -> list[dict[str, Any]]:
    """A send window on every day, from and until so long from now by the tenant's clock."""
    now = timezone.now().astimezone(zone)
    return [{"days": list(range(7)), "from": f"{now + begin:%H:%M}", "to": f"{now + end:%H:%M}"}]


def is_inside(at: datetime, windows: list[dict[str, Any]], zone: ZoneInfo) -> bool:
    """Whether the tenant's clock shows a time of the window; counted without the engine."""
    shown = f"{at.astimezone(zone):%H:%M}"
    return any(one["from"] <= shown < one["to"] for one in windows)


def missed(zone: ZoneInfo, survey: Any, contacts: list[Contact], key: str, windows: Any, **values: Any) -> Cadence:
    """A daily cadence that has not run for three days: its last three moments are due, and nobody came."""
    fired_at = rows.last_minute(timezone.now() - rows.ONE_HOUR)
    make = rows.each_day if values.pop("is_each_day", False) else rows.daily
    row = make(survey, name=key, fired_at=fired_at, runs_at=fired_at, segment=rows.team(key), windows=windows)
    row.at = fired_at.astimezone(zone).time()
    row.covered_until = fired_at - 3 * rows.ONE_DAY + rows.ONE_HOUR
    row.next_run_at = fired_at - 2 * rows.ONE_DAY
    row.save()
    return row


@pytest.mark.usefixtures("announcing")
def test_after_three_missed_days_each_contact_is_asked_once_and_only_within_the_window(
    fleet: Fleet, mailbox: Mailbox
) -> None:
    zone = home_zone()
    BusinessCalendar.objects.create(pk=1, time_zone=zone.key)
    survey = rows.furnish()
    contacts = rows.people(PEOPLE, teams=3)
    is_open = window(zone, timedelta(hours=-3), timedelta(hours=3))
    is_shut = window(zone, timedelta(hours=2), timedelta(hours=4))
    now_row = missed(zone, survey, contacts, "p0", is_open)
    later_row = missed(zone, survey, contacts, "p1", is_shut)
    own_row = missed(zone, survey, contacts, "p2", is_shut, is_each_day=True)

    fleet.start_all(beats=1, workers=1)
    wait_for("everybody's decision", lambda: Decision.objects.count() >= PEOPLE, 20)
    wait_for("the mails that may go", census.all_sent, 20)
    time.sleep(3 * TICK_SECONDS)

    asked = Decision.objects.values_list("contact_id", flat=True)
    states = [find_times(row, is_open if row is now_row else is_shut, zone) for row in (now_row, later_row, own_row)]
    sent = OutgoingEmail.objects.filter(invitation__decision__cadence=now_row).values_list("message_id", flat=True)
    census.assert_all(
        census.once_each("contacts asked", [row.pk for row in contacts], asked),
        *[check for checks in states for check in checks],
        census.once_each("mails that came in", list(sent), [str(mail["Message-ID"]) for mail in mailbox.mails]),
        census.equal("mails", len(rows.members(contacts, "p0")), len(mailbox.mails)),
        census.equal("mails outside the window", 0, sum(not is_inside(at, is_open, zone) for at in mailbox.came_in)),
        *census.invitations(),
        census.equal("errors in the logs", [], fleet.complaints()[:5]),
    )


def find_times(row: Cadence, windows: list[dict[str, Any]], zone: ZoneInfo) -> list[census.Check]:
    """Where the cadence and its invitations stand."""
    row.refresh_from_db()
    assert row.next_run_at is not None
    times = list(Invitation.objects.filter(decision__cadence=row).values_list("send_at", flat=True))
    today = timezone.now()
    last = row.next_run_at + rows.ONE_DAY
    return [
        census.equal(f"{row.name}: the next run lies ahead", True, row.next_run_at > today),
        census.equal(f"{row.name}: invitations", PEOPLE // 3, len(times)),
        census.equal(f"{row.name}: outside the window", 0, sum(not is_inside(at, windows, zone) for at in times)),
        census.equal(f"{row.name}: later than the next open window", 0, sum(at > last for at in times)),
    ]
