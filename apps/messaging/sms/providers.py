"""Services that send text messages: which one SMS_URL names."""

from collections.abc import Mapping
from typing import Any, Protocol

from apps.messaging.outcomes import Outcome
from apps.messaging.sms.sink import SinkProvider
from apps.messaging.sms.twilio_api import TwilioProvider


class Provider(Protocol):
    """A way out for text messages."""

    def send(self, *, to: str, text: str, sender: str, reference: str) -> Outcome:
        """Hand one message over. ``to`` is E.164, ``reference`` ours; never raises for what the service says."""
        ...


def provider_for(options: Mapping[str, Any]) -> Provider | None:
    """The operator's service; None if there is none."""
    match options.get("provider"):
        case "twilio":
            return TwilioProvider(options["account"], options["token"], options.get("api_url", ""))
        case "sink":
            return SinkProvider(options["folder"])
    return None


def can_be_answered(sender: str) -> bool:
    """Whether the recipient can reply: to a number or a service with numbers, not to a name."""
    return sender.startswith(("+", "MG")) or sender.isdigit()
