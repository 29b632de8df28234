"""Inviting: scheduled invitations become mails when their time has come and all still holds."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Min

from apps.common import agenda, tokens
from apps.common.batches import SINGLES, together_or_singly
from apps.common.bulk import copy_rows
from apps.common.ids import uuid7
from apps.contacts import ledger
from apps.contacts.budget import Entry
from apps.contacts.eligibility import BLOCKED, Verdict
from apps.contacts.models import Contact
from apps.messaging import services as messaging
from apps.surveys import mails, recheck
from apps.surveys.models import Invitation

DISPATCH_QUEUE = "surveys.dispatch"
RETRY_AFTER = timedelta(hours=1)
LINK_LIFETIME = timedelta(days=60)
LOOKS = 3  # That others finish in the very moment of a look is rare; twice in a row hardly happens.
_COLUMNS = (
    "id", "survey_id", "contact_id", "touchpoint_id", "event_id", "reason", "status", "status_reason", "send_at",
    "give_up_at", "properties", "created_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class InvitationRequest:
    """One invitation to schedule. ``reason`` is unique: asking twice for one reason makes one invitation."""

    contact_id: UUID
    survey_id: int
    touchpoint_id: int | None
    event_id: UUID | None
    reason: str
    entry: Entry
    """Its place in the contact budget: time, expiry, priority and plan."""
    id: UUID = field(default_factory=uuid7)


def schedule_invitations(*, requests: Sequence[InvitationRequest], now: datetime) -> None:
    """Write invitations and reserve their place in the contact budget.

    Must run in the transaction of the decisions it comes from.
    """
    if not requests:
        return
    copy_rows(
        "surveys_invitation",
        _COLUMNS,
        (
            (r.id, r.survey_id, r.contact_id, r.touchpoint_id, r.event_id, r.reason, "scheduled", "", r.entry.at,
             r.entry.give_up_at, "{}", now)
            for r in requests
        ),
    )  # fmt: skip
    ledger.copy_in((r.contact_id, r.entry) for r in requests)
    agenda.wake(queue=DISPATCH_QUEUE, due_at=min(r.entry.at for r in requests), now=now)


@transaction.atomic
def revoke_scheduled(*, invitation_ids: Collection[UUID], reason: str) -> int:
    """Take back invitations that have not been sent yet, with the reason; returns how many."""
    return len(_revoke(invitation_ids, reason))


def _revoke(invitation_ids: Collection[UUID], reason: str) -> list[UUID]:
    rows = Invitation.objects.filter(id__in=invitation_ids, status=Invitation.Status.SCHEDULED)
    ids = list(rows.order_by("id").select_for_update().values_list("id", flat=True))
    Invitation.objects.filter(id__in=ids).update(status=Invitation.Status.REVOKED, status_reason=reason)
    ledger.release(reasons=[outreach_reason(invitation_id) for invitation_id in ids])
    return ids


def revoke_unsent(*, reasons: Collection[str], reason: str) -> list[UUID]:
    """Take back approaches by their names in the ledger, scheduled or waiting in the outbox.

    Returns the invitations that were taken back. A mail that a worker has begun to send is not to be had any more.
    """
    gone = _revoke(_invitation_ids(reasons), reason)
    withdrawn = messaging.revoke_queued(reasons=reasons, because=reason)
    ledger.release(reasons=withdrawn, also_spent=True)
    ids = _invitation_ids(withdrawn)
    Invitation.objects.filter(id__in=ids).update(status=Invitation.Status.REVOKED, status_reason=reason)
    return gone + ids


def _invitation_ids(reasons: Iterable[str]) -> list[UUID]:
    return [UUID(name.removeprefix("invitation:")) for name in reasons if name.startswith("invitation:")]


def move_scheduled(*, times: Mapping[UUID, datetime], reason: str, now: datetime) -> None:
    """Put invitations that have not been sent yet to other times. Must run in a transaction."""
    waiting = Invitation.objects.filter(id__in=times, status=Invitation.Status.SCHEDULED)
    rows = list(waiting.order_by("id").select_for_update())
    for row in rows:
        row.send_at, row.status_reason = times[row.id], reason
    Invitation.objects.bulk_update(rows, ["send_at", "status_reason"], batch_size=500)
    ledger.move(times={outreach_reason(row.id): row.send_at for row in rows})
    if rows:
        agenda.wake(queue=DISPATCH_QUEUE, due_at=min(row.send_at for row in rows), now=now)


def outreach_reason(invitation_id: UUID) -> str:
    """What an invitation is called in the contact budget's ledger and in the outbox."""
    return f"invitation:{invitation_id}"


def next_dispatch_due() -> datetime | None:
    """When the next scheduled invitation is due; None if there is none."""
    found = Invitation.objects.filter(status=Invitation.Status.SCHEDULED).aggregate(at=Min("send_at"))
    return found["at"]  # type: ignore[no-any-return]


def dispatch(*, now: datetime, base_url: str) -> int:
    """Dispatch a batch; if an invitation breaks it, one by one, and the broken ones are tried again in an hour."""
    due = Invitation.objects.filter(status=Invitation.Status.SCHEDULED, send_at__lte=now).order_by("send_at")

    def put_aside(invitation_id: UUID, error: Exception) -> None:
        due.filter(pk=invitation_id).update(send_at=now + RETRY_AFTER, status_reason="error")

    return together_or_singly(
        together=lambda: dispatch_due(now=now, base_url=base_url),
        waiting=lambda: due.values_list("id", flat=True)[:SINGLES],
        single=lambda invitation_id: dispatch_due(now=now, base_url=base_url, only=invitation_id),
        put_aside=put_aside,
    )


@transaction.atomic
def dispatch_due(*, now: datetime, base_url: str, limit: int = 200, only: UUID | None = None) -> int:
    """Check due invitations again and hand those that may go to delivery; returns how many were due.

    What must not go any more is revoked or expired with its reason, what the budget forbids now is
    moved. Links get their token here; only its hash is stored.
    """
    due = _lock_due(now, limit, only)
    if not due:
        return 0
    verdicts = recheck.check_again(due, now)
    going = [(row, tokens.new_token()) for row in due if verdicts[row.id].at == now]
    queued = _queue_mails(going, now, base_url)
    for row in due:
        _apply(row, verdicts[row.id], queued.get(row.id), now)
    Invitation.objects.bulk_update(
        due, ["status", "status_reason", "send_at", "email", "token_hash", "link_expires_at"], batch_size=500
    )
    ledger.move(times={outreach_reason(row.id): row.send_at for row in due if row.status == "scheduled"})
    ledger.spend(reasons=[outreach_reason(row.id) for row, _token in going], now=now)
    ledger.release(reasons=[outreach_reason(row.id) for row in due if row.status in ("revoked", "expired")])
    return len(due)


def _lock_due(now: datetime, limit: int, only: UUID | None) -> list[Invitation]:
    """Due invitations, locked after their contacts: deciding holds contacts when it moves or revokes invitations.

    Several workers share the work: what others hold is passed over. All that is due for a contact comes together,
    so that the highest priority gets the place in the budget.
    """
    due = {"status": Invitation.Status.SCHEDULED, "send_at__lte": now, **({"pk": only} if only else {})}
    rows = Invitation.objects.filter(**due).select_related("contact__company", "survey", "touchpoint")
    rows = rows.order_by("send_at").select_for_update(skip_locked=True, of=("self",))
    held: set[UUID] = set()
    for _look in range(LOOKS):
        fresh = _lock_free_contacts(due, limit, held)
        found = list(rows.filter(contact__in=fresh)) if fresh else []
        if len(fresh) < limit:
            found += rows.filter(contact=None)[: limit - len(fresh)]
        # Contacts without anything due: whoever held them has dispatched it since our statement began.
        if found or not fresh:
            return found
        held.update(fresh)
    return []


def _lock_free_contacts(due: Mapping[str, object], limit: int, held: Collection[UUID]) -> list[UUID]:
    """Contacts of the first due invitations, locked as ``contacts.lock`` does, without those that others hold.

    Nobody waits here, so the order does not matter: they are locked as the index on the due time has them. An order
    by id would have to read everything that is due first.
    """
    concerned = Contact.objects.filter(**{f"invitations__{name}": value for name, value in due.items()})
    rows = concerned.exclude(id__in=held).order_by("invitations__send_at").only("id")
    return [row.id for row in rows.select_for_update(no_key=True, skip_locked=True, of=("self",))[:limit]]


def _queue_mails(going: Sequence[tuple[Invitation, str]], now: datetime, base_url: str) -> dict[UUID, tuple[UUID, str]]:
    """Write the mails; returns invitation id → (mail id, token)."""
    if not going:
        return {}
    new = mails.invitation_mails(going, base_url=base_url)
    ids = messaging.enqueue(mails=new, now=now)
    return {row.id: (ids[outreach_reason(row.id)], token) for row, token in going}


def _apply(row: Invitation, verdict: Verdict, queued: tuple[UUID, str] | None, now: datetime) -> None:
    row.status_reason = "" if verdict.reason == "ok" else verdict.reason
    if queued is not None:
        row.status = Invitation.Status.QUEUED
        row.email_id, token = queued
        row.token_hash = tokens.hash_token(token)
        row.link_expires_at = now + LINK_LIFETIME
    elif verdict.at is not None:
        row.send_at = verdict.at
    elif verdict.status == BLOCKED:
        row.status = Invitation.Status.REVOKED
    else:
        row.status = Invitation.Status.EXPIRED
