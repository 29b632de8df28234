"""Secrets in links and keys: made here, stored only as hashes, signed where nothing is stored."""

import base64
import hashlib
import hmac
import secrets
from functools import lru_cache

from django.conf import settings
from django.core import signing

from apps.common.db import connection

TOKEN_BYTES = 24
TOKEN_LENGTH = 32
"""Characters of a token: four for three bytes."""


def new_token() -> str:
    """A URL-safe random token of 192 bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def derived_token(purpose: str, value: str) -> str:
    """A URL-safe token of 192 bits that this tenant's key makes of a value: it can be made again, never guessed."""
    return _derive(settings.SECRET_KEY, purpose, value)


def derived_again(purpose: str, value: str, *, known_hash: bytes | memoryview | None) -> str | None:
    """The derived token whose hash was stored, made again with today's key or an earlier one.

    None if no key makes it: it was random, or its key was thrown away.
    """
    if known_hash is None:
        return None
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        token = _derive(key, purpose, value)
        if hmac.compare_digest(hash_token(token), bytes(known_hash)):
            return token
    return None


def _derive(secret: str, purpose: str, value: str) -> str:
    key = hashlib.sha256(f"{secret}|token|{connection.schema_name}|{purpose}".encode()).digest()
    return base64.urlsafe_b64encode(hmac.digest(key, value.encode(), "sha256")[:TOKEN_BYTES]).decode()


def hash_token(token: str) -> bytes:
    """SHA-256 of a random token. The token has full entropy, so no salt or stretching is needed."""
    return hashlib.sha256(token.encode()).digest()


def keyed_hash(value: str) -> bytes:
    """HMAC-SHA256 of a low-entropy value (an address) for this tenant.

    Keyed with ADDRESS_KEY and the schema, so that the value cannot be found by trying and the
    hashes of two tenants cannot be joined.
    """
    return hmac.digest(_address_key(settings.ADDRESS_KEY, connection.schema_name), value.encode(), "sha256")


@lru_cache(maxsize=1024)
def _address_key(secret: str, schema_name: str) -> bytes:
    return hashlib.sha256(f"{secret}|address|{schema_name}".encode()).digest()


def sign(purpose: str, value: str) -> str:
    """A signed, readable token for this tenant and purpose; it does not expire."""
    return signing.Signer(salt=f"{purpose}|{connection.schema_name}").sign_object(value)


def unsign(purpose: str, token: str) -> str | None:
    """The value of a token made by :func:`sign` in this tenant, or None if it is not genuine."""
    try:
        value = signing.Signer(salt=f"{purpose}|{connection.schema_name}").unsign_object(token)
    except (signing.BadSignature, ValueError, UnicodeError):
        return None
    return value if isinstance(value, str) else None
