"""Handing messages to the mail service they go by."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from anymail.exceptions import AnymailRecipientsRefused
from django.core.mail import get_connection

from apps.messaging import esp_batches
from apps.messaging.mime import build
from apps.messaging.models import OutgoingEmail
from apps.messaging.outcomes import Fault, Outcome, of_building, of_error
from apps.messaging.parcels import Parcel
from apps.messaging.sms.line import SmsLine
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
    if route.kind == "sms":
        return SmsLine(route.options)
    return BatchLine(route) if route.esp in esp_batches.DIALECTS else BackendLine(route)


class BackendLine:
    """Any of Django's e-mail backends, Anymail's above all, one message at a time over one kept connection."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._connection: Any = None

    def deliver(self, parcels: Sequence[Parcel], begin: Callable[[int], bool]) -> Iterator[tuple[int, Outcome]]:
        """As :meth:`apps.messaging.smtp.SmtpLine.deliver`."""
        for position, parcel in enumerate(parcels):
            if (outcome := self._open()) is not None:
                yield position, outcome
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

    def _open(self) -> Outcome | None:
        """Be connected; else why the next message has to wait."""
        try:
            if self._connection is None:
                connection = get_connection(self._route.backend, **self._route.options)
                connection.open()
                self._connection = connection
        except Exception as error:  # nothing has left yet, whatever went wrong
            return Outcome(OutgoingEmail.Status.QUEUED, f"no connection: {error}", Fault.RELAY)
        return None

    def _send(self, parcel: Parcel) -> Outcome:
        try:
            message = build(parcel, self._connection)
        except Exception as error:
            return of_building(error)
        try:
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
        return Outcome(OutgoingEmail.Status.SENT, esp_id=esp_batches.id_of(esp_id))


class BatchLine(BackendLine):
    """An ESP that takes many messages in one call, each with its own words."""

    def deliver(self, parcels: Sequence[Parcel], begin: Callable[[int], bool]) -> Iterator[tuple[int, Outcome]]:
        """As :meth:`BackendLine.deliver`; the messages of a call are begun together.

        Where the service refuses a call as a whole, for one message that it dislikes maybe, each is sent alone.
        """
        for at, size in esp_batches.calls(parcels, self._route):
            together = parcels[at : at + size]
            outcomes: Sequence[Outcome] = ()
            if size > 1:
                if (outcome := self._open()) is not None:
                    yield at, outcome
                    return
                if not all(begin(at + number) for number in range(size)):
                    return
                outcomes = self._send_together(together)
            is_fine = True
            for number, outcome in enumerate(outcomes) if outcomes else self._each(together, begin, at):
                is_fine = is_fine and outcome.fault != Fault.RELAY
                yield at + number, outcome
            if not is_fine:
                return

    def _each(self, parcels: Sequence[Parcel], begin: Callable[[int], bool], at: int) -> Iterator[tuple[int, Outcome]]:
        return super().deliver(parcels, lambda number: begin(at + number))

    def _send_together(self, parcels: Sequence[Parcel]) -> Sequence[Outcome]:
        """What came of each; nothing if the service certainly took none and would perhaps take some alone."""
        esp = self._route.esp
        try:
            message: Any = esp_batches.build(parcels, esp, self._connection)
        except Exception:
            return ()
        message.track_opens = message.track_clicks = False
        try:
            sent = self._connection.send_messages([message])
        except AnymailRecipientsRefused:
            return esp_batches.outcomes(parcels, message, esp)
        except Exception as error:
            self.close()
            outcome = of_error(error)
            return () if outcome.status == OutgoingEmail.Status.FAILED else _for_all(outcome, len(parcels))
        if not sent:
            return _for_all(Outcome(OutgoingEmail.Status.UNKNOWN, "not confirmed", Fault.RELAY), len(parcels))
        return esp_batches.outcomes(parcels, message, esp)


def _for_all(outcome: Outcome, count: int) -> list[Outcome]:
    """One call is one fault of the service, however many messages it had."""
    return [outcome, *[replace(outcome, fault=Fault.NONE)] * (count - 1)]
