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
from apps.messaging import services as messaging
from apps.surveys import claims, mails, recheck, reminders
from apps.surveys.links import LINK_LIFETIME, token_of
from apps.surveys.models import Invitation

DISPATCH_QUEUE = "surveys.dispatch"
RETRY_AFTER = timedelta(hours=1)
_COLUMNS = (
    "id", "survey_id", "contact_id", "touchpoint_id", "event_id", "reason", "status", "status_reason", "send_at",
    "give_up_at", "hour_arm", "properties", "created_at",
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
    hour_arm: str = ""
    """Whether it goes at the contact's best hour, or at the usual time for comparison."""


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
             r.entry.give_up_at, r.hour_arm, "{}", now)
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

    Reminders go with their invitation. Returns the invitations that were taken back. A mail that a worker has begun
    to send is not to be had any more.
    """
    named = _invitation_ids(reasons)
    gone = _revoke(named, reason)
    own = [name for name in reasons if not name.startswith("reminder:")]
    withdrawn = messaging.revoke_queued(reasons=own, because=reason)
    ledger.release(reasons=withdrawn, also_spent=True)
    ids = _invitation_ids(withdrawn)
    Invitation.objects.filter(id__in=ids).update(status=Invitation.Status.REVOKED, status_reason=reason)
    # Also of invitations that have left long ago: what they were about did not last.
    reminders.revoke(invitation_ids=[*named, *reminders.invitations_of(reasons)], reason=reason)
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
    checked = recheck.check_again(due, now)
    going = [(row, token_of(row.id)) for row in due if checked.verdicts[row.id].at == now]
    queued = _queue_mails(going, now, base_url)
    for row in due:
        _apply(row, checked.verdicts[row.id], queued.get(row.id), now)
    Invitation.objects.bulk_update(
        due, ["status", "status_reason", "send_at", "email", "token_hash", "link_expires_at"], batch_size=500
    )
    ledger.move(times={outreach_reason(row.id): row.send_at for row in due if row.status == "scheduled"})
    ledger.spend(reasons=[outreach_reason(row.id) for row, _token in going], now=now)
    ledger.release(reasons=[outreach_reason(row.id) for row in due if row.status in ("revoked", "expired")])
    sent = [reminders.Sent(row, checked.own[row.id]) for row, _token in going]
    reminders.plan_next(sent=sent, checked=checked, now=now)
    return len(due)


def _lock_due(now: datetime, limit: int, only: UUID | None) -> list[Invitation]:
    """Due invitations, locked after their contacts."""
    return claims.lock_due(
        Invitation.objects.select_related("contact__company", "survey", "touchpoint"),
        due={"status": Invitation.Status.SCHEDULED, "send_at__lte": now, **({"pk": only} if only else {})},
        contact="contact",
        path="invitations",
        limit=limit,
        of=("self",),
    )


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
