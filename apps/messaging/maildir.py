"""Mail into a folder instead of the world: for demos and for working on mails.

``MaildirBackend`` writes; ``newest`` and ``find`` read for the mailbox page.
"""

import mailbox
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

_lock = threading.Lock()  # the standard library counts file names without one


class MaildirBackend(BaseEmailBackend):
    """Django e-mail backend that files every message into the maildir ``settings.MAILDIR``."""

    def __init__(self, fail_silently: bool = False, **kwargs: Any) -> None:
        super().__init__(fail_silently=fail_silently, **kwargs)
        if settings.MAILDIR is None:
            raise ImproperlyConfigured("MAILDIR is not set; use EMAIL_URL=maildir:///path.")
        # The standard library makes these only together with the folder itself, which may be there, empty.
        for name in ("tmp", "new", "cur"):
            (settings.MAILDIR / name).mkdir(parents=True, exist_ok=True)
        self.box = mailbox.Maildir(settings.MAILDIR, create=True)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """File the messages that have recipients; returns how many those were."""
        count = 0
        for message in email_messages:
            recipients = message.recipients()
            if not recipients:
                continue
            mime = message.message()
            for recipient in recipients:
                mime["Delivered-To"] = recipient
            with _lock:
                self.box.add(mime.as_bytes())
            count += 1
        return count


@dataclass(frozen=True, slots=True)
class Mail:
    """One filed message."""

    id: str
    received_at: datetime
    subject: str
    sender: str
    recipients: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str

    def matches(self, words: str) -> bool:
        """Whether recipient or subject contain the words."""
        words = words.casefold()
        return words in self.subject.casefold() or any(words in to.casefold() for to in self.recipients)


def newest(*, to: str = "", words: str = "", limit: int = 1000) -> list[Mail]:
    """The newest messages: to one address exactly, and with words in recipient or subject."""
    found: list[Mail] = []
    for key, path in _files():
        mail = _read(key, path)
        if mail is None or (to and to.casefold() not in (one.casefold() for one in mail.recipients)):
            continue
        if words and not mail.matches(words):
            continue
        found.append(mail)
        if len(found) >= limit:
            break
    return found


def find(key: str) -> Mail | None:
    """The message of an id. What comes from outside is compared with the folder's names and never made a path."""
    path = dict(_files()).get(key)
    return _read(key, path) if path is not None else None


def _files() -> list[tuple[str, str]]:
    """(id, path) of every message, newest first."""
    root: Path | None = settings.MAILDIR
    if root is None:
        return []
    found: list[tuple[int, str, str]] = []
    for folder in ("new", "cur"):
        try:
            with os.scandir(root / folder) as entries:
                found += [
                    (entry.stat(follow_symlinks=False).st_mtime_ns, entry.name.partition(":")[0], entry.path)
                    for entry in entries
                    if entry.is_file(follow_symlinks=False)
                ]
        except FileNotFoundError:
            continue
    return [(key, path) for _time, key, path in sorted(found, reverse=True)]


@lru_cache(maxsize=2000)
def _read(key: str, path: str) -> Mail | None:
    """Parse a message file; they never change. None if it was removed meanwhile."""
    try:
        raw = Path(path).read_bytes()
        received = datetime.fromtimestamp(Path(path).stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
    parsed: Any = message_from_bytes(raw, policy=policy.default)
    headers = tuple((name, str(value)) for name, value in parsed.items())
    return Mail(
        id=key,
        received_at=received,
        subject=str(parsed["Subject"] or ""),
        sender=str(parsed["From"] or ""),
        recipients=tuple(str(value) for value in parsed.get_all("Delivered-To", [])),
        headers=tuple(pair for pair in headers if pair[0] not in {"Delivered-To", "MIME-Version"}),
        text=_body(parsed, "plain"),
        html=_body(parsed, "html"),
    )


def _body(parsed: Any, kind: str) -> str:
    part = parsed.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
