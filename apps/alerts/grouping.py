"""Which due notices of one receiver go out together: each by itself, in a summary, or as a flood."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from apps.alerts.models import Notice, When

MOST, WITHIN = 20, timedelta(hours=1)
"""So many messages at once a receiver gets within that time; what is more comes together."""
PERIODS = {When.DAILY: timedelta(days=1), When.WEEKLY: timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class Message:
    """Notices that go out as one."""

    notices: list[Notice]
    when: str

    @property
    def id(self) -> UUID:
        """What outbox and receivers tell repetitions by: the same whenever these notices are sent again."""
        first = self.notices[0]
        return first.message or first.id

    @property
    def is_together(self) -> bool:
        """Whether it is more than a notice by itself."""
        return self.when != When.INSTANT or len(self.notices) > 1


@dataclass(frozen=True, slots=True)
class Recent:
    """What a receiver got lately: messages at once, the first of them, and summaries by their turn."""

    count: int = 0
    since: datetime | None = None
    turns: frozenset[tuple[str, datetime]] = frozenset()


@dataclass(slots=True)
class Plan:
    """What one receiver gets now, and what it gets later with the new time."""

    messages: list[Message] = field(default_factory=list)
    later: list[Notice] = field(default_factory=list)


def plan(due: Sequence[Notice], recent: Recent, now: datetime) -> Plan:
    """Group one receiver's due notices, the oldest first.

    A summary goes out once per turn: what came too late for it waits for the next. Instant ones go one by one up to
    MOST within an hour; more come as one message, and after that the receiver has the rest of the hour for itself.
    """
    found = Plan()
    for when, period in PERIODS.items():
        rows = []
        for row in (row for row in due if row.when == when):
            if (when, row.due_at) in recent.turns:
                row.due_at += period
                found.later.append(row)
            else:
                rows.append(row)
        if rows:
            found.messages.append(Message(rows, when))
    instant = [row for row in due if row.when == When.INSTANT]
    if instant and recent.count >= MOST:
        again = max((recent.since or now) + WITHIN, now + timedelta(minutes=1))
        for row in instant:
            row.due_at = again
        found.later += instant
    elif recent.count + len(instant) > MOST:
        found.messages.append(Message(instant, When.INSTANT))
    else:
        found.messages += [Message([row], When.INSTANT) for row in instant]
    return found
