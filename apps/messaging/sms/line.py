"""Text messages on their way out, one call each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from apps.messaging.models import OutgoingEmail
from apps.messaging.outcomes import Fault, Outcome
from apps.messaging.parcels import Parcel
from apps.messaging.sms.providers import provider_for

LONGEST = 1600
"""Characters that services take at most."""
NO_SERVICE = "no_sms_service"


class SmsLine:
    """The operator's service for text messages, if there is one."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._provider = provider_for(options)
        self._sender = options.get("sender", "")

    def deliver(self, parcels: Sequence[Parcel], begin: Callable[[int], bool]) -> Iterator[tuple[int, Outcome]]:
        """As :meth:`apps.messaging.smtp.SmtpLine.deliver`."""
        for position, parcel in enumerate(parcels):
            text = parcel.text.strip()
            if self._provider is None or not text or len(text) > LONGEST:
                yield position, Outcome(OutgoingEmail.Status.FAILED, self._why_not(text))
                continue
            if not begin(position):
                return
            outcome = self._provider.send(
                to=parcel.row.to_email, text=text, sender=self._sender, reference=str(parcel.row.id)
            )
            yield position, outcome
            if outcome.fault == Fault.RELAY:
                return

    def close(self) -> None:
        """Nothing is kept open that anybody waits for."""

    def _why_not(self, text: str) -> str:
        if self._provider is None:
            return NO_SERVICE
        return "text_too_long" if text else "no_text"
