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
    """This message's alone."""
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
    has_opted_out: bool = False
    """The service says that the person told it to take nothing more from us."""
    also: tuple[str, ...] = ()
    """Other ids by which the service may call it."""


SENT = Outcome(OutgoingEmail.Status.SENT)
# An enhanced status code (RFC 3463), not the numbers of somebody's IP address.
_ENHANCED = re.compile(r"(?<![\d.])[45]\.([0-7])\.(\d{1,3})(?!\.?\d)")
_NO_SUCH_MAILBOX = {"1", "2", "3", "6", "10"}
_NO_LOGIN = {530, 534, 535, 538}
"""RFC 4954: the service wants a login, or another one; it may say so to any command. No message's own fault."""
_OUR_ADDRESS = {"7", "8"}
"""x.1.7 and x.1.8 are about the sender's address: the recipient's may be a good one."""


def refused(code: int, reply: str, *, at: str) -> Outcome:
    """An SMTP server's refusal; ``at`` is the command it answers: "mail", "rcpt" or "data".

    RFC 5321, 4.2.1: 4yz may work later, 5yz will not. RFC 3463: x.1.y is about the address, x.2.y about the mailbox.
    """
    text = f"{code} {reply}"
    about = _ENHANCED.search(reply)
    subject, detail = about.groups() if about else ("", "")
    is_ours = subject == "1" and detail in _OUR_ADDRESS
    if code in _NO_LOGIN:
        return Outcome(OutgoingEmail.Status.QUEUED, text, Fault.RELAY)
    if code < 500:
        is_alone = at == "mail" if is_ours else subject in {"1", "2"}
        # One tenant's sender that is refused must not make the service rest for all.
        of_relay = code == 421 or (at == "mail" and not is_ours)
        fault = Fault.RECIPIENT if is_alone else Fault.DOMAIN
        return Outcome(OutgoingEmail.Status.QUEUED, text, Fault.RELAY if of_relay else fault)
    # Some servers look at the address only when they have the whole mail.
    if not is_ours and (at == "rcpt" or (at == "data" and subject in {"1", "2"})):
        is_gone = subject == "1" and detail in _NO_SUCH_MAILBOX
        return Outcome(OutgoingEmail.Status.BOUNCED, text, Fault.RECIPIENT, is_bad_address=is_gone)
    return Outcome(OutgoingEmail.Status.FAILED, text)


def of_error(error: Exception) -> Outcome:
    """A refusal with a code is certain; a broken line is not."""
    if isinstance(error, smtplib.SMTPException):
        return _of_smtp(error)
    if isinstance(error, AnymailRecipientsRefused):
        return Outcome(OutgoingEmail.Status.BOUNCED, str(error), Fault.RECIPIENT)
    if isinstance(error, AnymailError) and error.status_code == 403:
        # Most of all a sender that the service does not know yet: that is one tenant's trouble, not everybody's.
        return Outcome(OutgoingEmail.Status.QUEUED, str(error), Fault.RECIPIENT)
    if isinstance(error, AnymailError) and error.status_code in (401, 408, 429, 503):
        return Outcome(OutgoingEmail.Status.QUEUED, str(error), Fault.RELAY)
    # The ESP refuses our message, or it cannot be built (a bad header): it will never leave.
    if isinstance(error, ValueError) or (isinstance(error, AnymailError) and 400 <= (error.status_code or 0) < 500):
        return Outcome(OutgoingEmail.Status.FAILED, str(error))
    return Outcome(OutgoingEmail.Status.UNKNOWN, f"line lost: {error}", Fault.RELAY)


def of_building(error: Exception) -> Outcome:
    """What could not be made a message has not left, and will not as it is."""
    return Outcome(OutgoingEmail.Status.FAILED, f"{type(error).__name__}: {error}")


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
