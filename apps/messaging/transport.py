"""Handing one mail to the mail system, and understanding what came of it."""

import logging
import random
import re
import smtplib
from dataclasses import dataclass
from datetime import timedelta
from email.utils import formataddr, parseaddr
from types import TracebackType
from typing import Any

from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.utils.encoding import punycode

from apps.common.variables import one_line
from apps.messaging.models import OutgoingEmail

logger = logging.getLogger(__name__)

MAX_NAME = 70  # encoded, a few hundred characters of the 998 that RFC 5322 allows a line


@dataclass(frozen=True, slots=True)
class Outcome:
    """The mail's next status (queued: try again) and, unless sent, why."""

    status: str
    error: str = ""

    @property
    def is_bad_address(self) -> bool:
        """The server says that there is no such mailbox (RFC 3463: 5.1.x), not that it dislikes us."""
        return re.search(r"\b5\.1\.\d", self.error) is not None


def address(name: str, email: str) -> str:
    """``Name <email>``, quoted as needed, without control characters, the name cut to what a line can hold."""
    local, _, domain = email.rpartition("@")
    email = f"{local}@{punycode(domain)}"
    return formataddr((one_line(name)[:MAX_NAME], email)) if name else email


def platform_sender() -> dict[str, str]:
    """Name and address of the platform's own sender."""
    name, email = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return {"name": name, "email": email}


def backoff(attempts: int) -> timedelta:
    """Wait before the next try: doubling from 30 s to 1 h, with jitter so that mails don't return in a crowd."""
    seconds = min(30 * 2 ** max(0, attempts - 1), 3600)
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311


def build(mail: OutgoingEmail, connection: Any = None) -> EmailMultiAlternatives:
    """The MIME message: text and HTML, our own Message-ID, the stored headers."""
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=mail.from_header,
        to=[address(mail.to_name, mail.to_email)],
        reply_to=[mail.reply_to] if mail.reply_to else None,
        headers={"Message-ID": mail.message_id, **mail.headers},
        connection=connection,
    )
    message.attach_alternative(mail.html, "text/html")
    return message


class Session:
    """Sends mails one after another over one connection, reopened after a fault."""

    def __init__(self) -> None:
        self._connection: Any = None
        self._down = ""

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    def send(self, mail: OutgoingEmail) -> Outcome:
        """Send one mail. Never raises for what the mail system does; the outcome says it."""
        if self._down:  # One timeout per batch is enough.
            return Outcome(OutgoingEmail.Status.QUEUED, self._down)
        try:
            if self._connection is None:
                connection = get_connection()
                connection.open()
                self._connection = connection
        except Exception as error:
            # Nothing has left yet, whatever went wrong: safe to try again.
            self._down = f"no connection: {error}"
            return Outcome(OutgoingEmail.Status.QUEUED, self._down)
        try:
            sent = self._connection.send_messages([build(mail, self._connection)])
        except Exception as error:
            self._close()
            return _outcome_of(error)
        return Outcome(OutgoingEmail.Status.SENT) if sent else Outcome(OutgoingEmail.Status.UNKNOWN, "not confirmed")

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except Exception as error:
            logger.info("Closing the mail connection failed: %s", error)


def _outcome_of(error: Exception) -> Outcome:
    """A refusal with a code is certain; a broken line is not."""
    if isinstance(error, smtplib.SMTPException):
        return _smtp_outcome(error)
    if isinstance(error, AnymailRecipientsRefused):
        return Outcome(OutgoingEmail.Status.BOUNCED, str(error))
    if isinstance(error, AnymailError) and error.status_code in (401, 403, 408, 429, 503):
        return Outcome(OutgoingEmail.Status.QUEUED, str(error))
    # The ESP refuses our message, or it cannot be built (a bad header): it will never leave.
    if isinstance(error, ValueError) or (isinstance(error, AnymailError) and 400 <= (error.status_code or 0) < 500):
        return Outcome(OutgoingEmail.Status.FAILED, str(error))
    return Outcome(OutgoingEmail.Status.UNKNOWN, f"line lost: {error}")


def _smtp_outcome(error: smtplib.SMTPException) -> Outcome:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, reply = next(iter(error.recipients.values()))
        text = f"{code} {reply.decode(errors='replace') if isinstance(reply, bytes) else reply}"
        return Outcome(OutgoingEmail.Status.QUEUED if code < 500 else OutgoingEmail.Status.BOUNCED, text)
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 400:
        return Outcome(
            OutgoingEmail.Status.QUEUED if error.smtp_code < 500 else OutgoingEmail.Status.FAILED, str(error)
        )
    return Outcome(OutgoingEmail.Status.UNKNOWN, f"line lost: {error}")
