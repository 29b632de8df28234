"""Telephone numbers as they are stored: international (E.164), for example +491701234567."""

import re

import phonenumbers

MAX_TYPED = 40
_is_plausible = re.compile(r"(?:tel:)?\+?[0-9 ()./\-\u00a0]{5,40}", re.IGNORECASE).fullmatch


def e164(text: str, region: str = "") -> str:
    """The number in international form, "" if it is none.

    ``region`` is the country (two letters) that a number without its country's code belongs to; without one, only
    numbers with a leading + or 00 can be understood.
    """
    typed = text.strip()
    if not is_plausible(typed):
        return ""
    if typed.startswith("00"):
        typed = f"+{typed[2:]}"
    try:
        number = phonenumbers.parse(typed, region.upper() or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_plausible(text: str) -> bool:
    """Whether it looks like a number at all; cheap, and without knowing the country."""
    return len(text) <= MAX_TYPED and _is_plausible(text.strip()) is not None and any(c.isdigit() for c in text)


def is_international(text: str) -> bool:
    """Whether the number says its country itself."""
    return text.strip().startswith(("+", "00", "tel:+"))
