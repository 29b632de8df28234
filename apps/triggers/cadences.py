"""Asking regularly: what is due of each cadence, contact by contact. A tick costs what is due, not what exists."""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID
from zlib import crc32

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Min

from apps.common import agenda
from apps.common.batches import sentence
from apps.common.recurrence import BUCKETS, Slice, due_at, next_occurrence, occurrences, parse_rule, slices
from apps.common.schedule import start_of_day
from apps.contacts import ledger
from apps.contacts import services as contacts
from apps.contacts.models import Contact
from apps.surveys import services as surveys
from apps.triggers.eligibility import Occasion, judge
from apps.triggers.facts import Known, gather
from apps.triggers.models import AutopilotMember, Cadence, Decision
from apps.triggers.rules import Rule, cadence_rule
from apps.triggers.rulings import Ruling, Rulings
from apps.triggers.segments import bucket_of, contact_ids

logger = logging.getLogger(__name__)

QUEUE = "triggers.cadences"
BATCH = 1000
RETRY_AFTER = timedelta(minutes=10)
LONGEST_GAP = timedelta(days=400)
_STATE = ("running_until", "cursor", "covered_until", "next_run_at")


def next_due() -> datetime | None:
    """When the next cadence has something to do; None if none has."""
    found = Cadence.objects.filter(next_run_at__isnull=False).aggregate(at=Min("next_run_at"))
    return found["at"]  # type: ignore[no-any-return]


@transaction.atomic
def keep(*, cadence: Cadence, now: datetime) -> None:
    """Store a cadence that was made or changed, and plan it.

    Where it stands is not written: a worker may have got further since it was read.
    """
    if cadence.pk is None:
        cadence.save()
    else:
        names = {field.name for field in Cadence._meta.concrete_fields if not field.primary_key}
        cadence.save(update_fields=sorted(names - {*_STATE, "last_error"}))
    plan(cadence=cadence, now=now)


@transaction.atomic
def plan(*, cadence: Cadence, now: datetime) -> None:
    """Set when a cadence that was made or changed runs next, and wake its queue.

    A run that is under way goes on where it is. A cadence that is switched off takes back what it has planned.
    """
    rows = Cadence.objects.select_for_update().values_list(*_STATE, "last_error")
    *state, last_error = rows.get(pk=cadence.pk)
    for name, value in zip(_STATE, state, strict=True):  # A worker may have got further since the form was opened.
        setattr(cadence, name, value)
    if last_error:  # What failed is due still; now it may go well.
        cadence.next_run_at = now
    cadence.last_error = ""
    if cadence.is_active and cadence.running_until is not None:
        cadence.next_run_at = now
    else:
        _restart(cadence, now)
    cadence.save(update_fields=[*_STATE, "last_error"])
    if not cadence.is_active:
        withdraw(cadence_ids=[cadence.pk])
    if cadence.next_run_at is not None:
        agenda.wake(queue=QUEUE, due_at=cadence.next_run_at, now=now)


def withdraw(*, cadence_ids: Collection[int]) -> int:
    """Take back what cadences have planned and not sent yet; returns how many."""
    planned = Decision.objects.filter(cadence_id__in=cadence_ids, invitation__status="scheduled")
    ids = list(planned.values_list("invitation_id", flat=True))
    return surveys.revoke_scheduled(invitation_ids=ids, reason="rule_inactive")


def _restart(cadence: Cadence, now: datetime) -> None:
    cadence.running_until = cadence.cursor = None
    begins = start_of_day(cadence.starts_on, ledger.home_calendar())
    if not cadence.is_active:
        cadence.next_run_at = None
    elif cadence.kind == Cadence.Kind.PER_CONTACT:
        cadence.covered_until = max(cadence.covered_until or begins, begins, now - LONGEST_GAP)
        if cadence.covered_until < now and cadence.next_run_at is None:
            cadence.covered_until = now  # Not asked while it was off: nothing to catch up with.
        cadence.next_run_at = max(now, cadence.covered_until)
    elif cadence.next_run_at is not None and cadence.next_run_at <= now:
        cadence.next_run_at = now  # Its day has come, and the worker has not: that day still counts.
    else:
        cadence.covered_until = now
        cadence.next_run_at = _next_day(cadence, now)


def run_due(*, now: datetime) -> int:
    """Carry one due cadence on by a batch of contacts; returns 1 if there was one.

    One that fails is put off with its error; the others go on.
    """
    cadence_id = _due(now)
    if cadence_id is None:
        return 0
    try:
        run_batch(cadence_id=cadence_id, now=now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("Cadence %s is put off", cadence_id)
        Cadence.objects.filter(pk=cadence_id, next_run_at__lte=now).update(
            next_run_at=now + RETRY_AFTER, last_error=sentence(error)
        )
    return 1


@transaction.atomic
def _due(now: datetime) -> int | None:
    due = Cadence.objects.filter(next_run_at__lte=now).order_by("next_run_at").select_for_update(skip_locked=True)
    return due.values_list("pk", flat=True).first()


@transaction.atomic
def run_batch(*, cadence_id: int, now: datetime, limit: int = BATCH) -> int:
    """Ask up to ``limit`` contacts whose turn it is; returns how many were looked at.

    The row remembers how far it got, in the transaction of what it did: interrupted anywhere, it goes on there.
    """
    rows = Cadence.objects.select_related("survey", "segment", "touchpoint").filter(next_run_at__lte=now)
    cadence = rows.select_for_update(skip_locked=True, of=("self",)).filter(pk=cadence_id).first()
    if cadence is None:
        return 0
    if cadence.running_until is None:
        cadence.running_until, cadence.cursor = _until(cadence, now), None
    turns = _turns(cadence, now)
    # SQL preselects the segment; who really belongs to it is judged again, contact by contact.
    segment = cadence.segment.condition if cadence.segment else {}
    ids = _next_contacts(cadence, turns, segment, now, limit) if turns else []
    if ids:
        _ask(cadence, ids, turns, now)
        cadence.cursor = ids[-1]
    if len(ids) < limit:
        _finish(cadence, now)
    cadence.save(update_fields=[*_STATE, "last_error"])
    if cadence.next_run_at is not None:
        agenda.wake(queue=QUEUE, due_at=cadence.next_run_at, now=now)
    return len(ids)


def _next_contacts(cadence: Cadence, turns: list[Slice], segment: object, now: datetime, limit: int) -> list[UUID]:
    return contact_ids(
        turns, condition=segment, now=now, after=cadence.cursor, limit=limit, members_of=cadence.members_of
    )


def _until(cadence: Cadence, now: datetime) -> datetime:
    """How far this run looks: contacts with a turn of their own are planned a day ahead, at their own moments."""
    if cadence.kind == Cadence.Kind.CALENDAR:
        return now
    zone = ledger.home_calendar().zone
    daily = parse_rule("FREQ=DAILY")
    return next_occurrence(daily, starts_on=now.date(), at_minute=_minute(cadence), zone=zone, after=now) or now


def _turns(cadence: Cadence, now: datetime) -> list[Slice]:
    """Which buckets have their turn in this run.

    After a downtime each contact is asked once, for its latest turn: of several days of the calendar that were
    missed, the last one counts.
    """
    after, until = cadence.covered_until or now, cadence.running_until or now
    if cadence.kind == Cadence.Kind.PER_CONTACT:
        return slices(period_days=cadence.period_days, offset=offset_of(cadence.pk), after=after, until=until)
    home = ledger.home_calendar()
    days = occurrences(
        parse_rule(cadence.recurrence), starts_on=cadence.starts_on, at_minute=_minute(cadence), zone=home.zone,
        after=max(after, until - LONGEST_GAP), until=until, limit=LONGEST_GAP.days + 1,
    )  # fmt: skip
    return [Slice(int(days[-1].timestamp()), 0, BUCKETS)] if days else []


def _ask(cadence: Cadence, ids: list[UUID], turns: list[Slice], now: datetime) -> None:
    contacts.lock(contact_ids=ids)
    if cadence.members_of:  # Somebody may have been taken off the list before the lock was had.
        members = AutopilotMember.objects.filter(contact_id__in=ids, platform=cadence.members_of)
        ids = list(members.values_list("contact_id", flat=True))
    rule = rule_of(cadence)
    touchpoints = {cadence.touchpoint.pk: cadence.touchpoint} if cadence.touchpoint else {}
    known = gather(Contact.objects.filter(id__in=ids), rules={0: [rule]}, touchpoints=touchpoints, now=now)
    rulings = Rulings(now=now, cadence_id=cadence.pk)
    turn_of = {pk: turn for pk in ids if pk in known.contacts and (turn := _turn(pk, turns)) is not None}
    done = _decided(cadence, turn_of)
    for contact_id, turn in turn_of.items():
        if contact_id in done:
            continue
        occasion = _occasion(cadence, contact_id, turn, known, now)
        if rule.condition.test(occasion.facts, now):
            outcome = judge(rule, occasion, known.book, now)
            rulings.add(Ruling(None, contact_id, rule, *outcome, occurrence=_occurrence(cadence, turn)), occasion)
    rulings.store()


def _turn(contact_id: UUID, turns: list[Slice]) -> int | None:
    bucket = bucket_of(contact_id)
    return max((turn.occurrence for turn in turns if turn.low <= bucket < turn.high), default=None)


def _occurrence(cadence: Cadence, turn: int) -> str:
    """What a turn is called. Turns are counted per period: with another period, another count."""
    length = cadence.period_days if cadence.kind == Cadence.Kind.PER_CONTACT else 0
    return f"cadence:{cadence.pk}:{length}:{turn}"


def _decided(cadence: Cadence, turn_of: dict[UUID, int]) -> set[UUID]:
    """Contacts whose turn was decided before: a changed cadence may come by again."""
    rows = Decision.objects.filter(cadence=cadence, contact_id__in=turn_of).values_list("contact_id", "occurrence")
    return {pk for pk, occurrence in rows if pk and occurrence == _occurrence(cadence, turn_of[pk])}


def _occasion(cadence: Cadence, contact_id: UUID, turn: int, known: Known, now: datetime) -> Occasion:
    about_contact, about_company = known.contact_facts(contact_id)
    facts = {"contact": about_contact, "company": about_company}
    if known.histories is not None:
        facts["history"] = known.histories[contact_id].facts(cadence.touchpoint_id, now)
    wanted = now
    if cadence.kind == Cadence.Kind.PER_CONTACT:
        own = due_at(bucket_of(contact_id), turn, cadence.period_days, offset_of(cadence.pk))
        wanted = max(now, own)
    return Occasion(
        key=contact_id.bytes + turn.to_bytes(8, "big"),
        person=known.people[contact_id],
        touchpoint_id=cadence.touchpoint_id,
        touchpoint_is_active=cadence.touchpoint.is_active if cadence.touchpoint else True,
        occurred_at=wanted,
        facts=facts,
        good_hours=known.good_hours(contact_id, cadence.touchpoint_id),
    )


def _finish(cadence: Cadence, now: datetime) -> None:
    cadence.covered_until, cadence.running_until, cadence.cursor = cadence.running_until, None, None
    cadence.last_error = ""
    per_contact = cadence.kind == Cadence.Kind.PER_CONTACT
    cadence.next_run_at = cadence.covered_until if per_contact else _next_day(cadence, now)


def _next_day(cadence: Cadence, after: datetime) -> datetime | None:
    return next_occurrence(
        parse_rule(cadence.recurrence), starts_on=cadence.starts_on, at_minute=_minute(cadence),
        zone=ledger.home_calendar().zone, after=after,
    )  # fmt: skip


def _minute(cadence: Cadence) -> int:
    return cadence.at.hour * 60 + cadence.at.minute


def offset_of(cadence_id: int) -> int:
    """What shifts a cadence's buckets, so that two cadences do not ask the same contact on the same day."""
    return crc32(cadence_id.to_bytes(8, "big")) % BUCKETS


def rule_of(cadence: Cadence) -> Rule:
    """A cadence as the engine knows it: its segment is the condition."""
    return cadence_rule(
        origin=f"cadence:{cadence.pk}",
        name=cadence.name,
        survey=(cadence.survey_id, cadence.survey.is_active, cadence.survey.min_days_between),
        condition=cadence.segment.condition if cadence.segment else {},
        touchpoint=cadence.touchpoint,
        asking=cadence,
    )
