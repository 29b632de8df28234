"""What must wait: paused streams, and recipients' domains and mail services that asked for rest."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from apps.common.db import connection
from apps.messaging.models import DomainRest, Pause, Sender
from apps.relays import services as relays

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


def current(*, now: datetime, takes_turn: bool = True) -> Holds:
    """What waits at the moment. Three queries, one more per mail service in use.

    ``takes_turn``: whoever asks will send, so it may be the one to try a mail service whose rest is over.
    """
    paused = list(Pause.objects.values_list("stream", flat=True))
    resting = list(DomainRest.objects.filter(until__gt=now).values_list("domain", "until"))
    rests = {} if takes_turn else relays.rests(now=now)
    services = []
    for name in _relays_in_use():
        key = relays.key_of(name)
        services.append((name, relays.resting_until(key=key, now=now) if takes_turn else rests.get(key)))
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
    row, _made = DomainRest.objects.get_or_create(domain=domain, defaults={"until": now})
    row.faults = min(row.faults + 1, 1000)
    if row.faults >= REFUSALS and row.until <= now:
        seconds = min(FIRST_REST_SECONDS * 2 ** min(row.faults - REFUSALS, 10), LONGEST_REST_SECONDS)
        row.until = now + timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311
    row.save(update_fields=["faults", "until"])


def note_acceptance(*, domains: Sequence[str]) -> None:
    """These domains took messages: their next refusal is the first again."""
    DomainRest.objects.filter(domain__in=domains).delete()
