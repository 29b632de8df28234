"""Codes in words: what happens next after a decision, why a step was skipped, why a machine is suspected."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.campaigns.wording import reason_in_words
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
    OutgoingEmail.Status.PAUSED: _("paused"),
    OutgoingEmail.Status.SENDING: _("is being sent"),
    OutgoingEmail.Status.SENT: _("sent"),
    OutgoingEmail.Status.DELIVERED: _("delivered"),
    OutgoingEmail.Status.BOUNCED: _("bounced"),
    OutgoingEmail.Status.COMPLAINED: _("reported as spam"),
    OutgoingEmail.Status.UNKNOWN: _("delivery unknown"),
    OutgoingEmail.Status.FAILED: _("could not be sent"),
    OutgoingEmail.Status.REVOKED: _("withdrawn before sending"),
}


SUSPICIONS: dict[str, Promise] = {
    "no_page": _("It was sent without opening the survey's page first."),
    "too_fast": _("It came within a second of opening the page; nobody reads that fast."),
    "trap": _("A link that humans do not see was opened."),
    "burst": _("Several different scores were opened or sent within seconds."),
    "agent": _("The program that sent it gives itself away as a scanner, or says nothing about itself."),
}
_REFUSED = {
    "missing": _("It is not there any more."),
    "merged": _("It went into another case meanwhile."),
    "changed_meanwhile": _("Somebody else changed it meanwhile."),
    "outcome_missing": _("Say how it ended first: choose an outcome or write a sentence."),
    "unknown_owner": _("This person does not work here any more."),
    "unknown_entry": _("This outcome or root cause is not there any more."),
    "unknown_status": _("There is no such status."),
    "contact": _("They are of different contacts and companies."),
    "closed": _("An open case does not go into a closed one. Reopen it first."),
    "others": _("There is nothing to merge it with."),
}


def suspicion_in_words(code: str) -> str | Promise:
    """What speaks against a human; an unknown code stands for itself."""
    return SUSPICIONS.get(code, code)


def skipped_in_words(code: str) -> str | Promise:
    """Why a step of a campaign was not taken."""
    return reason_in_words(code)


def case_refusal(code: str) -> str | Promise:
    """Why something cannot be done with a case."""
    return _REFUSED.get(code, code)


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
