"""How many text messages a text takes. Pure: no Django."""

from apps.common.variables import VARIABLE

MOST_SEGMENTS = 3
"""Longer texts are refused where tenants write them."""
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
_LINK, _VALUE, _WAY_OUT = 70, 12, 34
"""Characters that links, other values and the way out usually take."""
_GSM_SINGLE, _GSM_EACH = 160, 153
_UCS2_SINGLE, _UCS2_EACH = 70, 67


def segments(text: str) -> int:
    """How many messages the text is sent (and paid for) as; 0 for none.

    GSM 03.38: 160 of its characters fit into one message, 153 into each of several; a few count twice. One character
    beyond that alphabet, and the text is UCS-2: 70 and 67, emoji counting twice. No character is cut in two.
    """
    if not text:
        return 0
    if all(char in _BASIC or char in _EXTENDED for char in text):
        return _count([2 if char in _EXTENDED else 1 for char in text], _GSM_SINGLE, _GSM_EACH)
    return _count([2 if ord(char) > 0xFFFF else 1 for char in text], _UCS2_SINGLE, _UCS2_EACH)


def expected_segments(frame: str, *, needs_link: bool) -> int:
    """The same for a text with variables, as it will usually be sent: with what they stand for and the way out.

    ``needs_link``: one is added where the text has none.
    """
    names = {found[1] for found in VARIABLE.finditer(frame)}
    filled = VARIABLE.sub(lambda found: "x" * _usual(found[1]), frame)
    link = _LINK + 1 if needs_link and "link" not in names else 0
    return segments(filled + "x" * (link + _WAY_OUT))


def _usual(name: str) -> int:
    return _LINK if name == "link" or name.endswith("_url") else _VALUE


def _count(widths: list[int], single: int, each: int) -> int:
    if sum(widths) <= single:
        return 1
    count, room = 1, each
    for width in widths:
        if width > room:
            count, room = count + 1, each
        room -= width
    return count
