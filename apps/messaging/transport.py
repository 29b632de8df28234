"""Handing messages to the mail service they go by."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Protocol

from django.core.mail import get_connection

from apps.messaging.mime import build
from apps.messaging.models import OutgoingEmail
from apps.messaging.outcomes import Fault, Outcome, of_error
from apps.messaging.parcels import Parcel
from apps.messaging.smtp import SmtpLine
from apps.relays.services import Route

# Services whose own counting of opens and clicks can be switched off per message.
_CAN_SWITCH_TRACKING = {"mailersend", "mailgun", "mailjet", "mandrill", "postmark", "sendgrid", "sparkpost"}


class Line(Protocol):
    """A way out. What it has not yielded has not left."""

    def deliver(self, parcels: Sequence[Parcel], begin: Callable[[int], bool]) -> Iterator[tuple[int, Outcome]]: ...

    def close(self) -> None: ...


def line_for(route: Route) -> Line:
    """The way to a mail service."""
    if route.kind == "smtp":
        return SmtpLine(route.backend, route.options)
    return BackendLine(route)


class BackendLine:
    """Any of Django's e-mail backends, Anymail's above all, one message at a time over one kept connection."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._connection: Any = None

    def deliver(self, parcels: Sequence[Parcel], begin: Callable[[int], bool]) -> Iterator[tuple[int, Outcome]]:
        """As :meth:`apps.messaging.smtp.SmtpLine.deliver`."""
        for position, parcel in enumerate(parcels):
            try:
                if self._connection is None:
                    connection = get_connection(self._route.backend, **self._route.options)
                    connection.open()
                    self._connection = connection
            except Exception as error:  # nothing has left yet, whatever went wrong
                yield position, Outcome(OutgoingEmail.Status.QUEUED, f"no connection: {error}", Fault.RELAY)
                return
            if not begin(position):
                return
            outcome = self._send(parcel)
            yield position, outcome
            if outcome.fault == Fault.RELAY:
                return

    def close(self) -> None:
        """Say goodbye; a service that is gone is no matter."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # Nobody waits for anything on it.
                connection.close()

    def _send(self, parcel: Parcel) -> Outcome:
        try:
            message = build(parcel, self._connection)
            if self._route.esp in _CAN_SWITCH_TRACKING:
                message.track_opens = message.track_clicks = False  # type: ignore[attr-defined]
            sent = self._connection.send_messages([message])
        except Exception as error:
            self.close()
            return of_error(error)
        status = getattr(message, "anymail_status", None)
        esp_id = status.message_id if status is not None else ""
        if not sent:
            return Outcome(OutgoingEmail.Status.UNKNOWN, "not confirmed", Fault.RELAY)
        return Outcome(OutgoingEmail.Status.SENT, esp_id=esp_id if isinstance(esp_id, str) else "")
