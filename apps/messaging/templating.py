"""Tenants' mail templates: which variables there are, and text and HTML with places for them. Pure: no Django.

A template is never executed. Its variables are a whitelist; what else stands in braces stays as it was written.
"""

import re
import secrets
from collections.abc import Collection, Mapping

from apps.common.variables import VARIABLE, unknown_variables

INVITATION, REMINDER, FOLLOW_UP, OPT_IN = "invitation", "reminder", "follow_up", "opt_in"
SCORE_ROW = "score_row"
"""The question's answers, each a link: a block of its own."""
PROPERTY = "contact.properties."
URLS = frozenset(
    {"link", "answer_url", "call_back_url", "unsubscribe_url", "preferences_url", "imprint_url", "privacy_url"}
)
"""Only these may begin the address of a link."""
ALIASES: Mapping[str, str] = {"preferences_url": "unsubscribe_url"}
"""Variables that say the same as another: one page lets people choose and leave."""
MAX_SOURCE = 100_000
MAX_PLACES = 200
"""So many variables a text may use: each becomes a value, and a comment may be long."""

_PERSON = (
    "contact.first_name", "contact.last_name", "contact.name", "contact.email", "company.name", "name", "greeting",
)  # fmt: skip
_SENDER = (
    "brand", "unsubscribe_url", "preferences_url", "imprint_url", "privacy_url", "postal_address",
)  # fmt: skip
_ASKING = (*_PERSON, "touchpoint", "survey", "link", SCORE_ROW, "incentive", *_SENDER)
KNOWN: Mapping[str, tuple[str, ...]] = {
    INVITATION: _ASKING,
    REMINDER: _ASKING,
    FOLLOW_UP: (
        *_PERSON, "touchpoint", "survey", "score", "comment", "answer_url", "call_back_url", "voucher", "voucher_value",
        "voucher_until", *_SENDER,
    ),
    OPT_IN: (*_PERSON, "wording", "email", "link", *_SENDER),
}  # fmt: skip
"""What each purpose's mails know, in the order in which the editor lists it."""
TAG_SPACE = re.compile(r"(<[a-z][a-z0-9]*) ")
_is_property = re.compile(r"contact\.properties\.[a-z0-9_]+").fullmatch
_is_address = re.compile(r"https?://[^\s\"'<>]+").fullmatch


def is_known(name: str, purpose: str) -> bool:
    """Whether mails for this purpose know the variable."""
    return name in KNOWN[purpose] or _is_property(name) is not None


def unknown(source: str, purpose: str) -> list[str]:
    """What stands in double braces and would be left standing, in order of first use; each cut to what can be read."""
    source = source[:MAX_SOURCE]
    known = {name for name in used(source) if is_known(name, purpose)}
    return [name[:40] for name in unknown_variables(source, known)]


def used(source: str) -> set[str]:
    """The names of all variables in a text, known or not."""
    return {found[1] for found in VARIABLE.finditer(source)}


def names_in(sources: Collection[str]) -> frozenset[str]:
    """The variables that these texts use: the values that a mail made of them needs."""
    return frozenset(name for source in sources for name in used(source))


def plain(source: str, purpose: str, blocks: Mapping[str, str]) -> str:
    """A text with places for the variables that are known, and its blocks written out.

    What is no variable, or one too many, is parted so that nothing fills it later.
    """
    count = 0

    def replacement(found: re.Match[str]) -> str:
        nonlocal count
        count += 1
        name = ALIASES.get(found[1], found[1])
        if count > MAX_PLACES or not is_known(name, purpose):
            return found[0].replace("{{", "{\u200b{")
        if name in blocks:
            return blocks[name]
        return _place(name, (found[2] or "").strip())

    return VARIABLE.sub(replacement, source)


def _place(name: str, fallback: str = "") -> str:
    return f"{{{{ {name}|{fallback} }}}}" if fallback else f"{{{{ {name} }}}}"


def plain_block(lines: str) -> str:
    """Lines of ours in a text: only the link in them is a variable."""
    return "{{ link }}".join(part.replace("{{", "{\u200b{") for part in lines.split("{{ link }}"))


class Marks:
    """Stands in for variables while HTML is cleaned: each is a word that no cleaning touches, then itself again.

    Whatever else looks like a variable afterwards is no variable any more: its braces become entities.
    """

    def __init__(self, purpose: str) -> None:
        self._purpose = purpose
        self._stem = f"zq{secrets.token_hex(5)}"
        self._found: list[tuple[str, str]] = []
        self.any = re.compile(rf"{self._stem}n(\d+)zq")

    def put(self, source: str) -> str:
        """The HTML with a mark for each variable that is known."""
        return VARIABLE.sub(self._put, source)

    def _put(self, found: re.Match[str]) -> str:
        name, fallback = ALIASES.get(found[1], found[1]), (found[2] or "").strip()
        if not is_known(name, self._purpose) or len(self._found) >= MAX_PLACES:
            return found[0]
        if name == SCORE_ROW and any(other == SCORE_ROW for other, _place in self._found):
            return ""  # Once is enough.
        if name in URLS and not _is_address(fallback):
            fallback = ""
        self._found.append((name, _place(name, fallback)))
        return f"{self._stem}n{len(self._found) - 1}zq"

    def names(self, text: str) -> list[str]:
        """The variables whose marks stand in a text."""
        return [self._found[int(found[1])][0] for found in self.any.finditer(text)]

    def take(self, html: str, blocks: Mapping[str, str]) -> str:
        """The HTML with its variables back; those that are blocks are replaced by them."""
        for number, (name, _place) in enumerate(self._found):
            if name == SCORE_ROW:  # A table cannot stand in a paragraph.
                html = re.sub(rf"<p[^>]*>\s*({self._stem}n{number}zq)\s*</p>", r"\1", html)
        parts, at = [], 0
        for found in self.any.finditer(html):
            name, place = self._found[int(found[1])]
            parts += [inert(html[at : found.start()]), blocks.get(name, place)]
            at = found.end()
        return "".join([*parts, inert(html[at:])])


def inert(html: str) -> str:
    """HTML in which nothing is a variable; it looks the same."""
    return html.replace("{{", "&#123;&#123;")


def paragraphs(text: str) -> list[str]:
    """A text's paragraphs; line breaks within them stay."""
    parts = re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n"))
    return [part.strip("\n") for part in parts if part.strip()]


def only_place(paragraph: str) -> str:
    """The variable that a paragraph consists of; "" if there is more in it."""
    found = VARIABLE.fullmatch(paragraph.strip())
    return found[1] if found else ""


def person(name: str, properties: Mapping[str, object]) -> tuple[str, str]:
    """First and last name: as the properties say, else by the name's parts, titles left out."""
    own = [properties.get(key) for key in ("first_name", "last_name")]
    last, comma, first = (part.strip() for part in name.partition(","))
    words = [word for word in name.split() if not word.endswith(".")]
    guess = (first, last) if comma else (words[0] if words else "", " ".join(words[-1:]) if len(words) > 1 else "")
    return tuple(one if isinstance(one, str) else other for one, other in zip(own, guess, strict=True))  # type: ignore[return-value]


def property_text(value: object) -> str:
    """A property as it stands in a mail; "" for what is no text and no number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)[:500]
