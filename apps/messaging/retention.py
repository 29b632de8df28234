"""Deleting what was written once the tenant's time for keeping it is over.

The words go: the link to the shared frame, the message's own values and its headers. The fact stays: when, to whom,
under which subject, what became of it, with all delivery events. (A subject may name the contact; so does the row.
It goes with the contact, like all that is known of them.)

What still waits keeps its words whatever its age, and so does a message of unknown fate for twice the time: a human
may have to send it again. So two passes go over the outbox, the second twice as far back as the first. Each begins
where it stopped the day before; none ever looks through all history.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Min

from apps.common.db import connection
from apps.messaging.models import MailPolicy, OutgoingEmail

QUEUE = "messaging.forget"
BATCH = 5000
EVERY = timedelta(days=1)

Status = OutgoingEmail.Status
WAITING = (Status.QUEUED, Status.PAUSED, Status.SENDING)
_DELETE = """
    WITH old AS (
        SELECT id FROM messaging_outgoingemail
        WHERE queued_at >= %(start)s AND queued_at < %(end)s AND frame_id IS NOT NULL AND status <> ALL(%(spared)s)
        ORDER BY queued_at LIMIT %(limit)s FOR UPDATE
    )
    UPDATE messaging_outgoingemail o SET frame_id = NULL, "values" = '{}', headers = '{}'
    FROM old WHERE o.id = old.id RETURNING o.queued_at
"""


class Pass(NamedTuple):
    """One way through the outbox: its note of where it stopped, how old words must be, and what it leaves alone."""

    note: str
    times: int
    spared: Sequence[str]


LATE = Pass("late_bodies_deleted_until", 2, WAITING)
FIRST = Pass("bodies_deleted_until", 1, (*WAITING, Status.UNKNOWN))


def forget_bodies(*, now: datetime, limit: int = BATCH) -> int:
    """Delete the words of up to ``limit`` messages that are old enough; returns how many."""
    # The first pass says when the next day's work is due: it must be the last to get done.
    return _go_on(LATE, now, limit) or _go_on(FIRST, now, limit)


def next_due() -> datetime | None:
    """When words are to be deleted next, at most once a day; None while there is no message."""
    policy = MailPolicy.objects.first() or MailPolicy()
    keep = timedelta(days=policy.keep_bodies_days)
    if policy.bodies_deleted_until is not None:
        return policy.bodies_deleted_until + keep + EVERY
    oldest = OutgoingEmail.objects.aggregate(at=Min("queued_at"))["at"]
    return None if oldest is None else oldest + keep


@transaction.atomic
def _go_on(way: Pass, now: datetime, limit: int) -> int:
    policy = MailPolicy.objects.select_for_update().get_or_create(pk=1)[0]
    start: datetime | None = getattr(policy, way.note) or OutgoingEmail.objects.aggregate(at=Min("queued_at"))["at"]
    end = now - timedelta(days=policy.keep_bodies_days * way.times)
    if way is LATE and start is not None and start < end:
        # Nobody comes by here again: what waits even now holds the pass up until it waits no more.
        end = min(end, _oldest_waiting() or end)
    if start is None or start >= end:
        return 0
    found = _delete(way, start, end, limit)
    MailPolicy.objects.filter(pk=1).update(**{way.note: max(found) if len(found) == limit else end})
    return len(found)


def _oldest_waiting() -> datetime | None:
    at: datetime | None = OutgoingEmail.objects.filter(status__in=WAITING).aggregate(at=Min("queued_at"))["at"]
    return at


def _delete(way: Pass, start: datetime, end: datetime, limit: int) -> list[datetime]:
    params: dict[str, Any] = {"start": start, "end": end, "spared": list(way.spared), "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_DELETE, params)
        return [row[0] for row in cursor.fetchall()]
