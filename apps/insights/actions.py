"""Improvement actions: planned, in progress, done, or dropped; done is from a day on."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.models import User
from apps.insights.models import Action

Status = Action.Status
FLOW: dict[str, tuple[str, ...]] = {
    Status.PLANNED: (Status.RUNNING, Status.DONE, Status.DROPPED),
    Status.RUNNING: (Status.DONE, Status.PLANNED, Status.DROPPED),
    Status.DONE: (Status.RUNNING,),
    Status.DROPPED: (Status.PLANNED,),
}
"""Where an action may go from each status."""
OPEN = (Status.PLANNED, Status.RUNNING)


class ActionError(Exception):
    """It cannot be done; ``code`` says why: "no_way" (from this status to that), "not_yet" (a day to come)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def today_of(now: datetime) -> date:
    """The day, by UTC."""
    return now.astimezone(UTC).date()


def overdue(rows: QuerySet[Action], *, today: date) -> QuerySet[Action]:
    """Those still open after the day they were to be done by."""
    return rows.filter(status__in=OPEN, due_on__lt=today)


def is_overdue(row: Action, *, today: date) -> bool:
    """Whether it is still open after the day it was to be done by."""
    return row.status in OPEN and row.due_on is not None and row.due_on < today


def save(*, row: Action, by: User | None, now: datetime, fields: Iterable[str] | None = None) -> Action:
    """Keep a new action, or ``fields`` of one that is there. Raises ValidationError."""
    row.updated_at = now
    is_new = row._state.adding
    if is_new:
        row.created_by, row.created_at = by, now
    row.full_clean()
    row.save(force_insert=is_new, update_fields=None if is_new or fields is None else {*fields, "updated_at"})
    return row


def move(*, action_id: UUID, to: str, on: date | None, now: datetime, learned: str | None = None) -> Action:
    """Bring an action into another status. Raises ActionError, and Action.DoesNotExist.

    ``on``: the day that it begins, or from which on customers notice it; else today. What is no longer done has no
    such day any more, and began when it did. The same status again changes the day only.
    """
    day = on or today_of(now)
    with transaction.atomic():
        row = Action.objects.select_for_update().get(pk=action_id)
        if to != row.status and to not in FLOW[row.status]:
            raise ActionError("no_way")
        if to == Status.DONE and day > today_of(now):
            raise ActionError("not_yet")
        changes: dict[str, Any] = {"status": to, "done_on": day if to == Status.DONE else None}
        if to == Status.RUNNING and (row.starts_on is None or (on is not None and row.status != Status.DONE)):
            changes["starts_on"] = day
        if learned is not None:
            changes["learned"] = learned
        for name, value in changes.items():
            setattr(row, name, value)
        save(row=row, by=None, now=now, fields=changes)
    return row
