"""Links in the mails after an answer: to change that very answer, and to be called back about it. Signed, they expire.

Nothing is stored for a link: what it is for, which response it is about and until when it is good stand in it, under
a seal of this tenant's key. Nobody can make one, or turn one into another.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NoBase64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest, digest
from uuid import UUID

from django.conf import settings

from apps.common.db import connection

LIFETIME = timedelta(days=60)
TOKEN_LENGTH = 48
"""Characters: other than those of any other link, so that nothing is looked up for nothing."""
ANSWER, CALL_BACK = "answer", "call-back"
_MAC_BYTES, _UUID_BYTES, _TIME_BYTES = 16, 16, 4


@dataclass(frozen=True, slots=True)
class AfterLink:
    """What a genuine link is about."""

    response_id: UUID
    expires_at: datetime


def answer_url(*, response_id: UUID, base_url: str, now: datetime) -> str:
    """Where the contact adds to the answer, or changes it."""
    return f"{base_url}/s/{token_of(ANSWER, response_id, now=now)}"


def call_back_url(*, response_id: UUID, base_url: str, now: datetime) -> str:
    """Where the contact asks to be called."""
    return f"{base_url}/s/call/{token_of(CALL_BACK, response_id, now=now)}"


def token_of(purpose: str, response_id: UUID, *, now: datetime) -> str:
    """The token of a link that is good for LIFETIME from now on; the same for the same second."""
    until = int((now + LIFETIME).timestamp())
    body = response_id.bytes + until.to_bytes(_TIME_BYTES, "big")
    return urlsafe_b64encode(_mac(settings.SECRET_KEY, purpose, body) + body).decode()


def read(purpose: str, token: str, *, now: datetime) -> AfterLink | None:
    """What the link is about; None if it is not ours, for something else, or has expired.

    Links of before a change of SECRET_KEY still lead there.
    """
    if len(token) != TOKEN_LENGTH or not token.isascii():
        return None
    try:
        raw = urlsafe_b64decode(token)
    except (NoBase64, ValueError):
        return None
    mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if len(body) != _UUID_BYTES + _TIME_BYTES:
        return None
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if not any(compare_digest(mac, _mac(key, purpose, body)) for key in keys):
        return None
    expires_at = datetime.fromtimestamp(int.from_bytes(body[_UUID_BYTES:], "big"), UTC)
    return AfterLink(UUID(bytes=body[:_UUID_BYTES]), expires_at) if now < expires_at else None


def _mac(secret: str, purpose: str, body: bytes) -> bytes:
    key = sha256(f"{secret}|after|{connection.schema_name}|{purpose}".encode()).digest()
    return digest(key, body, "sha256")[:_MAC_BYTES]
