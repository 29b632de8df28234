"""Whom a message of a customer data platform is about: its user id, traits and context as contact data."""

from collections.abc import Mapping
from typing import Any

# What becomes a field of the contact or its company; all other traits become properties.
_FIELDS = frozenset(
    {"email", "phone", "name", "firstName", "lastName", "first_name", "last_name", "company", "locale", "timezone"}
)
MAX_PROPERTIES = 100


def contact_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """The contact as event intake wants it, unchecked. Without user id and address it names nobody."""
    context = _object(message.get("context"))
    traits = {**_object(context.get("traits")), **_object(message.get("traits"))}
    address = _object(traits.get("address"))
    contact: dict[str, Any] = {
        "external_id": _id(message.get("userId")),
        "email": _text(traits.get("email")) or _text(_object(message.get("properties")).get("email")),
        "phone": _text(traits.get("phone")),
        "name": _name(traits),
        "locale": _text(traits.get("locale")) or _text(context.get("locale")),
        "time_zone": _text(traits.get("timezone")) or _text(context.get("timezone")),
        "country": _country(address),
        "company": _company(traits.get("company")),
    }
    properties = {name: value for name, value in traits.items() if name not in _FIELDS and value is not None}
    contact["properties"] = dict(list(properties.items())[:MAX_PROPERTIES])
    return {name: value for name, value in contact.items() if value}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _id(value: Any) -> str:
    """User ids are texts; some send numbers."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < 600:
        return str(value)
    return _text(value)


def _name(traits: Mapping[str, Any]) -> str:
    first = _text(traits.get("firstName")) or _text(traits.get("first_name"))
    last = _text(traits.get("lastName")) or _text(traits.get("last_name"))
    return _text(traits.get("name")) or f"{first} {last}".strip()


def _country(address: Mapping[str, Any]) -> str:
    """Two letters; a country's name is only among the properties, with the address."""
    country = _text(address.get("country"))
    return country if len(country) == 2 else ""


def _company(value: Any) -> dict[str, Any]:
    """A company's name alone, or an object with an id. Without an id its name is what it is known by."""
    told = _object(value) or {"name": _text(value)}
    name = _text(told.get("name"))
    external_id = _id(told.get("id")) or name
    if not external_id:
        return {}
    rest = {key: part for key, part in told.items() if key not in ("id", "name") and part is not None}
    company = {"external_id": external_id, "name": name, "properties": rest}
    return {key: part for key, part in company.items() if part}
