"""What a mail says, before and after it was put into the outbox."""

from types import SimpleNamespace
from typing import Any

from apps.common.patterns import Pattern
from apps.messaging.parcels import as_sent
from apps.messaging.services import NewEmail


def words(mail: Any) -> Any:
    """Text and HTML with the mail's own values in their places."""
    if isinstance(mail, NewEmail):
        values = {"subject": mail.subject, **mail.values}
        text, html = Pattern(mail.text).fill(values), Pattern(mail.html, is_html=True).fill(values)
        return SimpleNamespace(text=text.decode().replace("\r\n", "\n"), html=html.decode().replace("\r\n", "\n"))
    sent = as_sent(mail)
    assert sent is not None
    return sent
