"""How far each stream's sending is, and how fast it goes: noted by the workers now and then while something waits.

So a page that is opened, or loaded again, in the middle knows where it began, and nobody counts history. What is
done is what was queued since the beginning and waits no more, whether it was sent or not.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from apps.common.db import connection
from apps.messaging.models import Backlog

NOTE_EVERY = timedelta(seconds=15)
SHARE = 20
"""Counting takes at most so small a part of the time: where millions wait, it is done less often."""
RATE_OVER = timedelta(minutes=5)
AT_MOST = timedelta(hours=24)
MOST_STREAMS = 100
# One step in the index per stream, however many messages wait in it.
_STREAMS = """
    WITH RECURSIVE found(stream) AS (
        (SELECT stream FROM messaging_outgoingemail WHERE status IN ('queued', 'paused', 'sending')
         ORDER BY stream LIMIT 1)
        UNION ALL
        SELECT (SELECT o.stream FROM messaging_outgoingemail o
                WHERE o.status IN ('queued', 'paused', 'sending') AND o.stream > f.stream ORDER BY o.stream LIMIT 1)
        FROM found f WHERE f.stream IS NOT NULL
    )
    SELECT stream FROM found WHERE stream IS NOT NULL LIMIT %s
"""
_BEGIN = """
    INSERT INTO messaging_backlog (stream, began_at, trail)
    SELECT stream, min(queued_at), '[]' FROM messaging_outgoingemail
    WHERE status IN ('queued', 'paused', 'sending') AND stream = ANY(%s) GROUP BY stream
    ON CONFLICT (stream) DO NOTHING
"""
_QUEUED = """
    SELECT b.stream, (SELECT count(*) FROM messaging_outgoingemail o
                      WHERE o.stream = b.stream AND o.queued_at >= GREATEST(b.began_at, %s))
    FROM messaging_backlog b WHERE b.stream = ANY(%s)
"""
_WAITING = """
    SELECT stream, status, count(*) FROM messaging_outgoingemail
    WHERE status IN ('queued', 'paused', 'sending') AND stream = ANY(%s) GROUP BY stream, status
"""


Trail = list[Any]  # of [time in ISO 8601, messages done, seconds that counting took]


class Pace(NamedTuple):
    """How far a stream is: messages that wait no more, of all since it began, and per minute lately (None: unknown)."""

    done: int
    total: int
    per_minute: float | None


def observe(*, now: datetime) -> None:
    """Note which streams have something waiting since when, and how far they are. Two queries when nothing is new."""
    streams = waiting_streams()
    known = {row.stream: row for row in Backlog.objects.all()}
    over = known.keys() - set(streams)
    if over:
        Backlog.objects.filter(stream__in=over).delete()
    new = [stream for stream in streams if stream not in known]
    if new:
        with connection.cursor() as cursor:
            cursor.execute(_BEGIN, [new])
        known |= {row.stream: row for row in Backlog.objects.filter(stream__in=new)}
    due = [row for row in known.values() if row.stream not in over and _is_due(row, now)]
    if not due:
        return
    started = time.monotonic()
    finished = done_of([row.stream for row in due], waiting_in([row.stream for row in due]), now=now)
    seconds = round(time.monotonic() - started, 3)
    for row in due:
        row.trail = [[now.isoformat(), finished.get(row.stream, 0), seconds], *_recent(row.trail, now)]
    Backlog.objects.bulk_update(due, ["trail"])


def waiting_streams() -> list[str]:
    """The streams that have something waiting; not more than the page can show."""
    with connection.cursor() as cursor:
        cursor.execute(_STREAMS, [MOST_STREAMS])
        return [row[0] for row in cursor.fetchall()]


def waiting_in(streams: Iterable[str]) -> dict[str, dict[str, int]]:
    """Stream → status → how many wait. One query on the index of what waits."""
    found: dict[str, dict[str, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [list(streams)])
        for stream, status, count in cursor.fetchall():
            found.setdefault(stream, {})[status] = count
    return found


def done_of(streams: Iterable[str], waiting: Mapping[str, Mapping[str, int]], *, now: datetime) -> dict[str, int]:
    """How many messages of each backlog wait no more, looking back 24 hours at most. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_QUEUED, [now - AT_MOST, list(streams)])
        return {stream: max(0, queued - sum(waiting.get(stream, {}).values())) for stream, queued in cursor.fetchall()}


def paces(waiting: Mapping[str, Mapping[str, int]], *, now: datetime) -> dict[str, Pace]:
    """How far the waiting streams are. Two queries. A stream that no worker has looked at yet is at its beginning."""
    trails = dict(Backlog.objects.filter(stream__in=list(waiting)).values_list("stream", "trail"))
    done = done_of(trails, waiting, now=now)
    return {
        stream: Pace(
            done.get(stream, 0),
            done.get(stream, 0) + sum(counts.values()),
            _per_minute(_recent(trails.get(stream, []), now), done.get(stream, 0), now),
        )
        for stream, counts in waiting.items()
    }


def _is_due(row: Backlog, now: datetime) -> bool:
    if not row.trail:
        return True
    at, _done, seconds = row.trail[0]
    return now - datetime.fromisoformat(at) >= max(NOTE_EVERY, timedelta(seconds=SHARE * seconds))


def _recent(trail: Trail, now: datetime) -> Trail:
    """The notes of the last minutes; where notes are further apart, the latest one."""
    return [note for note in trail if now - datetime.fromisoformat(note[0]) <= RATE_OVER] or trail[:1]


def _per_minute(trail: Trail, done: int, now: datetime) -> float | None:
    """From the oldest note of the last minutes until now; None where nothing moved, or too little time passed."""
    if not trail:
        return None
    at, before, _seconds = trail[-1]
    minutes = (now - datetime.fromisoformat(at)).total_seconds() / 60
    moved = done - before
    return moved / minutes if minutes >= 1 / 12 and moved > 0 else None
