"""What speaks against reminding at the moment of sending, besides what speaks against any mail."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import F

from apps.contacts.eligibility import BLOCKED, DEFERRED, SKIPPED, Verdict
from apps.messaging.models import OutgoingEmail
from apps.surveys import recheck
from apps.surveys.links import token_again
from apps.surveys.models import Invitation, Reminder, SurveyReminder

_LOST = frozenset({"bounced", "complained", "failed", "revoked"})
_WAITING = frozenset({"queued", "paused", "sending"})
LATE = timedelta(hours=1)
"""So much later than it was handed over a mail may leave without its reminder having to wait."""


class Mail(NamedTuple):
    """A mail that went before."""

    position: int
    status: str
    sent_at: datetime | None


@dataclass(slots=True)
class Known:
    """What is known about due reminders. ``settings`` and ``tokens`` by the reminder's id, where there is one."""

    answered: set[UUID]
    mails: dict[UUID, list[Mail]]
    settings: dict[UUID, SurveyReminder] = field(default_factory=dict)
    tokens: dict[UUID, str] = field(default_factory=dict)

    def objection(self, row: Reminder, now: datetime) -> Verdict | None:
        """What forbids it, or lets it wait; None if nothing does."""
        return recheck.objection_to(row.invitation) or self._because_of_invitation(row, now) or self._late(row, now)

    def _because_of_invitation(self, row: Reminder, now: datetime) -> Verdict | None:
        invitation, closes_at = row.invitation, row.invitation.survey.closes_at
        expires_at = invitation.link_expires_at
        checks = (
            (invitation.status != Invitation.Status.QUEUED, BLOCKED, "invitation_revoked"),
            (invitation.pk in self.answered, BLOCKED, "answered"),
            (any(mail.status in _LOST for mail in self.mails[invitation.pk]), BLOCKED, "mail_failed"),
            (row.id not in self.settings, BLOCKED, "reminder_removed"),
            (closes_at is not None and closes_at <= now, SKIPPED, "survey_closed"),
            (expires_at is None or expires_at <= now, SKIPPED, "link_expired"),
            (row.id not in self.tokens, BLOCKED, "link_lost"),
        )
        return next((Verdict(status, reason) for applies, status, reason in checks if applies), None)

    def _late(self, row: Reminder, now: datetime) -> Verdict | None:
        """The mail before it left late, or not yet: the contact gets its whole delay all the same."""
        before = [mail for mail in self.mails[row.invitation_id] if mail.position < row.position]
        if not before:
            return None
        last, delay = max(before), self.settings[row.id].delay
        if last.status in _WAITING:
            return Verdict(DEFERRED, "mail_waiting", now + delay)
        if last.sent_at is not None and last.sent_at + delay > now + LATE:
            return Verdict(DEFERRED, "mail_waiting", last.sent_at + delay)
        return None


def look(due: Sequence[Reminder]) -> Known:
    """What is known about due reminders. Three queries."""
    known = Known(answered=_answered(due), mails=_mails(due))
    surveys = {row.invitation.survey_id for row in due}
    by_place = {(s.survey_id, s.position): s for s in SurveyReminder.objects.filter(survey__in=surveys)}
    for row in due:
        setting, token = by_place.get((row.invitation.survey_id, row.position)), token_again(row.invitation)
        if setting is not None:
            known.settings[row.id] = setting
        if token is not None:
            known.tokens[row.id] = token
    return known


def _answered(due: Sequence[Reminder]) -> set[UUID]:
    """Invitations that need no reminder: answered, in part too, or the survey was answered in another way since.

    Who answered in part was here and knows where to go on; asking again would say that it did not count. What a
    machine probably answered is no answer.
    """
    ours = Invitation.objects.filter(pk__in=[row.invitation_id for row in due]).order_by()
    otherwise = ours.filter(
        contact__responses__survey=F("survey"),
        contact__responses__answered_at__gte=F("created_at"),
        contact__responses__is_suspected=False,
    )
    found = ours.filter(response__is_suspected=False).values("pk")
    found = found.union(ours.filter(used_on__isnull=False).values("pk"), otherwise.values("pk"))
    return {row["pk"] for row in found}


def _mails(due: Sequence[Reminder]) -> dict[UUID, list[Mail]]:
    """What went before, by invitation. A mail whose row is gone counts as sent."""
    found: dict[UUID, list[Mail]] = defaultdict(list)
    for row in due:
        email: OutgoingEmail | None = row.invitation.email
        if email is not None:
            found[row.invitation_id].append(Mail(0, email.status, email.sent_at))
    earlier = Reminder.objects.filter(invitation__in=[row.invitation_id for row in due], email__isnull=False)
    rows = earlier.values_list("invitation", "position", "email__status", "email__sent_at")
    for invitation_id, position, status, sent_at in rows:
        found[invitation_id].append(Mail(position, status, sent_at))
    return found
