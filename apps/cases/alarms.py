"""Reminders, what is overdue, and escalation: each told once, and after an outage only the latest."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Min, QuerySet

from apps.alerts.models import Kind
from apps.alerts.services import Occasion, tell
from apps.cases.models import Case, CaseChange
from apps.cases.policy import Alarm, Terms, current_terms
from apps.cases.telling import occasion
from apps.common import agenda
from apps.common.batches import SINGLES, together_or_singly

QUEUE = "cases.alarms"
_KINDS = {
    Alarm.REMIND: (Kind.CASE_DUE, CaseChange.Kind.REMINDED),
    Alarm.OVERDUE: (Kind.CASE_OVERDUE, CaseChange.Kind.OVERDUE),
    Alarm.ESCALATE: (Kind.CASE_ESCALATED, CaseChange.Kind.ESCALATED),
}


def wake(cases: Iterable[Case], *, now: datetime) -> None:
    """Have the alarms of these cases looked at when the first is due."""
    found = [case.alarm_at for case in cases if case.alarm_at is not None]
    if found:
        agenda.wake(queue=QUEUE, due_at=min(found), now=now)


def next_due() -> datetime | None:
    """When the next alarm is due; None if there is none."""
    found = Case.objects.filter(alarm_at__isnull=False).aggregate(at=Min("alarm_at"))
    at: datetime | None = found["at"]
    return at


def sound_due(*, now: datetime) -> int:
    """Tell what is due; a case that breaks the others gets no alarm any more, and they go through."""

    def put_aside(case_id: UUID, _error: Exception) -> None:
        Case.objects.filter(pk=case_id).update(alarm=Alarm.NONE, alarm_at=None)

    return together_or_singly(
        together=lambda: sound(now=now),
        waiting=lambda: _due(now).values_list("id", flat=True)[:SINGLES],
        single=lambda case_id: sound(now=now, only=case_id),
        put_aside=put_aside,
    )


def _due(now: datetime) -> QuerySet[Case]:
    return Case.objects.filter(alarm_at__lte=now).order_by("alarm_at")


@transaction.atomic
def sound(*, now: datetime, limit: int = 200, only: UUID | None = None) -> int:
    """Tell what is due about cases, and note what comes next; returns how many were due.

    Notices are rows written with the alarm's own state in one transaction: none is told twice, none is lost.
    """
    rows = _due(now).filter(pk=only) if only else _due(now)
    due = list(rows.select_for_update(skip_locked=True, of=("self",))[:limit])
    if not due:
        return 0
    terms = current_terms()
    occasions: list[Occasion] = []
    changes: list[CaseChange] = []
    for case in due:
        _sound(case, terms, now, occasions, changes)
    CaseChange.objects.bulk_create(changes)
    Case.objects.bulk_update(due, ["alarm", "alarm_at"])
    tell(occasions=occasions, now=now)
    return len(due)


def _sound(case: Case, terms: Terms, now: datetime, occasions: list[Occasion], changes: list[CaseChange]) -> None:
    """What is to be told about one case, and the next alarm."""
    since = case.alarm_at or now
    # After an outage several are due at once: the gravest says it all.
    passed = sorted((stage, at, due) for at, stage, due in terms.alarms(case) if since <= at <= now)
    telling = [] if case.is_closed else passed[-1:]
    if telling and telling[0][0] == Alarm.ESCALATE and terms.escalate_to_id is None:
        # Nobody's, but for those who subscribed to it: the owner has still to know.
        telling += [one for one in passed if one[0] != Alarm.ESCALATE][-1:]
    for stage, _at, due in telling:
        kind, change = _KINDS[stage]
        to = terms.escalate_to_id if stage == Alarm.ESCALATE else case.owner_id
        occasions.append(
            occasion(case, kind, f"{kind}:{due.isoformat()}", {to} if to else set(), zone=terms.calendar.zone, due=due)
        )
        if to or stage != Alarm.ESCALATE:
            changes.append(CaseChange(case=case, kind=change, at=now, data={"due": due.isoformat(), "to": to}))
    terms.set_alarm(case, now=now)
