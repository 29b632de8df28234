"""People by Delighted's three names for them: id, address, telephone number. A person is a contact."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import transaction

from apps.api.delighted import properties as special
from apps.api.delighted.errors import INVALID, Invalid, Refused
from apps.api.delighted.params import Params
from apps.contacts import phones
from apps.contacts.identity import ContactData, resolve_contacts
from apps.contacts.models import Contact

MAX_ADDRESS = 254
MAX_NAME = 200
# Contacts need an external id or an address: who has a number only is known to us by that.
BY_NUMBER = "tel:"
TRIES = 3
_valid_email = EmailValidator()


@dataclass(frozen=True, slots=True)
class Names:
    """How a request names a person; at least one is not empty."""

    email: str = ""
    phone: str = ""


def email_of(params: Params, name: str = "email") -> str:
    """An address in lower case, "" if none is given. Raises Invalid."""
    email = (params.text(name) or "").lower()
    if not email:
        return ""
    try:
        _valid_email(email)
    except ValidationError:
        raise Invalid({name: [INVALID]}) from None
    if len(email) > MAX_ADDRESS:
        raise Invalid({name: [INVALID]})
    return email


def phone_of(params: Params, name: str = "phone_number") -> str:
    """A telephone number in international form, "" if none is given. Raises Invalid."""
    typed, raw = params.text(name) or "", params.get(name)
    if isinstance(raw, str) and raw[:1] == " " and raw[1:2].isdigit():
        typed = f"+{typed}"  # Forms and queries make a space of a plus that was not encoded.
    number = phones.e164(typed)
    if typed and not number:
        raise Invalid({name: [INVALID]})
    return number


def find(*, pk: str = "", email: str = "", phone: str = "") -> Contact | None:
    """The contact of the first of these names that is not empty. At most one query."""
    if pk:
        try:
            return Contact.objects.filter(pk=UUID(pk)).first()
        except ValueError:
            return None
    if email:
        return Contact.objects.filter(email=email.strip().lower()).first()
    number = phones.e164(phone)
    return Contact.objects.filter(phone=number).order_by("id").first() if number else None


def find_in_path(who: str) -> Contact | None:
    """The contact that an address of the API names: ``<id>``, ``email:<address>`` or ``phone_number:<number>``."""
    if "\x00" in who:
        return None
    kind, colon, value = who.partition(":")
    if colon and kind in ("email", "phone_number"):
        return find(email=value) if kind == "email" else find(phone=value)
    return find(email=who) if "@" in who else find(pk=who)


@transaction.atomic
def upsert(*, names: Names, name: str, properties: dict[str, Any], now: datetime) -> tuple[Contact, bool]:
    """The person, found or made, with what is told about it; and whether it is new.

    What is empty changes nothing. ``properties`` are canonical. By the address, if there is one, else by the number.
    """
    found = _known(names)
    data: ContactData = {"name": name, "phone": names.phone, "properties": properties}
    if locale := special.locale_of(properties):
        data["locale"] = locale
    if found is not None and found.external_id:
        data["external_id"] = found.external_id
    elif not names.email and found is None:
        data["external_id"] = BY_NUMBER + names.phone
    if email := names.email or (found.email if found else ""):
        data["email"] = email
    made: list[bool] = []  # Of several requests at once only one makes the person.
    for _try in range(TRIES):
        [contact] = resolve_contacts(people=[data], now=now, watch=lambda _contact, was: made.append(was is None))
        if contact is not None:
            return contact, any(made)
    # It was erased each time between being found and being locked.
    raise Refused(503, "The person is being erased at this moment. Try again.", {"Retry-After": "1"})


def _known(names: Names) -> Contact | None:
    """Who has the address; else who has the number, and no address that says it is somebody else."""
    found = find(email=names.email) if names.email else None
    if found is not None or not names.phone:
        return found
    rows = Contact.objects.filter(phone=names.phone).order_by("id")
    return (rows.filter(email=None) if names.email else rows).first()
