"""A mail's bytes, written straight from its parts.

The same message Django's ``EmailMultiAlternatives`` makes (headers, parts, encodings), without building a tree of
objects and generating text from it: that is where most of the time of sending goes. What is unusual — a line longer
than a mail may have — is left to Django.
"""

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
    if not html or _has_long_lines(text) or _has_long_lines(html):
        message: Any = build(parcel).message()  # Django's own class: its as_bytes takes a line end
        whole: bytes = message.as_bytes(linesep="\r\n")
        return whole
    boundary = b"=_%s" % parcel.row.id.hex.encode()
    parts = (
        _head(parcel, boundary),
        _PART % (boundary, b"text/plain", _encoding(text), text),
        _PART % (boundary, b"text/html", _encoding(html), html),
        b"--%s--\r\n" % boundary,
    )
    return b"".join(parts)


def _head(parcel: Parcel, boundary: bytes) -> bytes:
    row = parcel.row
    lines = [
        b'Content-Type: multipart/alternative; boundary="%s"\r\nMIME-Version: 1.0\r\n' % boundary,
        _header("Subject", row.subject),
        _shared_header("From", row.from_header),
        _header("To", address(row.to_name, row.to_email)),
    ]
    if row.reply_to:
        lines.append(_shared_header("Reply-To", row.reply_to))
    lines.append(_header("Date", formatdate(localtime=settings.EMAIL_USE_LOCALTIME)))
    lines.extend(_header(name, value) for name, value in headers_of(parcel).items())
    lines.append(b"\r\n")
    return b"".join(lines)


def _header(name: str, value: str) -> bytes:
    """A header line; short plain ones, nearly all of them, as they are."""
    if value.isascii() and value.isprintable() and (len(name) + len(value) < FOLD or " " not in value):
        return f"{name}: {value}\r\n".encode("ascii")
    name, safe = forbid_multi_line_headers(name, value, settings.DEFAULT_CHARSET)
    folded = Header(safe, header_name=name, maxlinelen=FOLD + 2).encode(linesep="\r\n")
    return f"{name}: {folded}\r\n".encode("ascii")


_shared_header = lru_cache(maxsize=1024)(_header)


def _encoding(body: bytes) -> bytes:
    return b"7bit" if body.isascii() else b"8bit"


def _has_long_lines(body: bytes) -> bool:
    return len(body) > LONGEST and max(map(len, body.split(b"\r\n"))) > LONGEST


def stuffed(data: bytes) -> bytes:
    """The mail as it goes over the line (RFC 5321, 4.5.2): leading dots doubled, ended by a single dot."""
    if data.startswith(b"."):
        data = b"." + data
    if b"\r\n." in data:
        data = data.replace(b"\r\n.", b"\r\n..")
    return data + (b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n")
