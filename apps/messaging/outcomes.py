"""What came of handing a message over, and what a mail system's answers mean."""

import re
import smtplib
from dataclasses import dataclass
from enum import StrEnum

from anymail.exceptions import AnymailError, AnymailRecipientsRefused

from apps.messaging.models import OutgoingEmail


class Fault(StrEnum):
    """Whose trouble it is when a message has to wait."""

    NONE = ""
    RECIPIENT = "recipient"
    DOMAIN = "domain"
    RELAY = "relay"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The message's next status (queued: try again) and, unless sent, why."""

    status: str
    error: str = ""
    fault: Fault = Fault.NONE
    esp_id: str = ""
    is_bad_address: bool = False
    """The mail system says that there is no such mailbox, not that it dislikes us."""


SENT = Outcome(OutgoingEmail.Status.SENT)


def refused(code: int, reply: str, *, at: str) -> Outcome:
    """An SMTP server's refusal; ``at`` is the command it answers: "mail", "rcpt" or "data".

    RFC 5321, 4.2.1: 4yz may work later, 5yz will not. RFC 3463: x.1.y is about the address, x.2.y about the mailbox.
    """
    text = f"{code} {reply}"
    about = re.search(r"\b[45]\.([0-7])\.\d{1,3}\b", reply)
    subject = about[1] if about else ""
    if code < 500:
        fault = Fault.RECIPIENT if subject in {"1", "2"} else Fault.DOMAIN
        return Outcome(OutgoingEmail.Status.QUEUED, text, Fault.RELAY if at == "mail" or code == 421 else fault)
    # Some servers look at the address only when they have the whole mail.
    if at == "rcpt" or (at == "data" and subject in {"1", "2"}):
        return Outcome(OutgoingEmail.Status.BOUNCED, text, Fault.RECIPIENT, is_bad_address=subject == "1")
    return Outcome(OutgoingEmail.Status.FAILED, text)


def of_error(error: Exception) -> Outcome:
    """A refusal with a code is certain; a broken line is not."""
    if isinstance(error, smtplib.SMTPException):
        return _of_smtp(error)
    if isinstance(error, AnymailRecipientsRefused):
        return Outcome(OutgoingEmail.Status.BOUNCED, str(error), Fault.RECIPIENT)
    if isinstance(error, AnymailError) and error.status_code in (401, 403, 408, 429, 503):
        return Outcome(OutgoingEmail.Status.QUEUED, str(error), Fault.RELAY)
    # The ESP refuses our message, or it cannot be built (a bad header): it will never leave.
    if isinstance(error, ValueError) or (isinstance(error, AnymailError) and 400 <= (error.status_code or 0) < 500):
        return Outcome(OutgoingEmail.Status.FAILED, str(error))
    return Outcome(OutgoingEmail.Status.UNKNOWN, f"line lost: {error}", Fault.RELAY)


def _of_smtp(error: smtplib.SMTPException) -> Outcome:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, reply = next(iter(error.recipients.values()))
        return refused(code, _text(reply), at="rcpt")
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 400:
        at = "mail" if isinstance(error, smtplib.SMTPSenderRefused) else "data"
        return refused(error.smtp_code, _text(error.smtp_error), at=at)
    return Outcome(OutgoingEmail.Status.UNKNOWN, f"line lost: {error}", Fault.RELAY)


def _text(reply: bytes | str) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else str(reply)
