"""What waits, what is held up, and what became of today's messages. Counts come from indexes and are bounded."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from apps.common.db import connection
from apps.messaging import backlogs
from apps.messaging.backlogs import Pace
from apps.messaging.holds import EVERYTHING
from apps.messaging.models import DomainRest, OutgoingEmail, Pause, Sender
from apps.relays import services as relays

MOST_TODAY = 100_000
MOST_RESTING = 50
MOST_UNKNOWN = 1000
_TODAY = """
    SELECT stream, status, count(*) FROM (
        SELECT stream, status FROM messaging_outgoingemail WHERE queued_at >= %s ORDER BY queued_at DESC LIMIT %s
    ) AS latest GROUP BY stream, status
"""
_LEFT = frozenset({OutgoingEmail.Status.SENT, OutgoingEmail.Status.DELIVERED, OutgoingEmail.Status.COMPLAINED})


@dataclass(slots=True)
class StreamState:
    """One stream: what waits in it, and what became of the messages that were queued today."""

    stream: str
    waiting: int = 0
    held: int = 0
    sending: int = 0
    left: int = 0
    failed: int = 0
    bounced: int = 0
    unknown: int = 0
    pace: Pace = field(default_factory=lambda: Pace(0, 0, None))
    pause: Pause | None = None

    @property
    def unfinished(self) -> int:
        """All that wait, for whatever."""
        return self.waiting + self.held + self.sending


class Rest(NamedTuple):
    """Something rests: a recipients' domain, or a mail service by its key."""

    name: str
    until: datetime
    faults: int


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """All that the delivery page tells."""

    streams: list[StreamState]
    pause: Pause | None
    """While everything is paused."""
    domains: list[Rest]
    services: list[Rest]
    unknown: int
    """Messages of unknown fate, of whatever day, counted up to a bound."""
    today_is_bound: bool
    """Whether today has more messages than were looked at."""


def delivery_state(*, midnight: datetime, now: datetime) -> DeliveryState:
    """What waits and how it goes. A fixed number of queries, however many streams there are."""
    waiting = backlogs.waiting_in(backlogs.waiting_streams())
    streams: dict[str, StreamState] = {}
    for stream, pace in backlogs.paces(waiting, now=now).items():
        counts = waiting[stream]
        streams[stream] = StreamState(
            stream, counts.get("queued", 0), counts.get("paused", 0), counts.get("sending", 0), pace=pace
        )
    looked_at = _add_today(streams, midnight)
    pauses = {pause.stream: pause for pause in Pause.objects.all()}
    for stream, pause in pauses.items():
        if stream != EVERYTHING:
            streams.setdefault(stream, StreamState(stream)).pause = pause
    resting = DomainRest.objects.filter(until__gt=now).order_by("-until")[:MOST_RESTING]
    rows = OutgoingEmail.objects.filter(status=OutgoingEmail.Status.UNKNOWN).values("pk")[: MOST_UNKNOWN + 1]
    return DeliveryState(
        streams=sorted(streams.values(), key=lambda one: (-one.unfinished, one.pause is None, -one.left, one.stream)),
        pause=pauses.get(EVERYTHING),
        domains=[Rest(row.domain, row.until, row.faults) for row in resting],
        services=_resting_services(now),
        unknown=rows.count(),
        today_is_bound=looked_at >= MOST_TODAY,
    )


def _resting_services(now: datetime) -> list[Rest]:
    """Those of the mail services that this tenant's messages leave by; what others use is not its business."""
    rests = relays.rests(now=now)
    if not rests:
        return []
    keys = {relays.key_of(name) for name in {EVERYTHING, *Sender.objects.values_list("relay", flat=True)}}
    return [Rest(key, rests[key], 0) for key in sorted(keys & rests.keys())]


def _add_today(streams: dict[str, StreamState], midnight: datetime) -> int:
    """Count what became of today's messages, the latest first; returns how many were looked at."""
    looked_at = 0
    with connection.cursor() as cursor:
        cursor.execute(_TODAY, [midnight, MOST_TODAY])
        for stream, status, count in cursor.fetchall():
            looked_at += count
            state = streams.setdefault(stream, StreamState(stream))
            if status in _LEFT:
                state.left += count
            elif status in ("failed", "bounced", "unknown"):
                setattr(state, status, getattr(state, status) + count)
    return looked_at


def everything_paused() -> Pause | None:
    """Who paused everything, if it is paused. One query."""
    return Pause.objects.filter(stream=EVERYTHING).first()
