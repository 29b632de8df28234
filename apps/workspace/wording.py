"""What happens next after a decision, in words."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.messaging.models import OutgoingEmail
from apps.surveys.models import Invitation
from apps.triggers.models import Decision
from apps.triggers.reasons import sentence


@dataclass(frozen=True, slots=True)
class Next:
    """A short phrase, the time it speaks of, and a reason where there is one."""

    text: str | Promise
    at: datetime | None = None
    because: str | Promise = ""


_MAIL: dict[str, Promise] = {
    OutgoingEmail.Status.QUEUED: _("waits for delivery"),
    OutgoingEmail.Status.SENDING: _("is being sent"),
    OutgoingEmail.Status.SENT: _("sent"),
    OutgoingEmail.Status.DELIVERED: _("delivered"),
    OutgoingEmail.Status.BOUNCED: _("bounced"),
    OutgoingEmail.Status.COMPLAINED: _("reported as spam"),
    OutgoingEmail.Status.UNKNOWN: _("delivery unknown"),
    OutgoingEmail.Status.FAILED: _("could not be sent"),
    OutgoingEmail.Status.REVOKED: _("withdrawn before sending"),
}


def what_next(decision: Decision) -> Next:
    """What became, or will become, of the survey that was decided on."""
    if decision.invitation is not None:
        return _of_invitation(decision.invitation)
    if decision.status == Decision.Status.SCHEDULED:
        return Next(_("invitation being prepared for"), decision.until)
    if decision.status == Decision.Status.DEFERRED:
        return Next(_("will be decided again"), decision.until)
    return Next(_("nothing"))


def _of_invitation(invitation: Invitation) -> Next:
    if invitation.status == Invitation.Status.SCHEDULED:
        return Next(_("will be sent"), invitation.send_at)
    if invitation.status in {Invitation.Status.REVOKED, Invitation.Status.EXPIRED}:
        text = _("withdrawn") if invitation.status == Invitation.Status.REVOKED else _("expired unsent")
        return Next(text, because=sentence(invitation.status_reason))
    mail = invitation.email
    if mail is None:
        return Next(_("sent"), invitation.send_at)
    return Next(_MAIL.get(mail.status, mail.status), mail.sent_at or mail.due_at)
