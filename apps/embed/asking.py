"""Reading what a page asks: typed, bounded, and with the limits of the event intake."""

import re
from typing import Any

import msgspec
from django.utils import timezone

from apps.embed.rules import origin_of
from apps.touchpoints.intake import ContactIn, InvalidEventError, parse_event

MAX_BYTES = 8 * 1024
MAX_URL = 2000
MAX_PROPERTIES = 20
MAX_VALUE = 200
_is_visitor = re.compile(r"[A-Za-z0-9_-]{8,64}").fullmatch
_NOBODY = {"external_id": "-"}


class Contact(ContactIn, forbid_unknown_fields=True, omit_defaults=True):
    """Whom the page names, and the signature that proves it may."""

    signature: str | None = None


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    """May a placement show itself on this page, to this visitor?"""

    placement: int
    url: str
    touchpoint: str | None = None
    properties: dict[str, Any] = {}
    contact: Contact | None = None
    visitor: str | None = None
    consent: bool | None = None
    language: str = ""


class Closed(msgspec.Struct, forbid_unknown_fields=True):
    """The visitor closed the question unanswered."""

    token: str


class UnreadableError(Exception):
    """What the page sent cannot be taken; the message says why."""


_ask = msgspec.json.Decoder(Ask)
_closed = msgspec.json.Decoder(Closed)


def parse_ask(body: bytes, origin: str) -> Ask:
    """The question in a request body. Raises UnreadableError."""
    ask: Ask = _decode(_ask, body)
    if len(ask.url) > MAX_URL or origin_of(ask.url) != origin:
        raise UnreadableError("url: must be the address of the page that asks.")
    if ask.visitor is not None and not _is_visitor(ask.visitor):
        raise UnreadableError("visitor: must have 8 to 64 letters, digits, - and _.")
    if len(ask.language) > MAX_VALUE or not 0 < ask.placement < 2**63:
        raise UnreadableError("placement or language: out of range.")
    _check_as_event(ask)
    return ask


def parse_closed(body: bytes) -> Closed:
    """Raises UnreadableError."""
    closed: Closed = _decode(_closed, body)
    return closed


def _decode(decoder: Any, body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(str(error)[:200]) from None


def _check_as_event(ask: Ask) -> None:
    """What an event may not contain, a page may not send either."""
    contact = {**msgspec.to_builtins(ask.contact)} if ask.contact else {}
    contact.pop("signature", None)
    if not (contact.get("external_id") or contact.get("email")):
        contact |= _NOBODY
    event = {
        "touchpoint": ask.touchpoint or "-",
        "contact": contact,
        "properties": ask.properties,
        "source": ask.url[:60],
    }
    try:
        parse_event(msgspec.json.encode(event), timezone.now())
    except InvalidEventError as error:
        raise UnreadableError(str(error)[:200]) from None


def scalars(properties: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a page's properties: short texts, numbers, yes and no; the first twenty."""
    kept: dict[str, Any] = {}
    for key, value in properties.items():
        if isinstance(value, str | int | float) and len(key) <= 60 and len(kept) < MAX_PROPERTIES:
            kept[key] = value[:MAX_VALUE] if isinstance(value, str) else value
    return kept
