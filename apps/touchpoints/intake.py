"""Reading one event from JSON: typed, fast, and with every wrong field named. No ORM."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from apps.common.schedule import valid_region, valid_zone
from apps.contacts import phones

MAX_BYTES = 64 * 1024
MAX_EXTERNAL_ID = 200
MAX_AHEAD = timedelta(minutes=10)
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
MAX_DEPTH = 32
MAX_DIGITS = 300
_TOO_BIG = 10**MAX_DIGITS
# Twenty times as fast as a regular expression for a run of digits.
_DIGITS = bytes.maketrans(b"0123456789", b"0" * 10)
_ENDLESS = b"0" * (MAX_DIGITS + 1)
_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,2}")
# What nearly every address looks like. Django's validator, which takes ten times as long, decides about the rest.
_ORDINARY_EMAIL = re.compile(
    r"[a-z0-9_+-]{1,64}(\.[a-z0-9_+-]{1,64}){0,8}@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,63}"
)
_valid_email = EmailValidator()


class CompanyIn(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The organisation the contact belongs to, by the tenant's own id."""

    external_id: str
    name: str | None = None
    time_zone: str | None = None
    country: str | None = None
    region: str | None = None
    properties: dict[str, Any] = {}


class ContactIn(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Whom the event happened to: an external id, an e-mail address, or both."""

    external_id: str | None = None
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    country: str | None = None
    region: str | None = None
    company: CompanyIn | None = None
    properties: dict[str, Any] = {}


class EventIn(msgspec.Struct, forbid_unknown_fields=True):
    """One event as sent. ``occurred_at`` defaults to the time of receipt."""

    touchpoint: str
    contact: ContactIn
    occurred_at: datetime | None = None
    external_id: str | None = None
    source: str = "api"
    properties: dict[str, Any] = {}


class FieldError(NamedTuple):
    """What is wrong with one field; ``field`` is a dotted path."""

    field: str
    message: str


class InvalidEventError(Exception):
    """The event cannot be taken; ``errors`` names each field. ``malformed`` means: no JSON object at all."""

    def __init__(self, errors: list[FieldError], *, malformed: bool = False) -> None:
        super().__init__("; ".join(f"{e.field}: {e.message}" for e in errors))
        self.errors = errors
        self.malformed = malformed


_decoder = msgspec.json.Decoder(EventIn)
_TYPES: dict[str, Any] = {f.name: f.type for f in msgspec.structs.fields(EventIn) if f.name != "contact"}
_CONTACT_TYPES: dict[str, Any] = {f.name: f.type for f in msgspec.structs.fields(ContactIn)}
_EMPTY_CONTACT = ContactIn()


def parse_event(body: bytes, now: datetime) -> EventIn:
    """The event in a request body. Raises InvalidEventError with all that is wrong."""
    try:
        event = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        _explain(body)
        raise
    check_event(event, now, suspect=is_deep(body) or hides_something(body))
    return event


def hides_something(body: bytes) -> bool:
    """Whether the JSON may hold NUL, or numbers without end."""
    return b"\\u0000" in body or _ENDLESS in body.translate(_DIGITS)


def is_deep(body: bytes) -> bool:
    """Whether the JSON may be nested deeper than we take it."""
    return body.count(b"[") + body.count(b"{") > MAX_DEPTH


def check_event(event: EventIn, now: datetime, *, suspect: bool) -> None:
    """Raises InvalidEventError with all that the types could not say about the event.

    ``suspect``: its JSON, or what that was part of, may hold what cannot be stored.
    """
    errors = _rules(event, now)
    if suspect:
        errors += _contents_errors(event)
    if errors:
        raise InvalidEventError(errors)


def _explain(body: bytes) -> None:
    """Decode field by field, so that every wrong one is named, not just the first."""
    try:
        raw = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidEventError([FieldError("", f"is not valid JSON: {error}")], malformed=True) from None
    if not isinstance(raw, dict):
        raise InvalidEventError([FieldError("", "must be a JSON object.")], malformed=True)
    errors = _field_errors(raw, _TYPES, "", required=("touchpoint", "contact"), known={"contact"})
    contact = raw.get("contact", {})
    if isinstance(contact, dict):
        errors += _field_errors(contact, _CONTACT_TYPES, "contact.")
    else:
        errors.append(FieldError("contact", "must be an object."))
    raise InvalidEventError(errors or [FieldError("", "cannot be read.")])


def _field_errors(
    raw: dict[str, Any],
    types: dict[str, Any],
    prefix: str,
    required: tuple[str, ...] = (),
    known: set[str] = frozenset(),  # type: ignore[assignment]
) -> list[FieldError]:
    errors = [FieldError(prefix + name, "is required.") for name in required if name not in raw]
    for name, value in raw.items():
        if name in known:
            continue
        if name not in types:
            errors.append(FieldError(prefix + name[:60], "is not a known field."))
            continue
        try:
            msgspec.convert(value, types[name])
        except msgspec.ValidationError as error:
            errors.append(FieldError(prefix + name, f"{str(error)[:200]}."))
    return errors


def _rules(event: EventIn, now: datetime) -> list[FieldError]:
    """What the types cannot say: lengths, formats, sensible times."""
    contact = event.contact
    checks = [
        (_KEY.fullmatch(event.touchpoint), "touchpoint", "must be a touchpoint's key (letters, digits, - and _)."),
        (1 <= len(event.source) <= 60, "source", "must have 1 to 60 characters."),
        (_fits(event.external_id, MAX_EXTERNAL_ID), "external_id", "must have 1 to 200 characters."),
        (contact.external_id or contact.email, "contact", "needs an external_id or an email."),
        (_fits(contact.external_id, MAX_EXTERNAL_ID), "contact.external_id", "must have 1 to 200 characters."),
        (_email_ok(contact.email), "contact.email", "is not an e-mail address."),
        (len(contact.name or "") <= 200, "contact.name", "must have at most 200 characters."),
        (_locale_ok(contact.locale), "contact.locale", "must be a language tag such as de or en-GB."),
        *_place_checks(contact, "contact"),
        *_phone_checks(contact),
    ]
    if contact.company is not None:
        checks += _company_checks(contact.company)
    errors = [FieldError(field, message) for passed, field, message in checks if not passed]
    if event.occurred_at is not None:
        problem = _time_problem(event.occurred_at, now)
        if problem:
            errors.append(FieldError("occurred_at", problem))
    return errors


def _place_checks(place: ContactIn | CompanyIn, name: str) -> list[tuple[Any, str, str]]:
    """Clock and holidays. Most events name neither."""
    checks: list[tuple[Any, str, str]] = []
    if place.time_zone:
        checks.append((valid_zone(place.time_zone), f"{name}.time_zone", "must be a time zone such as Europe/Berlin."))
    if place.country:
        known = valid_region(place.country.upper(), "")
        checks.append((known, f"{name}.country", "must be a country of two letters, such as DE."))
    if place.region:
        known = valid_region((place.country or "").upper(), place.region.upper())
        checks.append((known, f"{name}.region", "must be a region of the country, such as BY with DE."))
    return checks


def _phone_checks(contact: ContactIn) -> list[tuple[Any, str, str]]:
    """Most events bring no number. One without any country is understood later, by the tenant's own."""
    text = contact.phone
    if not text:
        return []
    # Sent as one of a country that we know nothing about, it is named wrong already.
    known = phones.is_international(text) or contact.country
    fine = phones.e164(text, contact.country or "") if known else phones.is_plausible(text)
    return [(fine, "contact.phone", "must be a telephone number such as +49 170 1234567, best with its country.")]


def _company_checks(company: CompanyIn) -> list[tuple[Any, str, str]]:
    return [
        (
            1 <= len(company.external_id) <= MAX_EXTERNAL_ID,
            "contact.company.external_id",
            "must have 1 to 200 characters.",
        ),
        (len(company.name or "") <= 200, "contact.company.name", "must have at most 200 characters."),
        *_place_checks(company, "contact.company"),
    ]


def _fits(value: str | None, limit: int) -> bool:
    return value is None or 1 <= len(value) <= limit


def _locale_ok(value: str | None) -> bool:
    return not value or (len(value) <= 20 and _LOCALE.fullmatch(value) is not None)


def _email_ok(value: str | None) -> bool:
    if not value:
        return True
    address = value.strip().lower()  # as it will be stored: lower case may be longer, or no address any more
    if len(address) > 254:
        return False
    if _ORDINARY_EMAIL.fullmatch(address):
        return True
    try:
        _valid_email(address)
    except ValidationError:
        return False
    return True


def _time_problem(value: datetime, now: datetime) -> str | None:
    if value.tzinfo is None:
        return "must carry a time zone, e.g. 2026-03-01T12:00:00Z."
    if value > now + MAX_AHEAD:
        return "must not be in the future."
    return "must not be before the year 2000." if value < OLDEST else None


def _contents_errors(event: EventIn) -> list[FieldError]:
    """What PostgreSQL could not store, or Python could not read again."""
    parts = {"touchpoint": event.touchpoint, "source": event.source, "external_id": event.external_id}
    contact = {f"contact.{name}": getattr(event.contact, name) for name in _CONTACT_TYPES if name != "company"}
    if event.contact.company is not None:
        contact["contact.company"] = msgspec.to_builtins(event.contact.company)
    values = {**parts, **contact, "properties": event.properties}
    return [FieldError(field, problem) for field, value in values.items() if (problem := contents_problem(value))]


def contents_problem(value: Any) -> str | None:
    """What of a JSON value could not be stored or read again; None if nothing.

    Without recursion, since the value may be nested as deep as Python allows.
    """
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, str) and "\x00" in item:
            return "must not contain the character NUL (\\u0000)."
        if isinstance(item, int) and abs(item) >= _TOO_BIG:
            return f"must not contain numbers of more than {MAX_DIGITS} digits."
        if isinstance(item, dict | list):
            if depth == MAX_DEPTH:
                return f"must not be nested deeper than {MAX_DEPTH} levels."
            inner = [*item.keys(), *item.values()] if isinstance(item, dict) else item
            waiting += [(part, depth + 1) for part in inner]
    return None
