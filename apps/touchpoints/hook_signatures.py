"""Signatures of other tools' messages: made with a secret that the tool and the hook share. No ORM."""

import base64
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from apps.touchpoints.lenient import moment

Headers = Mapping[str, str]
TOLERANCE = timedelta(minutes=5)
HEX_HEADER = "x-hub-signature-256"
_HEX = re.compile(r"(?:sha256=)?([0-9a-fA-F]{64})")
# HubSpot signs the address with these characters decoded.
_DECODED = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'", "%28": "(", "%29": ")",
    "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip
_ENCODED = re.compile("|".join(_DECODED), re.IGNORECASE)


def is_genuine(*, kind: str, secret: str, header: str, body: bytes, headers: Headers, url: str, now: datetime) -> bool:
    """Whether the message was signed with the secret, and not long ago where the signature says when.

    Args: ``kind`` as of Hook.Signature; ``header`` names the one of the hexadecimal kind; ``headers`` by lower-case
    name; ``url`` the address the message was sent to, with its scheme and host.
    """
    if kind == "none":
        return True
    key = secret.encode()
    if kind == "hex":
        return bool(secret) and _hexadecimal(key, body, headers.get((header or HEX_HEADER).lower(), ""))
    check = _CHECKS.get(kind)
    return bool(secret) and check is not None and check(key, body, headers, url, now)


def _base64(key: bytes, content: bytes) -> str:
    return base64.b64encode(hmac.digest(key, content, "sha256")).decode()


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.strip().encode("utf-8", "replace"))


def _hexadecimal(key: bytes, body: bytes, given: str) -> bool:
    found = _HEX.fullmatch(given.strip())
    return found is not None and _same(hmac.new(key, body, "sha256").hexdigest(), found[1].lower())


def _shopify(key: bytes, body: bytes, headers: Headers, url: str, now: datetime) -> bool:
    return _same(_base64(key, body), headers.get("x-shopify-hmac-sha256", ""))


def _stripe(key: bytes, body: bytes, headers: Headers, url: str, now: datetime) -> bool:
    """``t=<seconds>,v1=<hex>[,v1=<hex>]``: any of the signatures, while a secret is being replaced."""
    parts = [part.strip().partition("=") for part in headers.get("stripe-signature", "").split(",")[:20]]
    sent = next((value for name, _, value in parts if name == "t"), "")
    expected = hmac.new(key, sent.encode("utf-8", "replace") + b"." + body, "sha256").hexdigest()
    genuine = [_same(expected, value) for name, _, value in parts if name == "v1"]
    return any(genuine) and _is_recent(sent, now)


def _hubspot(key: bytes, body: bytes, headers: Headers, url: str, now: datetime) -> bool:
    sent = headers.get("x-hubspot-request-timestamp", "")
    address = _ENCODED.sub(lambda found: _DECODED[found[0].upper()], url)
    whole = b"POST" + address.encode() + body + sent.encode("utf-8", "replace")
    return _same(_base64(key, whole), headers.get("x-hubspot-signature-v3", "")) and _is_recent(sent, now)


def _zendesk(key: bytes, body: bytes, headers: Headers, url: str, now: datetime) -> bool:
    sent = headers.get("x-zendesk-webhook-signature-timestamp", "")
    whole = sent.encode("utf-8", "replace") + body
    return _same(_base64(key, whole), headers.get("x-zendesk-webhook-signature", "")) and _is_recent(sent, now)


def _is_recent(sent: str, now: datetime) -> bool:
    at = moment(sent)
    return at is not None and abs(now - at) <= TOLERANCE


_CHECKS = {"shopify": _shopify, "stripe": _stripe, "hubspot": _hubspot, "zendesk": _zendesk}
