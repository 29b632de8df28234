"""Rows that processes are to work on, and what must come of them. All of it in the current tenant."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone

from apps.common import agenda
from apps.common.recurrence import due_at
from apps.contacts.models import Contact, ContactBudget, LegalBasis
from apps.surveys.models import Survey
from apps.touchpoints.models import Event, Touchpoint
from apps.touchpoints.services import DECIDE_QUEUE
from apps.triggers import cadences
from apps.triggers.models import Cadence, Segment, TriggerRule
from apps.triggers.segments import bucket_of
from tests import factories

ONE_DAY = timedelta(days=1)
ONE_HOUR = timedelta(hours=1)


class Turn(NamedTuple):
    """One contact's turn of one cadence; it must be decided exactly once."""

    cadence_id: int | None
    contact_id: UUID | None
    number: int


def furnish(**budget: Any) -> Survey:
    """A tenant that is ready to ask: a theme, a survey, and a contact budget without limits unless given."""
    factories.theme()
    ContactBudget.objects.create(pk=1, **{"min_days_between": 0, "days_after_decline": 0, **budget})
    survey: Any = factories.SurveyFactory()
    return survey


def people(count: int, *, teams: int = 1, prefix: str = "p") -> list[Contact]:
    """Contacts who may be written to, dealt out evenly to teams."""
    rows = Contact.objects.bulk_create(
        Contact(
            external_id=f"{prefix}-{n}", email=f"{prefix}-{n}@fleet.example", name=f"Person {n}",
            properties={"team": f"{prefix}{n % teams}"},
        )
        for n in range(count)
    )  # fmt: skip
    granted = timezone.now() - 400 * ONE_DAY
    LegalBasis.objects.bulk_create(
        LegalBasis(contact=row, kind="consent", source="test", granted_at=granted) for row in rows
    )
    return rows


def team(key: str) -> Segment:
    """The segment of one team."""
    condition = {"field": "contact.team", "op": "eq", "value": key}
    return Segment.objects.get_or_create(key=key, defaults={"name": key, "condition": condition})[0]


def members(people: Collection[Contact], key: str) -> list[Contact]:
    """Who belongs to a team."""
    return [row for row in people if row.properties["team"] == key]


def last_minute(moment: datetime) -> datetime:
    """The full minute before: cadences fire on full minutes."""
    return moment.replace(second=0, microsecond=0)


def daily(survey: Survey, *, fired_at: datetime, runs_at: datetime, **values: Any) -> Cadence:
    """A daily cadence of the calendar: its latest moment was ``fired_at`` (UTC), and it is looked at at ``runs_at``."""
    row = Cadence(
        survey=survey,
        kind=Cadence.Kind.CALENDAR,
        recurrence="FREQ=DAILY",
        starts_on=date(2026, 1, 1),
        **{"name": "daily", "at": time(fired_at.hour, fired_at.minute), **values},
    )
    row.full_clean()
    row.covered_until, row.next_run_at = fired_at - ONE_HOUR, runs_at
    row.save()
    return row


def each_day(survey: Survey, *, fired_at: datetime, runs_at: datetime, **values: Any) -> Cadence:
    """A cadence that asks each contact once a day at a moment of their own, planned a day ahead at ``fired_at``."""
    row = Cadence(
        survey=survey, period_days=1, starts_on=date(2026, 1, 1),
        **{"name": "each day", "at": time(fired_at.hour, fired_at.minute), **values},
    )  # fmt: skip
    row.full_clean()
    row.covered_until, row.next_run_at = fired_at, runs_at
    row.save()
    return row


def turns(cadence: Cadence, contacts: Collection[Contact], fired_at: datetime) -> set[Turn]:
    """The turns that a cadence has to decide: those after ``fired_at`` of the contacts' own, or that very moment."""
    found = set()
    for contact in contacts:
        if cadence.kind == Cadence.Kind.CALENDAR:
            number = int(fired_at.timestamp())
        else:
            number = own_turn(cadence, contact, fired_at)
        found.add(Turn(cadence.pk, contact.pk, number))
    return found


def own_turn(cadence: Cadence, contact: Contact, after: datetime) -> int:
    """The number of the contact's first turn after a moment; found by trying, independently of the engine's slices."""
    bucket, offset = bucket_of(contact.pk), cadences.offset_of(cadence.pk)
    number = 0
    step = 1 << 13  # 16,383 days from 2020 are enough
    while step:
        if due_at(bucket, number + step - 1, cadence.period_days, offset) <= after:
            number += step
        step >>= 1
    return number


def touchpoint(key: str = "order_received") -> Touchpoint:
    """A place on the journey whose events prove that the contact may be written to."""
    row: Any = factories.TouchpointFactory(key=key)
    return row


def rules(survey: Survey, touchpoint: Touchpoint, *, count: int = 2, **values: Any) -> list[TriggerRule]:
    """Rules that all listen to one touchpoint."""
    defaults = {"survey": survey, "delay": timedelta(0), "touchpoints": [touchpoint], **values}
    made: list[Any] = [factories.TriggerRuleFactory(name=f"rule {n}", **defaults) for n in range(count)]
    return made


def events(touchpoint: Touchpoint, whose: Sequence[dict[str, Any]]) -> list[Event]:
    """Pending events, one of each person, committed together and announced as the intake does."""
    now = timezone.now()
    rows = Event.objects.bulk_create(
        Event(touchpoint=touchpoint, occurred_at=now, received_at=now, contact_data=data) for data in whose
    )
    agenda.wake(queue=DECIDE_QUEUE, due_at=now, now=now)
    return rows


def identity(number: int, prefix: str = "e") -> dict[str, Any]:
    """A person as events name them."""
    return {"external_id": f"{prefix}-{number}", "email": f"{prefix}-{number}@fleet.example", "name": f"Event {number}"}
