"""Sending what is due: at most once, each message's fate written down.

A batch is leased, then a group of it is marked *sending*, and that is committed before its first byte leaves. How far
a group is stands in ``common.progress``, noted before each message. Whoever finds a group whose lease ran out takes it
over by that note: what was answered has been sent, what was not begun waits again, and the one in between — nobody
can know whether it left — becomes *unknown*, never sent again. Without the note (the database crashed, too) the whole
group is unknown.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection, transaction

from apps.common import progress
from apps.common.sealed import UnreadableError
from apps.contacts import services as contacts
from apps.messaging import holds, parcels, results
from apps.messaging.holds import Holds
from apps.messaging.parcels import Parcel
from apps.messaging.results import Group
from apps.messaging.suppressions import suppressed
from apps.messaging.transport import Line, line_for
from apps.relays import services as relays

LEASE = timedelta(minutes=5)
BATCH = 200
GROUP = 100
_CLAIM = """
    UPDATE messaging_outgoingemail SET lease_until = %s
    WHERE id IN (SELECT id FROM messaging_outgoingemail
                 WHERE status = 'queued' AND due_at <= %s AND (lease_until IS NULL OR lease_until < %s)
                 AND stream <> ALL(%s) AND domain <> ALL(%s) AND relay <> ALL(%s)
                 ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING id
"""
_BEGIN = """
    UPDATE messaging_outgoingemail o
    SET status = 'sending', batch = %s, position = m.position, attempts = attempts + 1, lease_until = %s
    FROM unnest(%s::uuid[]) WITH ORDINALITY AS m(id, position)
    WHERE o.id = m.id AND o.status = 'queued' AND o.lease_until = %s RETURNING o.id
"""


def send_batch(*, now: datetime, limit: int = BATCH, clock: Callable[[], datetime] | None = None) -> int:
    """Send up to ``limit`` due messages; returns how many rows were handled.

    ``clock`` tells the time when a message was sent; without it that is ``now``.
    """
    handled = results.take_over_lost(now=now)
    waits = holds.current(now=now)
    handled += holds.park(holds=waits, now=now)
    if waits.is_paused:
        return handled
    lease = now + LEASE
    batch = _claim(waits, now, lease, limit)
    by_relay: dict[str, list[Parcel]] = {}
    for parcel in batch:
        by_relay.setdefault(parcel.row.relay, []).append(parcel)
    for relay, found in by_relay.items():
        _send_by(relay, found, lease, clock or (lambda: now))
    return handled + len(batch)


def _claim(waits: Holds, now: datetime, lease: datetime, limit: int) -> list[Parcel]:
    """Due messages, leased to us but still queued."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [lease, now, now, list(waits.streams), list(waits.domains), list(waits.relays), limit])
        ids = [row[0] for row in cursor.fetchall()]
    return parcels.read(ids) if ids else []


def _send_by(relay: str, waiting: Sequence[Parcel], lease: datetime, clock: Callable[[], datetime]) -> None:
    """Send by one mail service, group by group; what it does not come to is given back."""
    try:
        route = relays.route_of(relay)
    except UnreadableError as error:
        relays.note_fault(key=relay, error=str(error), now=clock())
        results.give_back(waiting, lease)
        return
    line = line_for(route)
    try:
        for start in range(0, len(waiting), GROUP):
            group = _begin(route.key, waiting[start : start + GROUP], lease, clock())
            if group.parcels and not _send_group(group, line, clock):
                results.give_back(waiting[start + GROUP :], lease)
                break
    finally:
        line.close()


def _begin(relay: str, waiting: Sequence[Parcel], lease: datetime, now: datetime) -> Group:
    """Mark messages *sending*, all but those that must not leave any more: they are withdrawn with the reason."""
    blocked = suppressed(emails={parcel.row.to_email for parcel in waiting})
    allowed = contacts.with_legal_basis(
        contact_ids={p.row.contact_id for p in waiting if p.row.contact_id and p.row.needs_legal_basis}
    )
    objections = {parcel.row.id: _objection(parcel, blocked, allowed) for parcel in waiting}
    results.revoke({pk: why for pk, why in objections.items() if why}, lease)
    going = [parcel for parcel in waiting if not objections[parcel.row.id]]
    if not going:
        return Group(uuid4(), relay, [])
    batch = uuid4()
    with transaction.atomic(), connection.cursor() as cursor:
        # Whatever the server's habit: if this got lost, the messages would leave a second time.
        cursor.execute("SET LOCAL synchronous_commit = on")
        cursor.execute(_BEGIN, [batch, max(lease, now + LEASE), [p.row.id for p in going], lease])
        ours = {row[0] for row in cursor.fetchall()}
        progress.start(batch=batch, now=now)
    # Positions count from 1, also those of messages that somebody else has by now: these are passed over.
    kept = [(number, parcel) for number, parcel in enumerate(going, start=1) if parcel.row.id in ours]
    return Group(batch, relay, [parcel for _number, parcel in kept], [number for number, _parcel in kept])


def _objection(parcel: Parcel, blocked: set[str], allowed: set[UUID]) -> str:
    """Why a message must not leave any more; "" if it may."""
    row = parcel.row
    if row.to_email in blocked:
        return "suppressed"
    if row.contact_id is None:
        return "contact_gone"
    if row.needs_legal_basis and row.contact_id not in allowed:
        return "no_legal_basis"
    return "" if row.frame_id is not None else "text_gone"


def _send_group(group: Group, line: Line, clock: Callable[[], datetime]) -> bool:
    """Send a group and write its results; False if the mail service is slow or in trouble: the rest has to wait."""
    try:
        for position, outcome in line.deliver(group.parcels, group.begin):
            group.note(position, outcome, clock())
            if group.in_trouble or group.is_slow:
                break
    except BaseException as error:
        # What is known must be written down whatever happened, a stop of the worker included.
        line.close()
        results.settle_patiently(group, clock(), is_database=results.is_database_error(error))
        raise
    results.settle(group, clock())
    return not (group.in_trouble or group.is_slow)
