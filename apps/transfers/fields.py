"""What a column can mean, and guesses at it from its name and its first values, in German and English."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.transfers.models import Import

PROPERTY = "property"
PREFIX = "property:"
MAX_KEY = 60
Kind = Import.Kind


@dataclass(frozen=True, slots=True)
class Field:
    """Something a column can mean; ``property`` stands for ``property:<key>``."""

    target: str
    label: Any
    names: frozenset[str] = frozenset()
    """What such columns are called elsewhere, as :func:`plain` writes it."""


def plain(header: str) -> str:
    """Letters and digits only, in lower case: “E-Mail” and “e_mail” are the same."""
    return "".join(c for c in header.casefold() if c.isalnum())


def _field(target: str, label: Any, names: str = "") -> Field:
    return Field(target, label, frozenset({plain(target), *names.split()}))


_EMAIL = _field(
    "email",
    _("e-mail"),
    "mail emailaddress emailadresse mailadresse mailaddress recipientemail personemail contactemail",
)
_PHONE = _field(
    "phone",
    _("telephone"),
    "phonenumber telefon telefonnummer tel mobile mobil mobilephone handy handynummer mobilnummer",
)
_EXTERNAL = _field(
    "external_id",
    _("external id"),
    "id userid customerid contactid kundennummer kundennr kundenid customernumber externalreference"
    " externaldatareference personid externeid externekennung kundenkennung",
)
_NAME = _field(
    "name", _("name"), "fullname vollername personname contactname kunde kundenname customername ansprechpartner"
)
_FIRST = _field("first_name", _("first name"), "firstname vorname recipientfirstname givenname")
_LAST = _field("last_name", _("last name"), "lastname nachname familienname recipientlastname surname familyname")
_LOCALE = _field("locale", _("language"), "sprache lang userlanguage sprachcode")
_ZONE = _field("time_zone", _("time zone"), "zeitzone tz")
_COUNTRY = _field("country", _("country"), "land countrycode landcode laenderkennzeichen länderkennzeichen ländercode")
_REGION = _field("region", _("region"), "bundesland state province kanton")
_PLACE = (_ZONE, _COUNTRY, _REGION)
_PROPERTY = Field(PROPERTY, _("property"))
_CONTACT = (
    _EMAIL,
    _EXTERNAL,
    _PHONE,
    _NAME,
    _FIRST,
    _LAST,
    _LOCALE,
    *_PLACE,
    _field(
        "company_external_id", _("company: external id"), "companyid firmenid firmennummer accountid unternehmensid"
    ),
    _field(
        "company_name",
        _("company: name"),
        "company firma unternehmen organisation organization companyname firmenname account",
    ),
)
_BASIS = (
    _field("basis_kind", _("legal basis: kind"), "legalbasis rechtsgrundlage"),
    _field("basis_source", _("legal basis: source"), "consentsource quelledereinwilligung"),
    _field("basis_text_version", _("legal basis: version of the text"), "consentversion textversion"),
    _field(
        "basis_granted_at", _("legal basis: since"), "consentdate consentat einwilligungsdatum optindate einwilligungam"
    ),
)
FIELDS: dict[str, tuple[Field, ...]] = {
    Kind.CONTACTS: (*_CONTACT, *_BASIS, _PROPERTY),
    Kind.COMPANIES: (
        _field("external_id", _("external id"), "id companyid firmenid firmennummer accountid unternehmensid"),
        _field("name", _("name"), "company firma unternehmen organisation organization companyname firmenname"),
        *_PLACE,
        _PROPERTY,
    ),
    Kind.RESPONSES: (
        *_CONTACT,
        _field("response_id", _("id of the response"), "responseid respondentid antwortid"),
        _field("score", _("score"), "nps npsscore punkte bewertung weiterempfehlung q1nps nps1"),
        _field("comment", _("comment"), "kommentar freitext begründung feedback openended text antworttext"),
        _field(
            "answered_at",
            _("answered at"),
            "createdat timestamp datum date recordeddate enddate enddatum beantwortetam responsedate zeitpunkt",
        ),
        _field("tags", _("tags"), "schlagworte schlagwörter stichworte labels"),
        _field("incentivised", _("promised an incentive"), "isincentivised incentivized incentiviert"),
        _PROPERTY,
    ),
    Kind.SUPPRESSIONS: (
        _field(
            "address",
            _("address"),
            "email mail emailaddress emailadresse adresse personemail phone telefon phonenumber",
        ),
        _field("reason", _("reason"), "grund"),
        _field("source", _("source"), "quelle"),
    ),
}
_looks_like_email = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]{2,}").fullmatch
_looks_like_phone = re.compile(r"(?:\+|00)[1-9][0-9 ()/.\-]{6,20}").fullmatch
_TELLING = 0.75
"""So large a part of a column's values tells what it is."""
_KEY = re.compile(r"[^\W]+")


def targets(kind: str) -> set[str]:
    """All that a column may mean, without properties."""
    return {field.target for field in FIELDS[kind]} - {PROPERTY}


def takes_properties(kind: str) -> bool:
    """Whether unknown columns can become properties."""
    return _PROPERTY in FIELDS[kind]


def property_key(header: str) -> str:
    """A column's name as the key of a property: “Order value (€)” → ``order_value``."""
    return "_".join(_KEY.findall(header.casefold()))[:MAX_KEY].strip("_") or "column"


def guess(*, kind: str, headers: Sequence[str], samples: Sequence[Sequence[str]]) -> list[str]:
    """A target per column: by its name, else by its values. What is not known becomes a property where it can."""
    found = _by_name(kind, headers)
    taken = set(found)
    for place, target in enumerate(found):
        by_values = "" if target else _by_values(kind, [row[place] for row in samples if place < len(row)])
        if by_values and by_values not in taken:
            found[place] = by_values
            taken.add(by_values)
    if takes_properties(kind):
        keys = _distinct([property_key(header) for header in headers])
        found = [target or f"{PREFIX}{key}" for target, key in zip(found, keys, strict=True)]
    return found


def _by_name(kind: str, headers: Sequence[str]) -> list[str]:
    found: list[str] = []
    for header in headers:
        name = plain(header)
        fits = (field.target for field in FIELDS[kind] if name in field.names and field.target not in found)
        found.append(next(fits, "") if name else "")
    return found


def _by_values(kind: str, values: Sequence[str]) -> str:
    filled = [value.strip() for value in values if value.strip()]
    mails = sum(_looks_like_email(value) is not None for value in filled)
    numbers = sum(_looks_like_phone(value) is not None for value in filled)
    known = targets(kind)
    for count, target in ((mails, "email"), (numbers, "phone"), (mails + numbers, "address")):
        if target in known and count and count >= _TELLING * len(filled):
            return target
    return ""


def looks_like_data(cells: Sequence[str]) -> bool:
    """Whether a first row names no columns but holds values: an address stands in it."""
    return any(_looks_like_email(cell.strip()) or _looks_like_phone(cell.strip()) for cell in cells)


def _distinct(keys: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    found = []
    for key in keys:
        seen[key] = seen.get(key, 0) + 1
        found.append(key if seen[key] == 1 else f"{key[: MAX_KEY - 5]}_{seen[key]}")
    return found
