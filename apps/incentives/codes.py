"""What a voucher's code may look like, and how new ones are drawn. No Django."""

import re
import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Letters and digits that nobody mistakes for another: no 0 and O, no 1, I and L."""
RANDOM = "#"
"""Stands in a pattern for one letter of the alphabet."""
MIN_RANDOM = 8
"""So many drawn letters (40 bits) at least: codes are worth money, and shops let people try."""
MIN_CODE, MAX_CODE = 4, 64
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{3,63}")
_PATTERN = re.compile(r"[A-Za-z0-9#][A-Za-z0-9#._:/+-]{3,63}")


def is_code(text: str) -> bool:
    """Whether this can be a code: 4 to 64 letters, digits and ``. _ : / + -``, beginning with a letter or a digit.

    Nothing in it can be taken for markup or a formula, and it can be typed on any keyboard.
    """
    return _CODE.fullmatch(text) is not None


def is_pattern(text: str) -> bool:
    """Whether codes can be made by this pattern, too many to be guessed or used up."""
    return _PATTERN.fullmatch(text) is not None and text.count(RANDOM) >= MIN_RANDOM


def draw(pattern: str) -> str:
    """A new code: each ``#`` of the pattern becomes a letter of the alphabet. It may have been drawn before."""
    return "".join(secrets.choice(ALPHABET) if letter == RANDOM else letter for letter in pattern)


def plain(text: str) -> str:
    """A code as it is looked up: people type it in small letters, and paste it with spaces around."""
    return text.strip().upper()
