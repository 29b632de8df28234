"""Work for the fleet, wave after wave, with a list of what must come of it. In the current tenant."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from apps.common import agenda
from apps.messaging.models import OutgoingEmail
from apps.messaging.sending import LEASE
from apps.messaging.services import DELIVER_QUEUE
from apps.surveys.models import Invitation
from apps.triggers import cadences
from apps.triggers.models import Decision
from tests.processes import census, rows
from tests.processes.fleet import Mailbox, patiently

TEAMS, PEOPLE, EVENT_PEOPLE = 6, 60, 150


@dataclass
class Load:
    """Events and cadences that were given to the fleet."""

    survey: Any = None
    touchpoint: Any = None
    rule_ids: list[int] = field(default_factory=list)
    contacts: list[Any] = field(default_factory=list)
    turns: set[rows.Turn] = field(default_factory=set)
    events: list[Any] = field(default_factory=list)
    waves: int = 0

    def __post_init__(self) -> None:
        self.survey = rows.furnish()
        self.touchpoint = rows.touchpoint()
        # One asks at once, the other later: half of the invitations become mails meanwhile.
        self.rule_ids = [
            rule.pk
            for delay in (timedelta(0), 3 * rows.ONE_DAY)
            for rule in rows.rules(self.survey, self.touchpoint, count=1, delay=delay)
        ]
        self.contacts = rows.people(PEOPLE, teams=TEAMS)

    def add(self, *, events: int, due_cadences: int = 2) -> None:
        """One wave: events of the same people again, and cadences that fall due now and in a second."""
        now = timezone.now()
        fired_at = rows.last_minute(now - rows.ONE_HOUR)
        for n in range(due_cadences):
            key = f"p{(self.waves + n) % TEAMS}"
            runs_at = now + timedelta(seconds=n)
            name = f"wave {self.waves}.{n}"
            row = rows.daily(self.survey, name=name, fired_at=fired_at, runs_at=runs_at, segment=rows.team(key))
            agenda.wake(queue=cadences.QUEUE, due_at=runs_at, now=now)
            self.turns |= rows.turns(row, rows.members(self.contacts, key), fired_at)
        whose = [rows.identity((self.waves * 31 + n) % EVENT_PEOPLE) for n in range(events)]
        self.events += [event.pk for event in rows.events(self.touchpoint, whose)]
        self.waves += 1

    @property
    def wanted(self) -> int:
        """How many decisions must come of it."""
        return len(self.turns) + len(self.events) * len(self.rule_ids)

    def wait(self, seconds: float) -> bool:
        """Until all is decided and sent; a killed worker's mails are let go when nothing moves any more."""
        decided = patiently(lambda: Decision.objects.count() >= self.wanted, seconds)
        queued = patiently(all_dispatched, seconds)
        patiently(lambda: not in_motion(), seconds, pause=0.5)
        let_leases_run_out()
        return decided and queued and patiently(census.all_sent, 60)

    def checks(self, mailbox: Mailbox) -> list[census.Check]:
        """Everything once."""
        return [
            census.turns(self.turns),
            census.event_decisions(self.events, self.rule_ids),
            census.no_event_left(),
            *census.invitations(),
            census.ledger_agrees(),
            *census.mails(mailbox),
        ]


def all_dispatched() -> bool:
    """Whether every invitation that is due has become a mail."""
    return not Invitation.objects.filter(status="scheduled", send_at__lte=timezone.now()).exists()


def in_motion() -> bool:
    """Whether some mail is on its way in a living worker's hands: sent a moment ago."""
    recent = timezone.now() - timedelta(seconds=3)
    return OutgoingEmail.objects.filter(sent_at__gte=recent).exists() and not census.all_sent()


def let_leases_run_out() -> None:
    """Five minutes pass, as far as mails are concerned that a dead worker had taken."""
    held = OutgoingEmail.objects.filter(lease_until__isnull=False)
    if held.update(lease_until=F("lease_until") - LEASE):
        now = timezone.now()
        agenda.wake(queue=DELIVER_QUEUE, due_at=now, now=now)
