"""Cells to values, column by column: most of a column is fine, so what is not is looked for, not each cell looked at.

Every check takes a column's texts (stripped) and gives the values, with the places of those that are wrong. "" is
empty and never wrong; what is wrong becomes "".
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from apps.common.schedule import valid_region, valid_zone
from apps.common.texts import hyphened
from apps.contacts import phones
from apps.transfers.moments import moment_reader

Checked = tuple[list[str], list[int]]

# Ordinary addresses; the odd rest is Django's to judge.
_is_ordinary = re.compile(
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
).fullmatch
_is_locale = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,2}").fullmatch
_valid_email = EmailValidator()
_COUNTRIES = {
    "germany": "DE", "deutschland": "DE", "austria": "AT", "österreich": "AT", "switzerland": "CH", "schweiz": "CH",
    "united kingdom": "GB", "great britain": "GB", "vereinigtes königreich": "GB", "grossbritannien": "GB",
    "france": "FR", "frankreich": "FR", "italy": "IT", "italien": "IT", "spain": "ES", "spanien": "ES",
    "netherlands": "NL", "niederlande": "NL", "belgium": "BE", "belgien": "BE", "luxembourg": "LU", "luxemburg": "LU",
    "poland": "PL", "polen": "PL", "denmark": "DK", "dänemark": "DK", "united states": "US", "usa": "US",
    "vereinigte staaten": "US", "liechtenstein": "LI",
}  # fmt: skip


def texts(limit: int) -> Callable[[Sequence[str]], Checked]:
    """Any text of up to so many characters."""

    def check(values: Sequence[str]) -> Checked:
        if not values or max(map(len, values)) <= limit:
            return list(values), []
        return _without(values, [place for place, value in enumerate(values) if len(value) > limit])

    return check


def emails(values: Sequence[str]) -> Checked:
    """Addresses as they are stored: in lower case."""
    lower = [value.lower() for value in values]
    odd = [place for place, value in enumerate(lower) if len(value) > 254 or not _is_ordinary(value)]
    return _without(lower, [place for place in odd if lower[place] and not is_email(lower[place])])


def is_email(address: str) -> bool:
    """Whether it is an address that can be stored. In lower case it may be longer, or no address any more."""
    try:
        _valid_email(address)
    except ValidationError:
        return False
    return len(address) <= 254


def addresses(values: Sequence[str], countries: Iterable[str]) -> Checked:
    """E-mail addresses or telephone numbers."""
    bare = [value.removeprefix("mailto:") for value in values]
    mails, wrong = emails([value if "@" in value else "" for value in bare])
    numbers, no_number = telephones([value if "@" not in value else "" for value in bare], countries)
    return [mail or number for mail, number in zip(mails, numbers, strict=True)], sorted({*wrong, *no_number})


def telephones(values: Sequence[str], countries: Iterable[str]) -> Checked:
    """Numbers in international form; ``countries`` are those of numbers that do not say it."""
    found = [phones.e164(value, country) if value else "" for value, country in zip(values, countries, strict=False)]
    return found, [place for place, value in enumerate(found) if not value and values[place]]


def locales(values: Sequence[str]) -> Checked:
    """Language tags, with hyphens."""
    return _distinct(values, lambda text: hyphened(text) if len(text) <= 20 and _is_locale(text) else "")


def zones(values: Sequence[str]) -> Checked:
    """Time zones of the IANA database."""
    return _distinct(values, lambda text: text if valid_zone(text) else "")


def countries(values: Sequence[str]) -> Checked:
    """Two letters; the usual ones also by their English or German name."""
    return _distinct(values, _country)


def regions(values: Sequence[str], of_country: Sequence[str]) -> Checked:
    """Regions of the rows' countries, in capitals."""
    upper = [value.upper() for value in values]
    known = {pair: valid_region(*pair) for pair in set(zip(of_country, upper, strict=True))}
    pairs = enumerate(zip(of_country, upper, strict=True))
    return _without(upper, [place for place, pair in pairs if pair[1] and not known[pair]])


def moments(
    values: Sequence[str], *, zone: tzinfo, day_first: bool, latest: datetime
) -> tuple[list[str], list[int], list[int]]:
    """Times as ISO 8601 in UTC; and those that cannot be read, and those after ``latest``."""
    read = lru_cache(maxsize=4096)(moment_reader(zone=zone, day_first=day_first))
    found = [read(value) if value else None for value in values]
    wrong = [place for place, value in enumerate(found) if value is None and values[place]]
    ahead = [place for place, value in enumerate(found) if value is not None and value > latest]
    return [value.astimezone(UTC).isoformat() if value else "" for value in found], wrong, ahead


def scores(values: Sequence[str]) -> Checked:
    """0 to 10; “9.0” and “10 - Extremely likely” are meant so as well."""
    return _distinct(values, _score)


def choices(known: dict[str, str]) -> Callable[[Sequence[str]], Checked]:
    """One of some codes, by any of its names in lower case."""
    return lambda values: _distinct(values, lambda text: known.get(text.lower(), ""))


def _country(text: str) -> str:
    code = _COUNTRIES.get(text.lower(), text.upper())
    return code if len(code) == 2 and valid_region(code, "") else ""


_leading_score = re.compile(r"(10|[0-9])(?:[.,]0+)?(?:\s*[-–:(].*)?", re.DOTALL).fullmatch


def _score(text: str) -> str:
    found = _leading_score(text)
    return found[1] if found else ""


def _distinct(values: Sequence[str], read: Callable[[str], str]) -> Checked:
    """Few values come again and again: each is looked at once."""
    known = {text: read(text) if text else "" for text in set(values)}
    found = [known[text] for text in values]
    return found, [place for place, value in enumerate(found) if not value and values[place]]


def _without(values: Sequence[str], wrong: list[int]) -> Checked:
    found = list(values)
    for place in wrong:
        found[place] = ""
    return found, wrong
