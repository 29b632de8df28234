"""Twilio: sending by its REST API, what its codes mean, and whether a request is really from it."""

import logging
from collections.abc import Mapping
from typing import Any

import requests
from django.conf import settings
from twilio.base import values
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from urllib3.exceptions import NewConnectionError

from apps.messaging.models import DeliveryEvent, OutgoingEmail
from apps.messaging.outcomes import Fault, Outcome

TIMEOUT_SECONDS = 30
API_URL = "https://api.twilio.com"
Kind = DeliveryEvent.Kind
# Not a number, not in this country, a landline: nothing will ever arrive there.
_NO_SUCH_NUMBER = {21211, 21214, 21217, 21614, 30005, 30006}
_OPTED_OUT = 21610
# Switched off, out of reach, crowded: another message may well arrive.
_FOR_NOW = {30001, 30003, 30008, 30017}
_quiet = logging.getLogger("apps.messaging.twilio")
_quiet.setLevel(logging.WARNING)  # The library writes every request, numbers included.


class _Http(TwilioHttpClient):
    """Twilio's API at the address that the operator names."""

    def __init__(self, api_url: str) -> None:
        super().__init__(timeout=TIMEOUT_SECONDS, logger=_quiet)
        self._api_url = api_url.rstrip("/")

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """As the library's own."""
        if url.startswith(f"{API_URL}/"):
            url = self._api_url + url.removeprefix(API_URL)
        return super().request(method, url, *args, **kwargs)


class TwilioProvider:
    """One account, over one kept connection."""

    def __init__(self, account: str, token: str, api_url: str = "") -> None:
        self._client = Client(account, token, http_client=_Http(api_url or API_URL))

    def send(self, *, to: str, text: str, sender: str, reference: str) -> Outcome:
        """As :meth:`apps.messaging.sms.providers.Provider.send`. Twilio knows the message by its own id only."""
        is_service = sender.startswith("MG")
        try:
            message = self._client.messages.create(
                to=to,
                body=text,
                from_=values.unset if is_service else sender,
                messaging_service_sid=sender if is_service else values.unset,
                status_callback=callback_url("events") or values.unset,
            )
        except TwilioRestException as error:
            return refused(int(error.status), error.code, error.msg)
        except requests.RequestException as error:
            return _of_lost(error)
        except Exception as error:  # An answer that cannot be read: it may have been taken.
            return Outcome(OutgoingEmail.Status.UNKNOWN, f"unreadable answer: {type(error).__name__}", Fault.RELAY)
        if not isinstance(message.sid, str) or not message.sid:
            return Outcome(OutgoingEmail.Status.UNKNOWN, "the answer names no message", Fault.RELAY)
        if message.status in {"failed", "undelivered"}:
            return refused(400, message.error_code, message.error_message or "")
        return Outcome(OutgoingEmail.Status.SENT, esp_id=message.sid)


def refused(status: int, code: Any, message: str) -> Outcome:
    """What Twilio's refusal means: by its own code, else by the HTTP status."""
    number = int(code) if str(code or "").isdigit() else 0
    text = f"{number or status} {message}"
    if number == _OPTED_OUT:
        return Outcome(OutgoingEmail.Status.BOUNCED, text, Fault.RECIPIENT, has_opted_out=True)
    if number in _NO_SUCH_NUMBER:
        return Outcome(OutgoingEmail.Status.BOUNCED, text, Fault.RECIPIENT, is_bad_address=True)
    if number in _FOR_NOW:
        return Outcome(OutgoingEmail.Status.QUEUED, text, Fault.RECIPIENT)
    if status in {401, 403, 408, 429, 503}:
        return Outcome(OutgoingEmail.Status.QUEUED, text, Fault.RELAY)
    if 400 <= status < 500:
        return Outcome(OutgoingEmail.Status.FAILED, text)
    # A server that broke may have taken it before.
    return Outcome(OutgoingEmail.Status.UNKNOWN, text, Fault.RELAY)


def _of_lost(error: requests.RequestException) -> Outcome:
    """Whether a byte can have left."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return Outcome(OutgoingEmail.Status.QUEUED, f"no connection: {type(error).__name__}", Fault.RELAY)
    return Outcome(OutgoingEmail.Status.UNKNOWN, f"line lost: {type(error).__name__}", Fault.RELAY)


# --- what it reports ----------------------------------------------------------------------------


def kinds_of(status: str, code: str) -> tuple[str, ...]:
    """What a status report says became of the message; nothing if it is still on its way."""
    if status == "delivered":
        return (Kind.DELIVERED,)
    if status not in {"failed", "undelivered"}:
        return ()
    number = int(code) if code.isascii() and code.isdigit() else 0
    if number == _OPTED_OUT:
        return Kind.REJECTED, Kind.UNSUBSCRIBED
    if number in _NO_SUCH_NUMBER:
        return (Kind.HARD_BOUNCE,)
    return (Kind.SOFT_BOUNCE,) if number in _FOR_NOW else (Kind.REJECTED,)


def callback_url(name: str) -> str:
    """Where Twilio reports ("events") or passes answers on ("inbound"); "" where it cannot reach us."""
    if settings.PUBLIC_SCHEME != "https":
        return ""
    return f"https://{settings.PUBLIC_HOST}/sms/{name}/"


def is_genuine(*, token: str, name: str, posted: Mapping[str, Any], signature: str) -> bool:
    """Whether Twilio signed this request to one of our addresses. ``posted`` is the form as Django read it."""
    url = f"{settings.PUBLIC_SCHEME}://{settings.PUBLIC_HOST}/sms/{name}/"
    return bool(signature) and RequestValidator(token).validate(url, posted, signature)
