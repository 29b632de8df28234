"""What a page carries for its answer: when it was made, and for whom no link exists, what it is about. Signed."""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NoBase64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Any

from django.conf import settings

from apps.common.db import connection

TICKET_LIFETIME = timedelta(days=2)
_MAC_BYTES = 16


@dataclass(frozen=True, slots=True)
class Ticket:
    """Lets one answer in without a personal link. ``nonce`` makes it one: sent again, it is the same answer."""

    survey_id: int
    touchpoint_id: int | None
    properties: dict[str, str]
    channel: str
    made_at: datetime
    version_id: int | None = None
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a page was made, to the millisecond, and which version of the survey it showed."""

    made_at: datetime
    version_id: int | None


def new_stamp(now: datetime, version_id: int | None = None) -> str:
    """The stamp of a page that is made now."""
    return _seal("stamp", [_milliseconds(now), version_id])


def read_stamp(stamp: str) -> Stamp | None:
    """The stamp in a posted page; None if it is not ours."""
    value = _open("stamp", stamp)
    return Stamp(_moment(value[0]), value[1]) if isinstance(value, list) else None


def write_ticket(ticket: Ticket) -> str:
    """The ticket as text."""
    row = [ticket.survey_id, ticket.touchpoint_id, ticket.properties, ticket.channel,
           _milliseconds(ticket.made_at), ticket.version_id, ticket.nonce]  # fmt: skip
    return _seal("ticket", row)


def read_ticket(text: str, *, now: datetime, lifetime: timedelta = TICKET_LIFETIME) -> Ticket | None:
    """The ticket, None if it is not ours or has expired."""
    row = _open("ticket", text)
    if not isinstance(row, list):
        return None
    survey_id, touchpoint_id, properties, channel, made, version_id, nonce = row
    ticket = Ticket(survey_id, touchpoint_id, properties, channel, _moment(made), version_id, nonce)
    return ticket if now - lifetime <= ticket.made_at <= now + timedelta(minutes=1) else None


def token_of(ticket: Ticket, again: str = "") -> str:
    """The link token of a ticket's answer: who holds the ticket gets it, nobody can guess it.

    ``again`` tells apart the answers that one kiosk page gives.
    """
    return urlsafe_b64encode(digest(_key("token"), f"{ticket.nonce}|{again}".encode(), "sha256")[:24]).decode()


def own_token(token: str, stamp: str) -> str:
    """The link that an anonymous answer gets instead of the personal one: the same for the same page of it.

    Without our key nobody can tell which links belong together.
    """
    return urlsafe_b64encode(digest(_key("own"), f"{token}|{stamp}".encode(), "sha256")[:24]).decode()


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _key(purpose: str, secret: str = "") -> bytes:
    return sha256(f"{secret or settings.SECRET_KEY}|page|{purpose}|{connection.schema_name}".encode()).digest()


def _seal(purpose: str, value: Any) -> str:
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return urlsafe_b64encode(digest(_key(purpose), body, "sha256")[:_MAC_BYTES] + body).decode().rstrip("=")


def _open(purpose: str, text: str) -> Any:
    """The value, None if it was not sealed here. Keys of before a change of SECRET_KEY still open."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (NoBase64, ValueError):
        return None
    mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if compare_digest(mac, digest(_key(purpose, secret), body, "sha256")[:_MAC_BYTES]):
            return json.loads(body)
    return None
