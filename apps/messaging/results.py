"""Writing down what came of messages, whoever lives to do it."""

import logging
import random
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import QuerySet

from apps.common import db, progress
from apps.common.progress import Reached
from apps.messaging import holds
from apps.messaging.models import OutgoingEmail, Suppression
from apps.messaging.outcomes import Fault, Outcome
from apps.messaging.parcels import Parcel
from apps.messaging.suppressions import suppress
from apps.relays import services as relays

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 56  # about two days, see backoff
SLOW_SECONDS = 10.0
PATIENCE_SECONDS = 30.0
INTERRUPTED = "interrupted while sending"
_LOST_BATCHES = 50
_NOTHING_KNOWN = Reached(begun=32_767, answered=0)
_SETTLE = """
    UPDATE messaging_outgoingemail o SET
        status = CASE WHEN o.position <= r.answered THEN 'sent' WHEN o.position <= r.begun THEN 'unknown'
                      ELSE 'queued' END,
        sent_at = CASE WHEN o.position <= r.answered THEN %(now)s ELSE o.sent_at END,
        attempts = o.attempts - (o.position > r.begun)::int,
        last_error = CASE WHEN o.position <= r.answered THEN '' WHEN o.position <= r.begun THEN %(interrupted)s
                          ELSE o.last_error END,
        lease_until = NULL
    FROM unnest(%(batches)s::uuid[], %(begun)s::int[], %(answered)s::int[]) AS r(batch, begun, answered)
    WHERE o.batch = r.batch AND (o.status = 'sending' OR (o.status = 'unknown' AND o.last_error = %(interrupted)s))
"""


@dataclass
class Group:
    """Messages marked *sending* together, and how far their sending is."""

    batch: UUID
    relay: str
    parcels: Sequence[Parcel]
    numbers: Sequence[int] = ()
    """Each message's position in the database, rising."""
    begun: int = 0
    answered: int = 0
    in_trouble: bool = False
    accepted: set[str] = field(default_factory=set)
    started: float = field(default_factory=time.monotonic)

    @property
    def is_slow(self) -> bool:
        """Whether it is time to look again at what may leave, and to let others have their turn."""
        return time.monotonic() - self.started > SLOW_SECONDS

    def begin(self, index: int) -> bool:
        """Note that this message is about to leave; False if the group is no longer ours."""
        number = self.numbers[index]
        if not progress.advance(batch=self.batch, begun=number, answered=self.answered):
            return False
        self.begun = number
        return True

    def note(self, index: int, outcome: Outcome, now: datetime) -> None:
        """Write down what came of a message; that plain ones were sent is written for all together at the end."""
        parcel, number = self.parcels[index], self.numbers[index]
        if outcome.status == OutgoingEmail.Status.SENT:
            self.accepted.add(parcel.row.domain)
        if outcome.status != OutgoingEmail.Status.SENT or outcome.esp_id:
            _write(parcel, outcome, self, now)
        self.answered = max(self.answered, number) if number <= self.begun else self.answered
        if outcome.fault == Fault.RELAY:
            self.in_trouble = True
            relays.note_fault(key=self.relay, error=outcome.error, now=now)
        elif outcome.fault == Fault.DOMAIN:
            holds.note_refusal(domain=parcel.row.domain, now=now)


def backoff(attempts: int) -> timedelta:
    """Wait before the next try: doubling from 30 s to 1 h, with jitter so that mails don't return in a crowd."""
    seconds = min(30 * 2 ** max(0, attempts - 1), 3600)
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311


def _write(parcel: Parcel, outcome: Outcome, group: Group, now: datetime) -> None:
    attempts = parcel.row.attempts + 1
    changes: dict[str, object] = {
        "status": outcome.status, "last_error": outcome.error.replace("\x00", "")[:500], "lease_until": None,
    }  # fmt: skip
    if outcome.status == OutgoingEmail.Status.SENT:
        changes.update(sent_at=now, esp_id=outcome.esp_id[:200])
        relays.remember(
            relay=group.relay, schema_name=db.connection.schema_name, handles={outcome.esp_id: parcel.row.id}, now=now
        )
    elif outcome.status == OutgoingEmail.Status.QUEUED:
        changes["due_at"] = now + backoff(attempts)
        if attempts >= MAX_ATTEMPTS:
            changes["status"] = OutgoingEmail.Status.FAILED
    elif outcome.is_bad_address:
        suppress(emails=[parcel.row.to_email], reason=Suppression.Reason.BOUNCED, source=outcome.error, now=now)
    OutgoingEmail.objects.filter(pk=parcel.row.id, batch=group.batch).update(**changes)


def settle(group: Group, now: datetime) -> None:
    """Write the group's end: answered ones are sent, one begun without an answer is unknown, others wait again."""
    with transaction.atomic():
        _settle({group.batch: Reached(group.begun, group.answered)}, now)
        progress.take(batches=[group.batch])
    if group.accepted:
        holds.note_acceptance(domains=sorted(group.accepted))
        relays.note_success(key=group.relay)


def settle_patiently(group: Group, now: datetime, *, is_database: bool) -> None:
    """The same after an error, waiting for a database that restarts: only we know what has been answered."""
    give_up_at = time.monotonic() + (PATIENCE_SECONDS if is_database else 0)
    while True:
        try:
            if is_database:
                connection.close()
            settle(group, now)
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() >= give_up_at:
                logger.warning("The fate of a group of messages could not be written down: %s", error)
                return
            time.sleep(0.5)
        else:
            return


def is_database_error(error: BaseException) -> bool:
    """Whether it is about the database's being away."""
    return isinstance(error, OperationalError | InterfaceError)


@transaction.atomic
def take_over_lost(*, now: datetime) -> int:
    """Settle groups whose worker is gone; returns how many messages they had."""
    rows = OutgoingEmail.objects.filter(status=OutgoingEmail.Status.SENDING, lease_until__lt=now)
    batches = list(rows.order_by().values_list("batch", flat=True).distinct()[:_LOST_BATCHES])
    if not batches:
        return 0
    known = progress.take(batches=[batch for batch in batches if batch])
    return _settle({batch: known.get(batch, _NOTHING_KNOWN) for batch in batches if batch}, now) + rows.filter(
        batch=None
    ).update(status=OutgoingEmail.Status.UNKNOWN, lease_until=None, last_error=INTERRUPTED)


def _settle(reached: Mapping[UUID, Reached], now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            _SETTLE,
            {
                "now": now,
                "interrupted": INTERRUPTED,
                "batches": list(reached),
                "begun": [one.begun for one in reached.values()],
                "answered": [one.answered for one in reached.values()],
            },
        )
        return cursor.rowcount


def revoke(objections: Mapping[UUID, str], lease: datetime) -> None:
    """Withdraw messages that are leased to us, each with its reason."""
    by_reason: dict[str, list[UUID]] = {}
    for pk, reason in objections.items():
        by_reason.setdefault(reason, []).append(pk)
    for reason, ids in by_reason.items():
        _leased(ids, lease).update(status=OutgoingEmail.Status.REVOKED, last_error=reason, lease_until=None)


def give_back(waiting: Sequence[Parcel], lease: datetime) -> None:
    """Messages that were leased to us and not touched can be taken by anybody."""
    if waiting:
        _leased([parcel.row.id for parcel in waiting], lease).update(lease_until=None)


def _leased(ids: Collection[UUID], lease: datetime) -> QuerySet[OutgoingEmail]:
    return OutgoingEmail.objects.filter(id__in=ids, status=OutgoingEmail.Status.QUEUED, lease_until=lease)
