"""Sending what is due: at most once, each message's fate written down.

A group is marked *sending*, and that is committed before its first byte leaves. How far it is stands in
``common.progress``, noted before each message. Whoever finds a group whose lease ran out takes it over by that note:
what was answered has been sent, what was not begun waits again, and the few in between — nobody can know whether they
left — become *unknown*, never sent again. Without the note (the database crashed, too) the whole group is unknown.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection, transaction

from apps.common import bulk, progress
from apps.common.sealed import UnreadableError
from apps.contacts import services as contacts
from apps.messaging import holds, parcels, results
from apps.messaging.holds import Holds
from apps.messaging.models import Suppression
from apps.messaging.models.outbox import ANSWERS, ANSWERS_WANTED, TO_USERS
from apps.messaging.parcels import Parcel
from apps.messaging.results import Group
from apps.messaging.suppressions import BINDING, reasons_of, suppressed
from apps.messaging.transport import Line, line_for
from apps.relays import services as relays

LEASE = timedelta(minutes=5)
BATCH = 1000
GROUP = 200
LOOK_SECONDS = 1.0
"""After so long it is looked again at what is paused or rests, and at whose turn it is."""
UNREADABLE_PAUSE = timedelta(minutes=1)
_DUE = f"""
    {parcels.SELECT}
    WHERE status = 'queued' AND due_at <= %s
    AND stream <> ALL(%s) AND domain <> ALL(%s) AND relay <> ALL(%s)
    ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
"""
_MARK = """
    UPDATE messaging_outgoingemail o
    SET status = 'sending', batch = m.batch, position = m.position, attempts = attempts + 1, lease_until = %s
    FROM unnest(%s::uuid[], %s::uuid[], %s::int[]) AS m(id, batch, position) WHERE o.id = m.id
"""
Clock = Callable[[], datetime]


def send_batch(*, now: datetime, limit: int = BATCH, clock: Clock | None = None) -> int:
    """Send up to ``limit`` due messages; returns how many rows were handled.

    ``clock`` tells the time when a message was sent; without it that is ``now``.
    """
    handled = results.take_over_lost(now=now)
    waits = holds.current(now=now)
    handled += holds.park(holds=waits, now=now)
    if waits.is_paused:
        return handled
    lines: dict[str, Line] = {}
    goes_on, taken = True, 0
    look_at = time.monotonic() + LOOK_SECONDS
    try:
        while goes_on and taken < limit and time.monotonic() < look_at:
            count, groups = _take(waits, now, min(GROUP, limit - taken))
            taken += count
            goes_on = count > 0 and _send_groups(groups, lines, clock or (lambda: now))
    finally:
        for line in lines.values():
            line.close()
    return handled + taken


def _send_groups(groups: Sequence[Group], lines: dict[str, Line], clock: Clock) -> bool:
    """Send groups, one after the other; False if it is better to look at everything anew before the next."""
    went_well = True
    waiting = list(groups)
    try:
        while waiting:
            if waiting[0].relay not in lines:
                lines[waiting[0].relay] = line_for(relays.route_of(waiting[0].relay))
            group = waiting.pop(0)
            went_well = _send_group(group, lines[group.relay], clock) and went_well
    finally:
        for group in waiting:
            results.settle_patiently(group, clock())
    return went_well


def _take(waits: Holds, now: datetime, size: int) -> tuple[int, list[Group]]:
    """Mark due messages *sending*; returns how many were looked at, and the groups, one per mail service.

    Those that must not leave any more are withdrawn with the reason, in the same transaction.
    """
    groups: list[Group] = []
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # Whatever the server's habit: if this got lost, the messages would leave a second time.
            cursor.execute("SET LOCAL synchronous_commit = on")
            held = [list(waits.streams), list(waits.domains), list(waits.relays)]
            found = parcels.fetch(_DUE, [now, *held, size])
            objections = _objections(found)
            results.revoke({pk: why for pk, why in objections.items() if why})
            groups += _grouped([parcel for parcel in found if not objections[parcel.row.id]], now)
            progress.start(batches=[group.batch for group in groups], now=now)
            bulk.execute(_MARK, [now + LEASE, *_columns(groups)])
    except BaseException:
        # Maybe it was committed, and the answer got lost. We know that none has left.
        for group in groups:
            results.settle_patiently(group, now)
        raise
    return len(found), groups


def _grouped(going: Sequence[Parcel], now: datetime) -> list[Group]:
    """By the mail service they leave by; what cannot leave by its service now is put off."""
    by_name: dict[str, list[Parcel]] = {}
    for parcel in going:
        by_name.setdefault(parcel.row.relay, []).append(parcel)
    groups: dict[str, list[Parcel]] = {}
    for name, found in by_name.items():
        key, until = _way(name, now)
        if until is not None:
            results.postpone([parcel.row.id for parcel in found], until)
        else:
            groups.setdefault(key, []).extend(found)
    return [Group(uuid4(), key, _in_order(key, found), range(1, len(found) + 1)) for key, found in groups.items()]


def _in_order(key: str, found: list[Parcel]) -> list[Parcel]:
    """Messages of one frame side by side where a service may take those in one call."""
    if relays.route_of(key).kind != "esp":
        return found
    return sorted(found, key=lambda parcel: (parcel.row.frame_id or 0, parcel.row.from_header))


def _way(name: str, now: datetime) -> tuple[str, datetime | None]:
    """The mail service's key, and until when it must not be used; None: it may."""
    try:
        key = relays.route_of(name).key
    except UnreadableError as error:
        relays.note_fault(key=name, error=str(error), now=now)
        return name, now + UNREADABLE_PAUSE
    # Its rest may have begun a moment ago, or another worker has the turn to try it.
    return key, relays.resting_until(key=key, now=now)


def _columns(groups: Sequence[Group]) -> tuple[list[UUID], list[UUID], list[int]]:
    """Ids, batches and positions of all messages."""
    rows = [(p.row.id, g.batch, number) for g in groups for number, p in zip(g.numbers, g.parcels, strict=True)]
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


def _objections(waiting: Sequence[Parcel]) -> dict[UUID, str]:
    """Why messages must not leave any more; "" for those that may. At most three queries."""
    blocked = suppressed(emails={parcel.row.to_email for parcel in waiting})
    asking = {parcel.row.to_email for parcel in waiting if not parcel.row.needs_legal_basis} & blocked
    reasons = reasons_of(emails=asking) if asking else {}
    allowed = contacts.with_legal_basis(
        contact_ids={p.row.contact_id for p in waiting if p.row.contact_id and p.row.needs_legal_basis}
    )
    return {p.row.id: _objection(p, p.row.to_email in blocked and not _is_wanted(p, reasons), allowed) for p in waiting}


def _is_wanted(parcel: Parcel, reasons: Mapping[str, str]) -> bool:
    """Whether the owner of a blocked address asked for this very message."""
    row = parcel.row
    if row.needs_legal_basis or row.stream == ANSWERS:
        return False
    # Who unsubscribed and then asked us to ask again gets that question; opt_in let it through for nobody else.
    own_words = BINDING if row.stream == ANSWERS_WANTED else {Suppression.Reason.UNSUBSCRIBED}
    return reasons.get(row.to_email) in own_words


def _objection(parcel: Parcel, is_blocked: bool, allowed: set[UUID]) -> str:
    """Why a message must not leave any more; "" if it may."""
    row = parcel.row
    if is_blocked:
        return "suppressed"
    if row.contact_id is None and row.stream != TO_USERS:
        return "contact_gone"
    if row.needs_legal_basis and row.contact_id not in allowed:
        return "no_legal_basis"
    return "" if row.frame_id is not None else "text_gone"


def _send_group(group: Group, line: Line, clock: Callable[[], datetime]) -> bool:
    """Send a group and write its results; False if the mail service is slow or in trouble: the rest has to wait."""
    try:
        for position, outcome in line.deliver(group.parcels, group.begin):
            group.note(position, outcome, clock())
            if group.is_clear and (group.in_trouble or group.is_slow):
                break
    except BaseException:
        # What is known must be written down whatever happened, a stop of the worker included.
        line.close()
        results.settle_patiently(group, clock())
        raise
    return results.settle_patiently(group, clock()) and not (group.in_trouble or group.is_slow)
