"""Events as other tools describe them: what an event does not need is left away where it is wrong."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from apps.touchpoints.intake import MAX_AHEAD, EventIn, FieldError, InvalidEventError, parse_event

# Without these a contact is still the contact. Whoever sends them cannot be told to correct them.
OPTIONAL = frozenset({"phone", "name", "locale", "time_zone", "country", "region", "company"})
MAX_NESTING = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLIS_FROM = 100_000_000_000  # As seconds the year 5138, as milliseconds 1973.
_MICROS_FROM = _MILLIS_FROM * 1000
_LAST = 253_402_300_799  # 9999-12-31


def read_event(raw: Mapping[str, Any], now: datetime) -> tuple[EventIn, list[FieldError]]:
    """The event, and what was left away because it is wrong. Raises InvalidEventError if too little remains."""
    try:
        return _parse(raw, now), []
    except InvalidEventError as error:
        contact = raw.get("contact")
        wrong = [(e, _name(e.field, contact)) for e in error.errors]
        if not all(name for _, name in wrong) or not isinstance(contact, dict):
            raise
        reduced = {name: value for name, value in contact.items() if name not in {name for _, name in wrong}}
        return _parse({**raw, "contact": reduced}, now), error.errors


def _parse(raw: Mapping[str, Any], now: datetime) -> EventIn:
    try:
        return parse_event(msgspec.json.encode(raw), now)
    except (RecursionError, msgspec.EncodeError, OverflowError, UnicodeError, TypeError, ValueError):
        raise InvalidEventError([FieldError("", "cannot be read.")], malformed=True) from None


def _name(field: str, contact: Any) -> str:
    """The part of the contact that can be left away for this error, "" if none can."""
    first, _, rest = field.partition(".")
    name = rest.partition(".")[0]
    if first != "contact" or not isinstance(contact, dict):
        return ""
    # An address or an id may go as long as the other one stays.
    others = {"email": "external_id", "external_id": "email"}
    return name if name in OPTIONAL or contact.get(others.get(name, "")) else ""


def moment(value: Any) -> datetime | None:
    """A time as tools write it: ISO 8601 (without a zone: UTC), or a number since 1970. None if it is neither."""
    if isinstance(value, str):
        text = value.strip()[:64]
        if not text.isascii() or not text.removeprefix("-").replace(".", "", 1).isdigit():
            return _iso(text)
        value = float(text)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _MICROS_FROM * 1000:
        return None
    seconds = value / (1_000_000 if abs(value) >= _MICROS_FROM else 1000 if abs(value) >= _MILLIS_FROM else 1)
    return _EPOCH + timedelta(seconds=seconds) if 0 < seconds <= _LAST else None


def _iso(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_too_deep(body: bytes, value: Any) -> bool:
    """Whether what was read from ``body`` is nested deeper than anything sensible. Without recursion."""
    if body.count(b"[") + body.count(b"{") <= MAX_NESTING:
        return False
    level = [value]
    for _ in range(MAX_NESTING):
        level = [part for item in level if isinstance(item, dict | list) for part in _parts(item)]
        if not level:
            return False
    return True


def _parts(item: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return item.values() if isinstance(item, dict) else item


def not_ahead(at: datetime, now: datetime) -> datetime:
    """The time, or now for the clock of a sender that is a little fast."""
    return now if now < at <= now + MAX_AHEAD else at
