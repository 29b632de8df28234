"""A mail's bytes, written straight from its parts.

The same message Django's ``EmailMultiAlternatives`` makes (headers, parts, encodings), without building a tree of
objects and generating text from it: that is where most of the time of sending goes.
"""

import string
import time
from binascii import b2a_base64, b2a_qp
from email.header import Header
from email.utils import formataddr, formatdate
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import RFC5322_EMAIL_LINE_LENGTH_LIMIT as LONGEST
from django.core.mail.message import forbid_multi_line_headers
from django.utils.encoding import punycode

from apps.common.variables import one_line
from apps.messaging.parcels import Parcel

MAX_NAME = 70  # encoded, a few hundred characters of the 998 that RFC 5322 allows a line
FOLD = 76
WORD = 45
"""Bytes in an encoded word: 60 in base64, 72 with what is around them; 75 are allowed."""
_PLAIN = b"-!*+/ " + string.ascii_letters.encode() + string.digits.encode()
_PART = b'--%s\r\nContent-Type: %s; charset="utf-8"\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: %s\r\n\r\n%s\r\n'


def address(name: str, email: str) -> str:
    """``Name <email>``, quoted as needed, without control characters, the name cut to what a line can hold."""
    local, _, domain = email.rpartition("@")
    email = f"{local}@{punycode(domain)}"
    return formataddr((one_line(name)[:MAX_NAME], email)) if name else email


def headers_of(parcel: Parcel) -> dict[str, str]:
    """What goes above the message besides subject and addresses."""
    return {"Message-ID": parcel.row.message_id, **parcel.headers}


def build(parcel: Parcel, connection: object = None) -> EmailMultiAlternatives:
    """The message for Django's own backends and Anymail's."""
    row = parcel.row
    message = EmailMultiAlternatives(
        subject=row.subject,
        body=parcel.text,
        from_email=row.from_header,
        to=[address(row.to_name, row.to_email)],
        reply_to=[row.reply_to] if row.reply_to else None,
        headers=headers_of(parcel),
        connection=connection,
    )
    html = parcel.html
    if html:
        message.attach_alternative(html, "text/html")
    return message


def encode(parcel: Parcel) -> bytes:
    """The whole mail with CRLF line ends.

    Raises ValueError for what cannot be a mail (line breaks in a header).
    """
    text, html = parcel.text_bytes(), parcel.html_bytes()
    if not html or not text:
        message: Any = build(parcel).message()  # Django's own class: its as_bytes takes a line end
        whole: bytes = message.as_bytes(linesep="\r\n")
        return whole
    boundary = b"=_%s" % parcel.row.id.hex.encode()
    may_be_long = parcel.longest_line > LONGEST
    parts = (
        _head(parcel, boundary),
        _PART % (boundary, b"text/plain", *_encoded(text, may_be_long)),
        _PART % (boundary, b"text/html", *_encoded(html, may_be_long)),
        b"--%s--\r\n" % boundary,
    )
    return b"".join(parts)


def _head(parcel: Parcel, boundary: bytes) -> bytes:
    row = parcel.row
    lines = [
        b'Content-Type: multipart/alternative; boundary="%s"\r\nMIME-Version: 1.0\r\n' % boundary,
        _header("Subject", row.subject),
        _shared_header("From", row.from_header),
        _recipient(row.to_name, row.to_email),
    ]
    if row.reply_to:
        lines.append(_shared_header("Reply-To", row.reply_to))
    lines.append(_date(int(time.time())))
    lines.extend(_header(name, value) for name, value in headers_of(parcel).items())
    lines.append(b"\r\n")
    return b"".join(lines)


def _header(name: str, value: str) -> bytes:
    """A header line; short plain ones, nearly all of them, as they are."""
    if value.isascii():
        # Some mail systems cannot read a Message-ID on a second line.
        if value.isprintable() and (len(name) + len(value) < FOLD or name == "Message-ID"):
            return f"{name}: {value}\r\n".encode("ascii")
        if value.isprintable() and " " not in value:
            return f"{name}: \r\n {value}\r\n".encode("ascii")
    elif name == "Subject":
        return b"Subject: %s\r\n" % _encoded_words(value, room=69)
    name, safe = forbid_multi_line_headers(name, value, settings.DEFAULT_CHARSET)
    folded = Header(safe, header_name=name, maxlinelen=FOLD + 2).encode(linesep="\r\n")
    return f"{name}: {folded}\r\n".encode("ascii")


def _recipient(name: str, email: str) -> bytes:
    if not name or name.isascii():
        return _header("To", address(name, email))
    words = _encoded_words(one_line(name)[:MAX_NAME], room=74)
    _name, safe = forbid_multi_line_headers("To", address("", email), settings.DEFAULT_CHARSET)
    return b"To: %s\r\n <%s>\r\n" % (words, safe.encode("ascii"))


def _encoded_words(text: str, *, room: int) -> bytes:
    """A header's text that is not ASCII (RFC 2047), one word per line, no character cut in two.

    Where Python's email package finds no room for its first word beside the header's name, it begins a new line,
    which some readers show as a space: so do we.
    """
    data = one_line(text).encode("utf-8", "replace")
    shortest = min(len(data) + 2 * len(data.translate(None, _PLAIN)), (len(data) + 2) // 3 * 4)
    words, start = [b""] if shortest + len("=?utf-8?q??=") > room else [], 0
    while start < len(data):
        end = min(start + WORD, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:  # within a character
            end -= 1
        words.append(b"=?utf-8?b?%s?=" % b2a_base64(data[start:end], newline=False))
        start = end
    return b"\r\n ".join(words)


@lru_cache(maxsize=4)
def _date(second: int) -> bytes:
    return _header("Date", formatdate(second, localtime=settings.EMAIL_USE_LOCALTIME))


_shared_header = lru_cache(maxsize=1024)(_header)


def _encoded(body: bytes, may_be_long: bool) -> tuple[bytes, bytes]:
    """How the part is encoded, and the part: as it is, unless a line is longer than a mail may have (RFC 5322)."""
    if may_be_long and max(map(len, body.split(b"\r\n"))) > LONGEST:
        return b"quoted-printable", b2a_qp(body)
    return (b"7bit" if body.isascii() else b"8bit"), body


def stuffed(data: bytes) -> bytes:
    """The mail as it goes over the line (RFC 5321, 4.5.2): leading dots doubled, ended by a single dot."""
    if data.startswith(b"."):
        data = b"." + data
    if b"\r\n." in data:
        data = data.replace(b"\r\n.", b"\r\n..")
    return data + (b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n")
