"""Signed requests after the Standard Webhooks specification. Pure: no Django."""

import base64
import secrets
from collections.abc import Iterable
from datetime import datetime

from standardwebhooks import Webhook

PREFIX = "whsec_"
KEY_BYTES = 32
# The bounds of the specification.
MIN_KEY_BYTES, MAX_KEY_BYTES = 24, 64


def new_secret() -> str:
    """A fresh signing secret, in the form receivers paste into their library."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def is_secret(value: str) -> bool:
    """True for ``whsec_`` followed by base64 of 24 to 64 bytes."""
    if not value.startswith(PREFIX):
        return False
    try:
        key = base64.b64decode(value.removeprefix(PREFIX), validate=True)
    except ValueError:
        return False
    return MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES


def headers(*, keys: Iterable[str], message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The three webhook headers. The id stays the same over all tries, the timestamp is that of this one.

    With several ``keys`` (one is being replaced) there is a signature by each: receivers take any that fits.
    """
    signatures = (Webhook(secret).sign(message_id, now, body.decode()) for secret in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
