"""What must wait: paused streams, and recipients' domains and mail services that asked for rest."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from apps.common.db import connection
from apps.messaging.models import DomainRest, Pause, Sender
from apps.relays import services as relays

_STEPS = 8
# Those of messages that were on their way when a rest began belong to the one it began with.
_REFUSED = """
    INSERT INTO messaging_domainrest AS r (domain, faults, until) VALUES (%(domain)s, 1, %(now)s)
    ON CONFLICT (domain) DO UPDATE SET
        faults = LEAST(r.faults + 1, 1000),
        until = CASE WHEN r.faults + 1 < %(refusals)s THEN r.until
                ELSE %(now)s + (%(waits)s::interval[])[LEAST(r.faults + 2 - %(refusals)s, cardinality(%(waits)s))] END
    WHERE r.until <= %(now)s
"""
EVERYTHING = ""
REFUSALS = 3
"""So many in a row, and a domain rests."""
FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 60, 3600
PARK_BATCH = 5000
_PARK = """
    UPDATE messaging_outgoingemail SET status = %s, lease_until = NULL WHERE id IN (
        SELECT id FROM messaging_outgoingemail WHERE status = %s AND {where}
        AND (lease_until IS NULL OR lease_until < %s) LIMIT %s FOR UPDATE SKIP LOCKED)
"""


class Holds(NamedTuple):
    """What is not to be taken from the outbox now."""

    is_paused: bool
    streams: Sequence[str]
    domains: Sequence[str]
    relays: Sequence[str]
    until: datetime | None
    """When the first of the rests ends."""


def current(*, now: datetime) -> Holds:
    """What waits at the moment. Four queries, one more now and then per mail service in use.

    Only looks: the turn to try a mail service whose rest is over is taken by who has messages for it in hand.
    """
    paused = list(Pause.objects.values_list("stream", flat=True))
    resting = list(DomainRest.objects.filter(until__gt=now).values_list("domain", "until"))
    rests = relays.rests(now=now)
    # Messages keep the service they were queued for when their sender has got another.
    services = [(name, rests.get(relays.key_of(name))) for name in _relays_in_use() | rests.keys()] if rests else []
    ends = [until for _domain, until in resting] + [until for _name, until in services if until]
    return Holds(
        is_paused=EVERYTHING in paused,
        streams=[stream for stream in paused if stream],
        domains=[domain for domain, _until in resting],
        relays=[name for name, until in services if until],
        until=min(ends, default=None),
    )


def _relays_in_use() -> set[str]:
    return {EVERYTHING, *Sender.objects.values_list("relay", flat=True)}


def park(*, holds: Holds, now: datetime) -> int:
    """Put aside what is queued in paused streams, and bring back what was paused and may go; returns how many.

    So that millions of paused messages do not lie before what may go. A bounded batch each time.
    """
    if holds.is_paused:
        return 0
    moved = 0
    with connection.cursor() as cursor:
        if holds.streams:
            where = _PARK.format(where="stream = ANY(%s)")
            cursor.execute(where, ["paused", "queued", list(holds.streams), now, PARK_BATCH])
            moved += cursor.rowcount
        where = _PARK.format(where="stream <> ALL(%s)")
        cursor.execute(where, ["queued", "paused", list(holds.streams), now, PARK_BATCH])
        return moved + cursor.rowcount


def note_refusal(*, domain: str, now: datetime) -> None:
    """A domain refused a message for the moment: after three in a row it rests, twice as long each time."""
    if not domain:
        return
    seconds = [min(FIRST_REST_SECONDS * 2**number, LONGEST_REST_SECONDS) for number in range(_STEPS)]
    waits = [timedelta(seconds=one * random.uniform(0.75, 1.25)) for one in seconds]  # noqa: S311
    with connection.cursor() as cursor:
        cursor.execute(_REFUSED, {"domain": domain, "now": now, "refusals": REFUSALS, "waits": waits})


def note_acceptance(*, domains: Sequence[str]) -> None:
    """These domains took messages: their next refusal is the first again."""
    DomainRest.objects.filter(domain__in=domains).delete()
