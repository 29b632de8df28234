"""Texts with places for values, taken apart once and filled a million times. Pure: no Django.

The same whitelist substitution as in ``variables``: ``{{ name }}``, ``{{ name|fallback }}``, one pass, nothing else.
"""

import re
from collections.abc import Callable, Mapping
from html import escape
from typing import NamedTuple

from apps.common.variables import VARIABLE

RAW_SUFFIX = "_html"
_NEWLINE = re.compile(r"\r\n|\r|\n")


class Place(NamedTuple):
    """Where a value goes: what to write when it is empty, and what stood there."""

    name: str
    fallback: str
    written: str


class Pattern:
    """A text or HTML pattern with CRLF line ends, as UTF-8.

    In HTML values and fallbacks are escaped, unless the value's name ends with ``_html``: those are made by us. A name
    with a dot in it (``contact.properties.…``) is somebody else's choice, and its value never raw.
    """

    __slots__ = ("_is_html", "_lines", "_literals", "_longest_written", "_places")

    def __init__(self, source: str, *, is_html: bool = False) -> None:
        self._is_html = is_html
        self._literals: list[bytes] = []
        self._places: list[Place] = []
        at = 0
        for found in VARIABLE.finditer(source):
            self._literals.append(_encoded(source[at : found.start()]))
            self._places.append(Place(found[1], (found[2] or "").strip(), found[0]))
            at = found.end()
        self._literals.append(_encoded(source[at:]))
        self._lines = _lines(self._literals)
        self._longest_written = max((len(_encoded(escape(place.written))) for place in self._places), default=0)

    def longest_line(self, longest_value: int) -> int:
        """How long a line can be at most, in bytes, if no value is longer than this (as it stands in the text)."""
        longest = max(longest_value, self._longest_written)
        return max(own + places * longest for own, places in self._lines)

    def in_words_of(self, name: Callable[[Place], str]) -> str:
        """The text with what ``name`` says at its places, and plain line ends."""
        parts = [self._literals[0].decode()]
        for place, literal in zip(self._places, self._literals[1:], strict=True):
            parts += [name(place), literal.decode()]
        return "".join(parts).replace("\r\n", "\n")

    def values_of(self, values: Mapping[str, str]) -> dict[Place, str]:
        """What :meth:`fill` writes at each of the places, with plain line ends."""
        return {place: self._value(place, values).decode().replace("\r\n", "\n") for place in self._places}

    def fill(self, values: Mapping[str, str]) -> bytes:
        """The text with its values; places whose value is not known stay as they were written."""
        if not self._places:
            return self._literals[0]
        seen: dict[Place, bytes] = {}
        parts = [self._literals[0]]
        for place, literal in zip(self._places, self._literals[1:], strict=True):
            value = seen.get(place)
            if value is None:
                value = seen[place] = self._value(place, values)
            parts.append(value)
            parts.append(literal)
        return b"".join(parts)

    def _value(self, place: Place, values: Mapping[str, str]) -> bytes:
        given = values.get(place.name)
        # What was written in the text, by whomever, is never raw.
        value = given or (place.written if given is None else place.fallback)
        if self._is_html and not (given and _is_ours(place.name)):
            value = escape(value)
        return _encoded(value)


def _lines(literals: list[bytes]) -> list[tuple[int, int]]:
    """Lines by their own length and how many places they have: for each number of places the longest."""
    longest: dict[int, int] = {}
    own, places = 0, -1
    for literal in literals:
        places += 1
        first, *others = literal.split(b"\r\n")
        own += len(first)
        for line in others:
            longest[places] = max(longest.get(places, 0), own)
            own, places = len(line), 0
    longest[places] = max(longest.get(places, 0), own)
    return [(length, number) for number, length in longest.items()]


def _is_ours(name: str) -> bool:
    return name.endswith(RAW_SUFFIX) and "." not in name


def escaped_around(source: str) -> str:
    """A text as HTML whose places stay as they are: what is filled in there is escaped then."""
    parts, at = [], 0
    for found in VARIABLE.finditer(source):
        parts += [escape(source[at : found.start()]), found[0]]
        at = found.end()
    return "".join([*parts, escape(source[at:])])


def _encoded(text: str) -> bytes:
    if "\n" in text or "\r" in text:
        text = _NEWLINE.sub("\r\n", text)
    return text.encode("utf-8", "replace")  # a lone surrogate is no reason to hold a mail back
