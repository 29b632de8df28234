"""The API key in a request's Authorization header."""

import base64
import binascii
import re

# rk_<schema>_<secret>, or wk_…: the key names its tenant, so that integrations may call the public host.
_KEY = re.compile(r"[rw]k_([a-z][a-z0-9_]{2,40})_[A-Za-z0-9]{43}")
_HEADER_LIMIT = 500


def bearer_key(authorization: str) -> str | None:
    """The key of ``Bearer <key>`` or ``Token <key>``; None where there is none of our form."""
    kind, _, key = authorization[:_HEADER_LIMIT].partition(" ")
    return _formed(key.strip()) if kind.lower() in ("bearer", "token") else None


def basic_key(authorization: str) -> str | None:
    """The key sent as the user name of ``Basic``, with or without the colon that should follow it."""
    kind, _, encoded = authorization[:_HEADER_LIMIT].partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        # Some clients leave the padding out; what follows a complete text is ignored.
        decoded = base64.b64decode(encoded.strip() + "==").decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return _formed(decoded.partition(":")[0])


def schema_named_by(key: str | None) -> str | None:
    """The schema that a key names; whether there is such a tenant, and such a key, is another question."""
    found = _KEY.fullmatch(key or "")
    return found[1] if found else None


def _formed(key: str) -> str | None:
    return key if _KEY.fullmatch(key) else None
