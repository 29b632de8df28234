"""Inviting: scheduled invitations become mails when their time has come and all still holds."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Min

from apps.common import agenda, tokens
from apps.common.batches import SINGLES, together_or_singly
from apps.common.ids import uuid7
from apps.contacts import services as contacts
from apps.contacts.eligibility import BLOCKED, DEFERRED, SKIPPED, Facts, Policy, Verdict, decide
from apps.contacts.models import Outreach
from apps.messaging import services as messaging
from apps.surveys import mails
from apps.surveys.models import Invitation

DISPATCH_QUEUE = "surveys.dispatch"
RETRY_AFTER = timedelta(hours=1)
LINK_LIFETIME = timedelta(days=60)
BUDGET_HORIZON = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class InvitationRequest:
    """One invitation to schedule. ``reason`` is unique: asking twice for one reason makes one invitation."""

    contact_id: UUID
    survey_id: int
    touchpoint_id: int | None
    event_id: UUID | None
    reason: str
    send_at: datetime
    give_up_at: datetime


def schedule_invitations(*, requests: Sequence[InvitationRequest], now: datetime) -> dict[str, UUID]:
    """Write invitations and reserve their place in the contact budget; returns reason → invitation id.

    Must run in the transaction of the decisions it comes from.
    """
    if not requests:
        return {}
    rows = [
        Invitation(
            id=uuid7(),
            contact_id=r.contact_id,
            survey_id=r.survey_id,
            touchpoint_id=r.touchpoint_id,
            event_id=r.event_id,
            reason=r.reason,
            send_at=r.send_at,
            give_up_at=r.give_up_at,
            created_at=now,
        )
        for r in requests
    ]
    Invitation.objects.bulk_create(rows)
    contacts.enter_approaches(
        approaches=[
            contacts.Approach(row.contact_id, Outreach.Kind.INVITATION, outreach_reason(row.id), row.send_at)
            for row in rows
            if row.contact_id
        ]
    )
    agenda.wake(queue=DISPATCH_QUEUE, due_at=min(row.send_at for row in rows), now=now)
    return {row.reason: row.id for row in rows}


@transaction.atomic
def revoke_scheduled(*, invitation_ids: Collection[UUID], reason: str) -> int:
    """Take back invitations that have not been sent yet, with the reason; returns how many."""
    rows = Invitation.objects.filter(id__in=invitation_ids, status=Invitation.Status.SCHEDULED)
    ids = list(rows.select_for_update().values_list("id", flat=True))
    Invitation.objects.filter(id__in=ids).update(status=Invitation.Status.REVOKED, status_reason=reason)
    contacts.release(reasons=[outreach_reason(invitation_id) for invitation_id in ids])
    return len(ids)


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
    waiting = Invitation.objects.filter(status=Invitation.Status.SCHEDULED, send_at__lte=now)
    due = list(
        (waiting.filter(pk=only) if only else waiting)
        .select_related("contact", "survey", "touchpoint")
        .order_by("send_at")
        .select_for_update(skip_locked=True, of=("self",))[:limit]
    )
    if not due:
        return 0
    verdicts = _check_again(due, now)
    going = [(row, tokens.new_token()) for row in due if verdicts[row.id].at == now]
    queued = _queue_mails(going, now, base_url)
    for row in due:
        _apply(row, verdicts[row.id], queued.get(row.id), now)
    Invitation.objects.bulk_update(
        due, ["status", "status_reason", "send_at", "email", "token_hash", "link_expires_at"], batch_size=500
    )
    contacts.move(
        approaches=[
            contacts.Approach(row.contact_id, Outreach.Kind.INVITATION, outreach_reason(row.id), row.send_at)
            for row in due
            if row.contact_id and row.status == Invitation.Status.SCHEDULED
        ]
    )
    contacts.spend(reasons=[outreach_reason(row.id) for row, _token in going], now=now)
    contacts.release(
        reasons=[outreach_reason(row.id) for row in due if row.status in ("revoked", "expired")],
    )
    return len(due)


def _check_again(due: Collection[Invitation], now: datetime) -> dict[UUID, Verdict]:
    """The same decision as when the event came, with the facts of this moment."""
    contact_ids = sorted({row.contact_id for row in due if row.contact_id})
    contacts.lock(contact_ids=contact_ids)
    ledger = contacts.outreach_times(contact_ids=contact_ids, since=now - BUDGET_HORIZON)
    allowed = contacts.with_legal_basis(contact_ids=contact_ids)
    suppressed = messaging.suppressed(emails=[row.contact.email for row in due if row.contact and row.contact.email])
    policy = contacts.current_policy()
    verdicts = {}
    for row in due:
        contact = row.contact
        if contact is None:
            verdicts[row.id] = Verdict(BLOCKED, "contact_gone")
        elif not row.survey.is_active:
            verdicts[row.id] = Verdict(SKIPPED, "survey_inactive")
        elif row.touchpoint and not row.touchpoint.is_active:
            verdicts[row.id] = Verdict(BLOCKED, "touchpoint_inactive")
        else:
            own = outreach_reason(row.id)
            others = {reason: at for reason, at in ledger.get(contact.id, {}).items() if reason != own}
            verdicts[row.id] = _recheck(row, others, contact.id in allowed, contact.email in suppressed, policy, now)
            if verdicts[row.id].at is not None:
                # Two due invitations to one contact: the second one sees the first one's place.
                ledger.setdefault(contact.id, {})[own] = verdicts[row.id].at or now
    return verdicts


def _recheck(
    row: Invitation, others: dict[str, datetime], has_basis: bool, is_suppressed: bool, policy: Policy, now: datetime
) -> Verdict:
    # Reservations after this one's time have already made way for it; only what lies before counts.
    before = [at for at in others.values() if at <= now]
    facts = Facts(
        wanted_at=now,
        give_up_at=row.give_up_at,
        has_address=bool(row.contact and row.contact.email),
        is_suppressed=is_suppressed,
        has_legal_basis=has_basis,
        outreaches=before,
    )
    return decide(facts, policy, now)


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
    elif verdict.status == DEFERRED and verdict.at is not None:
        row.send_at = verdict.at
    elif verdict.status == BLOCKED:
        row.status = Invitation.Status.REVOKED
    else:
        row.status = Invitation.Status.EXPIRED
