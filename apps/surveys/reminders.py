"""Reminding: who was invited and has not answered is asked once more, up to three times.

Only the next reminder of an invitation is planned: written when the mail before it is handed to delivery, with its
place in the contact budget. Planning all of them at once would hold back up to three places from other surveys for
mails that the first answer makes needless, and each delay counts from when the mail before it really left.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Min

from apps.common import agenda
from apps.common.batches import SINGLES, together_or_singly
from apps.common.schedule import parse_windows
from apps.contacts import ledger
from apps.contacts.budget import Entry, Plan
from apps.contacts.eligibility import BLOCKED, Verdict
from apps.contacts.models import Outreach
from apps.messaging import services as messaging
from apps.surveys import claims, recheck, reminder_checks, reminder_mails
from apps.surveys.models import Invitation, Reminder, SurveyReminder

QUEUE = "surveys.remind"
RETRY_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail that was just handed to delivery: of which invitation, its place in the ledger, and which reminder."""

    invitation: Invitation
    entry: Entry
    position: int = 0
    """0: the invitation itself."""


def plan_next(*, sent: Sequence[Sent], checked: recheck.Checked, now: datetime) -> None:
    """Plan what comes after mails that go out now, and reserve its place. Must run in their transaction.

    One query where no survey reminds. A reminder makes nobody give way; where no place is left before the link
    expires, it is written down as expired.
    """
    following = _following(sent) if sent else []
    if not following:
        return
    rows, entries = [], []
    for mail, setting in following:
        contact_id, wanted = mail.invitation.contact_id, _wanted(mail, setting, now)
        person = checked.people.get(contact_id) if contact_id else None
        if person is None or contact_id is None:
            continue
        humble = replace(wanted, priority=recheck.LOWEST)
        verdict, _moves = checked.books.planned.decide(person, humble, now)
        row = Reminder(
            invitation=mail.invitation, position=setting.position, send_at=verdict.at or wanted.at, created_at=now
        )
        if verdict.at is None:
            row.status, row.status_reason = Reminder.Status.EXPIRED, verdict.reason
        else:
            entries.append((contact_id, replace(wanted, at=verdict.at)))
        rows.append(row)
    Reminder.objects.bulk_create(rows, ignore_conflicts=True)
    if entries:
        ledger.enter(entries=entries, kind=Outreach.Kind.REMINDER)
        agenda.wake(queue=QUEUE, due_at=min(entry.at for _contact, entry in entries), now=now)


def _following(sent: Sequence[Sent]) -> list[tuple[Sent, SurveyReminder]]:
    """Each mail with the reminder that its survey sends next, if any."""
    settings: dict[int, list[SurveyReminder]] = defaultdict(list)
    surveys = {mail.invitation.survey_id for mail in sent}
    for setting in SurveyReminder.objects.filter(survey__in=surveys).order_by("position"):
        settings[setting.survey_id].append(setting)
    found = []
    for mail in sent:
        later = [s for s in settings[mail.invitation.survey_id] if s.position > mail.position]
        found += [(mail, later[0])] if later else []
    return found


def _wanted(mail: Sent, setting: SurveyReminder, now: datetime) -> Entry:
    """The place a reminder wants: after its own delay, in its own windows, as weighty as what it repeats."""
    own = mail.entry.plan
    plan: Plan = replace(
        recheck.revocable(own),
        windows=parse_windows(setting.windows),
        skip_holidays=setting.skip_holidays,
        min_gap=own.min_gap,
        beyond_caps=own.beyond_caps,
        repeats=str(mail.invitation.pk),
    )
    return Entry(
        reason=f"reminder:{mail.invitation.pk}:{setting.position}",
        at=now + setting.delay,
        topic=mail.entry.topic,
        priority=mail.entry.priority,
        give_up_at=mail.invitation.link_expires_at,
        plan=plan,
    )


def next_due() -> datetime | None:
    """When the next reminder is due; None if there is none."""
    found = Reminder.objects.filter(status=Reminder.Status.SCHEDULED).aggregate(at=Min("send_at"))
    return found["at"]


def remind(*, now: datetime, base_url: str) -> int:
    """Send a batch of reminders on; if one breaks it, one by one, and the broken ones are tried again in an hour."""
    due = Reminder.objects.filter(status=Reminder.Status.SCHEDULED, send_at__lte=now).order_by("send_at")

    def put_aside(reminder_id: UUID, error: Exception) -> None:
        due.filter(pk=reminder_id).update(send_at=now + RETRY_AFTER, status_reason="error")

    return together_or_singly(
        together=lambda: remind_due(now=now, base_url=base_url),
        waiting=lambda: due.values_list("id", flat=True)[:SINGLES],
        single=lambda reminder_id: remind_due(now=now, base_url=base_url, only=reminder_id),
        put_aside=put_aside,
    )


@transaction.atomic
def remind_due(*, now: datetime, base_url: str, limit: int = 200, only: UUID | None = None) -> int:
    """Check due reminders again and hand those that may go to delivery; returns how many were due.

    Their invitations are locked with them: who is answering at this moment is looked at again later.
    """
    due = _lock_due(now, limit, only)
    if not due:
        return 0
    known = reminder_checks.look(due)
    own = recheck.own_entries({row.reason: row.invitation for row in due})
    candidates = [
        recheck.Candidate(row.id, row.invitation.contact, _placed(own[row.reason], row), known.objection(row, now))
        for row in due
    ]
    checked = recheck.weigh_again(candidates, now)
    going = [row for row in due if checked.verdicts[row.id].at == now]
    queued = _queue_mails(going, known, now, base_url)
    for row in due:
        _apply(row, checked.verdicts[row.id], queued.get(row.id))
    Reminder.objects.bulk_update(due, ["status", "status_reason", "send_at", "email"], batch_size=500)
    _settle(due, now)
    sent = [Sent(row.invitation, checked.own[row.id], row.position) for row in going]
    plan_next(sent=sent, checked=checked, now=now)
    return len(due)


def _lock_due(now: datetime, limit: int, only: UUID | None) -> list[Reminder]:
    return claims.lock_due(
        Reminder.objects.select_related(
            "invitation__contact__company", "invitation__survey", "invitation__touchpoint", "invitation__email"
        ),
        due={"status": Reminder.Status.SCHEDULED, "send_at__lte": now, **({"pk": only} if only else {})},
        contact="invitation__contact",
        path="invitations__reminders",
        limit=limit,
        of=("self", "invitation"),
    )


def _placed(own: Entry, row: Reminder) -> Entry:
    """Its place, to be given up when its link expires."""
    return replace(own, give_up_at=row.invitation.link_expires_at or own.give_up_at)


def _queue_mails(
    going: Sequence[Reminder], known: reminder_checks.Known, now: datetime, base_url: str
) -> dict[UUID, UUID]:
    """Write the mails; returns reminder id → mail id."""
    if not going:
        return {}
    letters = [(row, known.settings[row.id], known.tokens[row.id]) for row in going]
    ids = messaging.enqueue(mails=reminder_mails.reminder_mails(letters, base_url=base_url), now=now)
    return {row.id: ids[row.reason] for row in going}


def _apply(row: Reminder, verdict: Verdict, email_id: UUID | None) -> None:
    row.status_reason = "" if verdict.reason == "ok" else verdict.reason
    if email_id is not None:
        row.status, row.email_id = Reminder.Status.QUEUED, email_id
    elif verdict.at is not None:
        row.send_at = verdict.at
    else:
        row.status = Reminder.Status.REVOKED if verdict.status == BLOCKED else Reminder.Status.EXPIRED


def _settle(due: Sequence[Reminder], now: datetime) -> None:
    """The ledger says the same as the rows."""
    by_status: dict[str, list[Reminder]] = defaultdict(list)
    for row in due:
        by_status[row.status].append(row)
    waiting = by_status[Reminder.Status.SCHEDULED]
    ledger.move(times={row.reason: row.send_at for row in waiting})
    ledger.spend(reasons=[row.reason for row in by_status[Reminder.Status.QUEUED]], now=now)
    gone = [*by_status[Reminder.Status.REVOKED], *by_status[Reminder.Status.EXPIRED]]
    ledger.release(reasons=[row.reason for row in gone])


@transaction.atomic
def revoke(*, invitation_ids: Collection[UUID], reason: str) -> int:
    """Take back the reminders of invitations, planned or waiting in the outbox; returns how many.

    A mail that a worker has begun to send is not to be had any more.
    """
    if not invitation_ids:
        return 0
    open_ones = Reminder.objects.filter(
        invitation__in=invitation_ids, status__in=[Reminder.Status.SCHEDULED, Reminder.Status.QUEUED]
    )
    rows = list(open_ones.order_by("id").select_for_update())
    waiting = [row.reason for row in rows if row.status == Reminder.Status.QUEUED]
    withdrawn = set(messaging.revoke_queued(reasons=waiting, because=reason)) if waiting else set()
    gone = [row for row in rows if row.status == Reminder.Status.SCHEDULED or row.reason in withdrawn]
    if gone:
        ids = [row.id for row in gone]
        Reminder.objects.filter(id__in=ids).update(status=Reminder.Status.REVOKED, status_reason=reason)
        ledger.release(reasons=[row.reason for row in gone], also_spent=True)
    return len(gone)


def move(*, times: Mapping[str, datetime], reason: str, now: datetime) -> None:
    """Put planned reminders (by their names in the ledger) to other times. Must run in a transaction."""
    if not times:
        return
    waiting = Reminder.objects.filter(invitation__in=invitations_of(times), status=Reminder.Status.SCHEDULED)
    rows = [row for row in waiting.order_by("id").select_for_update() if row.reason in times]
    for row in rows:
        row.send_at, row.status_reason = times[row.reason], reason
    Reminder.objects.bulk_update(rows, ["send_at", "status_reason"], batch_size=500)
    ledger.move(times={row.reason: row.send_at for row in rows})
    if rows:
        agenda.wake(queue=QUEUE, due_at=min(row.send_at for row in rows), now=now)


def invitations_of(reasons: Iterable[str]) -> list[UUID]:
    """The invitations that reminders with these names in the ledger belong to."""
    return [UUID(name.split(":")[1]) for name in reasons if name.startswith("reminder:")]
