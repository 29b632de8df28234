"""Webhooks as Delighted sent them, for receivers that were built for it.

What our messages leave out (names, texts of questions) is known to layers above; the one that knows registers itself.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from apps.integrations.models import DELIGHTED_EVENTS, Delivery

SIGNATURE = "X-Delighted-Webhook-Signature"
Teller = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Delighted's event type and our payload → the event's data in Delighted's shape."""
_tellers: list[Teller] = []


def register(teller: Teller) -> None:
    """Have this one say what happened; the last that registers counts."""
    _tellers[:] = [teller]


def content_of(delivery: Delivery) -> dict[str, Any]:
    """The body. What was told keeps its id over all tries; who was asked, and what, is looked up."""
    kind = DELIGHTED_EVENTS.get(delivery.event_type)
    data = _tellers[0](kind, delivery.payload) if kind and _tellers else delivery.payload
    return {
        "event_type": kind or delivery.event_type,
        "event_id": hashlib.sha256(delivery.pk.bytes).hexdigest(),
        "event_data": data,
    }


def headers(*, key: str, body: bytes) -> dict[str, str]:
    """What their receivers check: an HMAC of the body under the API key."""
    return {SIGNATURE: "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}
