"""Writing down what came of messages, whoever lives to do it."""

import logging
import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction

from apps.common import db, progress
from apps.common.progress import Reached
from apps.messaging import holds, listeners
from apps.messaging.models import OutgoingEmail, Suppression
from apps.messaging.outcomes import Fault, Outcome
from apps.messaging.parcels import Parcel
from apps.messaging.sms import replies
from apps.messaging.suppressions import suppress
from apps.relays import services as relays

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 56  # about two days, see backoff
SLOW_SECONDS = 3.0
PATIENCE_SECONDS = 30.0
AHEAD_SECONDS, MOST_AHEAD = 0.005, 8
INTERRUPTED = "interrupted while sending"
SOURCE = "mail server"
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
    RETURNING o.id, o.status
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
    noted: int = 0
    """What the database believes to be begun: some ahead of the truth where messages leave quickly."""
    answered: int = 0
    in_trouble: bool = False
    is_answered: bool = False
    """Whether the mail service said anything about a message, be it a no."""
    accepted: set[str] = field(default_factory=set)
    is_heard: bool | None = None
    """Whether anybody wants to know what left; asked once."""
    started: float = field(default_factory=time.monotonic)

    @property
    def is_clear(self) -> bool:
        """Whether everything that was begun has been answered: what left in one call is answered one by one."""
        return self.answered >= self.begun

    @property
    def is_slow(self) -> bool:
        """Whether it is time to look again at what may leave, and to let others have their turn."""
        return time.monotonic() - self.started > SLOW_SECONDS

    def begin(self, index: int) -> bool:
        """Note that this message is about to leave; False if the group is no longer ours."""
        number = self.numbers[index]
        if number > self.noted:
            ahead = self.numbers[min(index + self._ahead(), len(self.numbers)) - 1]
            if not progress.advance(batch=self.batch, begun=ahead, answered=self.answered):
                return False
            self.noted = ahead
        self.begun = number
        return True

    def _ahead(self) -> int:
        """How many messages to note at once: no more than leave in a few milliseconds.

        If the worker is killed, the fate of so many is unknown; noting each on its own would double the time of all.
        """
        pace = (time.monotonic() - self.started) / self.answered if self.answered else AHEAD_SECONDS
        return max(1, min(MOST_AHEAD, int(AHEAD_SECONDS / pace)))

    def note(self, index: int, outcome: Outcome, now: datetime) -> None:
        """Write down what came of a message; that plain ones were sent is written for all together at the end."""
        parcel, number = self.parcels[index], self.numbers[index]
        is_sent = outcome.status == OutgoingEmail.Status.SENT
        self.is_answered = self.is_answered or is_sent or outcome.fault in (Fault.RECIPIENT, Fault.DOMAIN)
        if is_sent:
            self.accepted.add(parcel.row.domain)
        if not is_sent or outcome.esp_id:
            patiently(lambda: _write(parcel, outcome, self, now))
        self.answered = max(self.answered, number) if number <= self.begun else self.answered
        if outcome.fault == Fault.RELAY:
            self.in_trouble = True
            relays.note_fault(key=self.relay, error=outcome.error, now=now)
        elif outcome.fault == Fault.DOMAIN:
            self._note_refusal(parcel.row.domain, now)

    def _note_refusal(self, domain: str, now: datetime) -> None:
        if domain in self.accepted:  # What it took before must not end the rest that it asks for now.
            self.accepted.discard(domain)
            holds.note_acceptance(domains=[domain])
        holds.note_refusal(domain=domain, now=now)


def backoff(attempts: int) -> timedelta:
    """Wait before the next try: doubling from 30 s to 1 h, with jitter so that mails don't return in a crowd."""
    seconds = min(30 * 2 ** max(0, attempts - 1), 3600)
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311


def _write(parcel: Parcel, outcome: Outcome, group: Group, now: datetime) -> None:
    attempts = parcel.row.attempts + 1
    changes: dict[str, object] = {
        "status": outcome.status, "last_error": _storable(outcome.error), "lease_until": None,
    }  # fmt: skip
    if outcome.status == OutgoingEmail.Status.SENT:
        changes["sent_at"] = now
    elif outcome.status == OutgoingEmail.Status.QUEUED:
        changes["due_at"] = now + backoff(attempts)
        if attempts >= MAX_ATTEMPTS:
            changes["status"] = OutgoingEmail.Status.FAILED
    elif outcome.is_bad_address or outcome.has_opted_out:
        reason = Suppression.Reason.UNSUBSCRIBED if outcome.has_opted_out else Suppression.Reason.BOUNCED
        suppress(emails=[parcel.row.to_email], reason=reason, source=SOURCE, now=now)
    if outcome.esp_id:
        changes["esp_id"] = outcome.esp_id[:200]
        _remember(parcel, outcome, group, now)
    # Somebody else may have it by now, or have withdrawn it; that nobody knew its fate is settled by this.
    open_fates = [OutgoingEmail.Status.SENDING, OutgoingEmail.Status.UNKNOWN]
    with transaction.atomic():
        rows = OutgoingEmail.objects.filter(pk=parcel.row.id, batch=group.batch, status__in=open_fates)
        if rows.update(**changes):
            _tell(parcel, outcome, group, now)


def _tell(parcel: Parcel, outcome: Outcome, group: Group, now: datetime) -> None:
    """Let those know who want to, in the transaction that writes it down."""
    row = parcel.row
    if outcome.status == OutgoingEmail.Status.SENT:
        group.is_heard = listeners.wants_sent() if group.is_heard is None else group.is_heard
        listeners.tell_sent(email_ids=[row.id] if group.is_heard else [], now=now)
    elif outcome.status == OutgoingEmail.Status.BOUNCED and not outcome.has_opted_out:
        listeners.tell_bounced(email_id=row.id, detail=_storable(outcome.error), now=now)
    if outcome.has_opted_out and row.contact_id is not None:
        listeners.tell_left(contact_ids=[row.contact_id], addresses=[row.to_email], source=SOURCE, now=now)


def _remember(parcel: Parcel, outcome: Outcome, group: Group, now: datetime) -> None:
    """So that reports about it, and answers to it, find this tenant."""
    schema, row = db.connection.schema_name, parcel.row
    handles = dict.fromkeys((outcome.esp_id, *outcome.also), row.id)
    relays.remember(relay=group.relay, schema_name=schema, handles=handles, now=now)
    if row.channel == OutgoingEmail.Channel.SMS:
        replies.remember(number=row.to_email, schema_name=schema, message_id=row.id, now=now)


def _storable(error: str) -> str:
    """What others said, in at most 500 characters that PostgreSQL can store."""
    return error.replace("\x00", "").encode("utf-8", "replace").decode()[:500]


def settle(group: Group, now: datetime) -> None:
    """Write the group's end: answered ones are sent, one begun without an answer is unknown, others wait again."""
    with transaction.atomic():
        # In the order in which others take it over: who meets them waits.
        progress.take(batches=[group.batch])
        _settle({group.batch: Reached(group.begun, group.answered)}, now)
    if group.accepted:
        holds.note_acceptance(domains=sorted(group.accepted))
    if group.is_answered:
        relays.note_success(key=group.relay)


def settle_patiently(group: Group, now: datetime) -> bool:
    """The same, waiting for a database that restarts: only we know what has been answered. False: in vain."""
    try:
        patiently(lambda: settle(group, now))
    except (OperationalError, InterfaceError) as error:
        logger.warning("The fate of a group of messages could not be written down: %s", error)
        return False
    return True


def patiently(write: Callable[[], None]) -> None:
    """Do what may be done twice, again and again while the database is away, for half a minute."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() >= give_up_at:
                raise
            connection.close()
            time.sleep(0.5)


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
        rows = cursor.fetchall()
    sent = [pk for pk, status in rows if status == OutgoingEmail.Status.SENT]
    if sent and listeners.wants_sent():
        listeners.tell_sent(email_ids=sent, now=now)
    return len(rows)


def revoke(objections: Mapping[UUID, str]) -> None:
    """Withdraw queued messages that are locked by us, each with its reason."""
    by_reason: dict[str, list[UUID]] = {}
    for pk, reason in objections.items():
        by_reason.setdefault(reason, []).append(pk)
    for reason, ids in by_reason.items():
        OutgoingEmail.objects.filter(id__in=ids).update(status=OutgoingEmail.Status.REVOKED, last_error=reason)


def postpone(ids: Collection[UUID], until: datetime) -> None:
    """Queued messages that are locked by us and cannot leave before ``until`` make room for others."""
    OutgoingEmail.objects.filter(id__in=ids).update(due_at=until)
