"""Text messages into a folder instead of the world: for demos and tests.

It is a maildir, so that the demo's mailbox page shows them beside the mails.
"""

import mailbox
import threading
from email.message import EmailMessage
from pathlib import Path

from apps.messaging.models import OutgoingEmail
from apps.messaging.outcomes import Fault, Outcome

SUBJECT = "SMS"
_lock = threading.Lock()  # the standard library counts file names without one


class SinkProvider:
    """Files every message; takes any number."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)

    def send(self, *, to: str, text: str, sender: str, reference: str) -> Outcome:
        """As :meth:`apps.messaging.sms.providers.Provider.send`."""
        message = EmailMessage()
        message["Subject"], message["From"], message["To"], message["X-Reference"] = SUBJECT, sender, to, reference
        message["Delivered-To"] = to
        message.set_content(text)
        try:
            # The standard library makes these only together with the folder itself, which may be there, empty.
            for name in ("tmp", "new", "cur"):
                (self._folder / name).mkdir(parents=True, exist_ok=True)
            with _lock:
                key = mailbox.Maildir(self._folder, create=True).add(message.as_bytes())
        except OSError as error:
            return Outcome(OutgoingEmail.Status.QUEUED, f"no folder for text messages: {error}", Fault.RELAY)
        return Outcome(OutgoingEmail.Status.SENT, esp_id=f"sink-{key}"[:200])
