"""What became of messages that left, as mail services report it: late, twice, and in any order."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Q

from apps.common.variables import one_line
from apps.contacts import services as contacts
from apps.messaging import listeners, suppressions
from apps.messaging.models import DeliveryEvent, MailPolicy, OutgoingEmail, Suppression

SOFT_BOUNCE_DAYS = timedelta(days=30)
SOURCE = "mail service"

Kind = DeliveryEvent.Kind
Status = OutgoingEmail.Status
_LEARNT = {Kind.OPENED, Kind.CLICKED}
_LEFT = (Status.SENDING, Status.SENT, Status.UNKNOWN)
# From where to where a report may move a message: never back. What failed or waits again may have left after all;
# then the report keeps it from leaving a second time.
_MOVES: dict[str, tuple[str, tuple[str, ...]]] = {
    Kind.DELIVERED: (Status.DELIVERED, (*_LEFT, Status.QUEUED, Status.PAUSED, Status.FAILED)),
    Kind.REJECTED: (Status.FAILED, _LEFT),
    Kind.HARD_BOUNCE: (Status.BOUNCED, (*_LEFT, Status.QUEUED, Status.PAUSED, Status.FAILED, Status.DELIVERED)),
    Kind.COMPLAINED: (
        Status.COMPLAINED,
        (*_LEFT, Status.QUEUED, Status.PAUSED, Status.FAILED, Status.DELIVERED, Status.BOUNCED),
    ),
}
_WHY_SUPPRESSED = {
    Kind.HARD_BOUNCE: Suppression.Reason.BOUNCED,
    Kind.COMPLAINED: Suppression.Reason.COMPLAINED,
    Kind.UNSUBSCRIBED: Suppression.Reason.UNSUBSCRIBED,
}


@transaction.atomic
def record_delivery_event(
    *, email_id: UUID, kind: str, at: datetime, detail: str, event_id: str, now: datetime
) -> bool:
    """Note a mail service's report about a message of this tenant, and draw its consequences.

    ``event_id`` tells repetitions by; ``detail`` is the other side's text and is cleaned and cut. Opened and clicked
    are dropped unless the tenant's policy learns from them. True if the report was new (and was stored).
    """
    policy = MailPolicy.objects.first() or MailPolicy()
    if kind in _LEARNT and not policy.learns_from_opens:
        return False
    # Reports about one message come one after another: each sees what the others did.
    mail = OutgoingEmail.objects.select_for_update(of=("self",)).filter(pk=email_id).first()
    if mail is None:
        return False
    event, is_new = DeliveryEvent.objects.get_or_create(
        email=mail,
        kind=kind,
        event_id=_storable(event_id)[:200],
        defaults={"at": min(at, now), "detail": _storable(detail)[:500]},
    )
    if not is_new:
        return False
    before = (mail.status, mail.sent_at)
    _move(mail, event)
    _tell(mail, event, before, now)
    reason = _WHY_SUPPRESSED.get(Kind(kind))
    if kind == Kind.SOFT_BOUNCE and _is_given_up(mail, policy, now):
        reason = Suppression.Reason.BOUNCED
    if reason is not None:
        _block(mail, reason, now)
    return True


def _storable(text: str) -> str:
    """One line that the database takes: half a character, cut by the other side, is written as “?”."""
    return one_line(text).encode("utf-8", "replace").decode()


def _move(mail: OutgoingEmail, event: DeliveryEvent) -> None:
    """The message's next status, and the last thing that went wrong with it."""
    changed = []
    target, sources = _MOVES.get(event.kind, ("", ()))
    if mail.status in sources:
        mail.status, mail.lease_until = Status(target), None
        changed += ["status", "lease_until"]
        if mail.sent_at is None and target != Status.FAILED:
            mail.sent_at = event.at
            changed.append("sent_at")
    if mail.status == Status.DELIVERED and event.kind == Kind.DELIVERED:
        mail.last_error = ""
        changed.append("last_error")
    elif event.kind in {Kind.HARD_BOUNCE, Kind.SOFT_BOUNCE, Kind.DEFERRED, Kind.REJECTED} and (
        mail.status not in {Status.DELIVERED, Status.COMPLAINED}
    ):
        mail.last_error = event.detail
        changed.append("last_error")
    if changed:
        mail.save(update_fields=changed)


def _tell(mail: OutgoingEmail, event: DeliveryEvent, before: tuple[str, datetime | None], now: datetime) -> None:
    """Let those know who want to: that it left after all, or that it bounced."""
    if before[1] is None and mail.sent_at is not None and listeners.wants_sent():
        listeners.tell_sent(email_ids=[mail.pk], now=now)
    if mail.status == Status.BOUNCED and before[0] != Status.BOUNCED:
        listeners.tell_bounced(email_id=mail.pk, detail=event.detail, now=now)


def _is_given_up(mail: OutgoingEmail, policy: MailPolicy, now: datetime) -> bool:
    """Whether so many different mails in a row were not taken by the address that it counts as gone."""
    if mail.contact_id is None:
        return False
    # By contact, for which there is an index; a contact may have had other addresses.
    rows = DeliveryEvent.objects.filter(email__contact=mail.contact_id, email__to_email=mail.to_email)
    arrived = rows.filter(kind=Kind.DELIVERED).aggregate(at=Max("at"))["at"]
    refused = rows.filter(Q(at__gt=arrived) if arrived else Q(), kind=Kind.SOFT_BOUNCE, at__gte=now - SOFT_BOUNCE_DAYS)
    return refused.values("email").distinct().count() >= policy.soft_bounces


def _block(mail: OutgoingEmail, reason: Suppression.Reason, now: datetime) -> None:
    """Nothing more to this address. A complaint or a wish to leave also ends the legal basis."""
    if mail.to_email:
        suppressions.suppress(emails=[mail.to_email], reason=reason, source=SOURCE, now=now)
    if reason != Suppression.Reason.BOUNCED and mail.contact_id is not None:
        contacts.object_to_mail(contact_id=mail.contact_id, now=now)
        if mail.to_email:
            listeners.tell_left(contact_ids=[mail.contact_id], addresses=[mail.to_email], source=SOURCE, now=now)
