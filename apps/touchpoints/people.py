"""A contact sent by itself: read as strictly as the one in an event, and told by the same sentences."""

from datetime import datetime
from typing import Any

import msgspec

from apps.contacts.identity import ContactData
from apps.touchpoints.intake import MAX_BYTES, FieldError, InvalidEventError, parse_event

MAX_PEOPLE = 1000
_PREFIX = "contact"


def parse_person(raw: object, now: datetime) -> ContactData:
    """The contact in a JSON value. Raises InvalidEventError; its paths begin at the contact."""
    try:
        body = msgspec.json.encode({"touchpoint": "none", "contact": raw})
    except (RecursionError, OverflowError):
        raise InvalidEventError([FieldError("", "cannot be read.")]) from None
    if len(body) > MAX_BYTES:
        raise InvalidEventError([FieldError("", f"may have at most {MAX_BYTES // 1024} KB.")])
    try:
        found: Any = msgspec.to_builtins(parse_event(body, now).contact)
    except InvalidEventError as error:
        raise InvalidEventError([FieldError(_path(e.field), e.message) for e in error.errors]) from None
    # What is null was not given.
    told: ContactData = {name: value for name, value in found.items() if value is not None}  # type: ignore[assignment]
    return told


def _path(field: str) -> str:
    return field.removeprefix(_PREFIX).removeprefix(".")
