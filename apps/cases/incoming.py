"""A mail that came in, read: who wrote what to whom, and whether a person did. Robust against whatever it is."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses, parseaddr
from typing import Any

from apps.cases import plain_html, quoting
from apps.cases.models import CaseMail
from apps.common.variables import one_line

MAX_TEXT = 1_000_000
"""Bytes of text that are read; what comes after is left out."""
MAX_PARTS, MAX_DEPTH = 200, 20
MAX_THREADS = 30
CUT = "…"
"""Stands among the attachments where the mail was longer than what is read of it."""
_TO = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Forwarded-To", "Bcc")
_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{3,500}>")
_FAILED = re.compile(r"\bdmarc\s*=\s*fail\b", re.IGNORECASE)
_AUTOMATIC = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply-From", "List-Id")


@dataclass(frozen=True, slots=True)
class Incoming:
    """What counts of a mail."""

    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    full_text: str
    message_id: str
    """Its own, or one that is made of what it says: the same for the same mail."""
    threads: tuple[str, ...]
    """The ids of the mails it answers."""
    kind: str
    left_out: tuple[str, ...]
    is_forged: bool
    """Its sender's domain said that it is not from there."""


def read(source: bytes | Message, *, envelope: Sequence[str] = (), is_cut: bool = False) -> Incoming:
    """Read a mail as it came; ``envelope`` are recipients that are known from elsewhere.

    ``is_cut``: the source ends before the mail does.
    """
    mail = _parse(source) if isinstance(source, bytes) else _forgiving(source)
    text, left_out, was_cut = _contents(mail)
    subject = _storable(_header(mail, "Subject"))
    sender = _sender(mail)
    return Incoming(
        sender=sender,
        recipients=(*envelope, *_recipients(mail)),
        subject=one_line(subject)[:300],
        text=quoting.fresh(text),
        full_text=text,
        message_id=_own_id(mail, sender, subject, text),
        threads=_threads(mail),
        kind=_kind(mail),
        left_out=(*left_out, *((CUT,) if is_cut or was_cut else ())),
        is_forged=bool(_FAILED.search(_header(mail, "Authentication-Results")[:2000])),
    )


def recipients_of(head: bytes) -> tuple[str, ...]:
    """The addresses that a mail's head says it is for."""
    return _recipients(_parse(head, headersonly=True))


def threads_of(head: bytes) -> tuple[str, ...]:
    """The ids of the mails that a mail's head says it answers."""
    return _threads(_parse(head, headersonly=True))


def id_of(head: bytes) -> str:
    """The Message-ID that a mail's head names; "" if there is none."""
    found = _ID.search(_header(_parse(head, headersonly=True), "Message-ID")[:1000])
    return found[0] if found else ""


def _parse(source: bytes, *, headersonly: bool = False) -> Any:
    """The old policy: it looks at nothing before it is asked, and broken headers are text to it.

    Under the new one some of them make the standard library raise.
    """
    return BytesParser(Message, policy=compat32).parsebytes(source, headersonly=headersonly)


def _forgiving(mail: Message) -> Any:
    """A mail that somebody else parsed, to be read under the old policy."""
    for part in mail.walk():
        part.policy = compat32
    return mail


# --- the head -----------------------------------------------------------------------------------------


def _headers(mail: Any, name: str) -> list[str]:
    """All values of a header, decoded; what cannot be is read as it stands."""
    found = []
    for written in _written(mail, name):
        try:
            found.append(str(make_header(decode_header(written))))
        except (ValueError, LookupError, TypeError):
            found.append(written)
    return found


def _written(mail: Any, name: str) -> list[str]:
    """All values of a header as they stand. Addresses are looked for in these: an encoded name may hold anything."""
    values = [str(value) for key, value in mail.raw_items() if key.lower() == name.lower()]
    return [value.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for value in values]


def _header(mail: Any, name: str) -> str:
    return next(iter(_headers(mail, name)), "")


def _recipients(mail: Any) -> tuple[str, ...]:
    values = [value[:20_000] for name in _TO for value in _written(mail, name)[:10]]
    return tuple(address for _name, address in getaddresses(values) if "@" in address)[:200]


def _sender(mail: Any) -> str:
    written = next(iter(_written(mail, "From")), "")
    return _storable(one_line(parseaddr(written[:2000])[1]).lower())[:320]


def _threads(mail: Any) -> tuple[str, ...]:
    found = [one for name in ("In-Reply-To", "References") for one in _ID.findall(_header(mail, name)[:20_000])]
    # The last of the references are the nearest.
    return tuple(dict.fromkeys([*found[:1], *reversed(found)]))[:MAX_THREADS]


def _own_id(mail: Any, sender: str, subject: str, text: str) -> str:
    found = _ID.search(_header(mail, "Message-ID")[:1000])
    if found:
        return found[0]
    said = "\x1f".join([sender, subject, _header(mail, "Date"), text])
    return f"<{hashlib.sha256(said.encode('utf-8', 'replace')).hexdigest()}@no-message-id.invalid>"


def _kind(mail: Any) -> str:
    sender = _sender(mail)
    local = sender.partition("@")[0]
    if mail.get_content_type() == "multipart/report" or local in {"mailer-daemon", "postmaster"}:
        is_receipt = "disposition-notification" in str(_header(mail, "Content-Type")).lower()
        return CaseMail.Kind.AUTOMATIC if is_receipt else CaseMail.Kind.BOUNCE
    submitted = _header(mail, "Auto-Submitted").strip().lower()
    precedence = _header(mail, "Precedence").strip().lower()
    is_automatic = (
        (submitted not in {"", "no"})
        or precedence in {"bulk", "junk", "list", "auto_reply"}
        or any(_header(mail, name) for name in _AUTOMATIC)
        or _header(mail, "Return-Path").strip() == "<>"
    )
    return CaseMail.Kind.AUTOMATIC if is_automatic else CaseMail.Kind.PERSONAL


# --- the body -----------------------------------------------------------------------------------------


def _contents(mail: Any) -> tuple[str, list[str], bool]:
    """The text, the names of what else is in it, and whether there was more text than is read."""
    texts: list[str] = []
    left_out: list[str] = []
    left, was_cut = MAX_TEXT, False
    for part in _parts(mail, 0):
        name = _name_of(part)
        kind = part.get_content_type()
        if name or part.get_content_disposition() == "attachment" or kind not in {"text/plain", "text/html"}:
            left_out.append(name or kind)
            continue
        data = part.get_payload(decode=True)
        if not isinstance(data, bytes):
            continue
        was_cut |= len(data) > left
        text = _decode(data[:left], str(part.get_content_charset() or ""), "ignore" if len(data) > left else "strict")
        left -= min(left, len(data))
        texts.append(plain_html.text_of(text) if kind == "text/html" else text)
    whole = "\n".join(_storable(text).replace("\r\n", "\n").replace("\r", "\n") for text in texts if text.strip())
    return whole.strip("\n"), [_storable(one)[:200] for one in left_out[:50]], was_cut


def _parts(mail: Any, depth: int) -> Iterator[Any]:
    """The parts that count; of alternatives the plain text. Mails within the mail are attachments."""
    if not mail.is_multipart() or mail.get_content_maintype() == "message":
        yield mail
        return
    children = mail.get_payload()[:MAX_PARTS] if depth < MAX_DEPTH else []
    if mail.get_content_type() == "multipart/alternative":
        plain = [one for one in children if one.get_content_type() == "text/plain" and _says_something(one)]
        rest = [one for one in children if one.get_content_type() not in {"text/plain", "text/html"}]
        if plain:
            children = [plain[0], *(one for one in rest if not _holds_html(one))]
    for child in children:
        yield from _parts(child, depth + 1)


def _says_something(part: Any) -> bool:
    return bool((part.get_payload(decode=True) or b"").strip())


def _holds_html(part: Any) -> bool:
    return part.get_content_type() == "multipart/related"


def _name_of(part: Any) -> str:
    try:
        return one_line(str(part.get_filename() or ""))
    except Exception:  # The library's parser of parameters, faced with broken ones.
        return "?"


def _decode(data: bytes, charset: str, errors: str) -> str:
    """The text; in another charset than it says where that cannot be."""
    named = {"us-ascii": "", "ascii": "", "iso-8859-1": "cp1252", "latin-1": "cp1252"}.get(charset.lower(), charset)
    for one in (named, "utf-8"):
        try:
            return data.decode(one or "utf-8", errors)
        except (LookupError, ValueError):
            continue
    return data.decode("utf-8" if charset.lower() == "utf-8" else "cp1252", "replace")


def _storable(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
