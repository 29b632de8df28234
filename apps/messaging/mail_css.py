"""Which styles of a tenant's mail are kept. Pure: no Django.

Nothing that loads anything, nothing that hides below the page: a list of properties, and values without addresses.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

MAX_CSS = 30_000
MAX_RULES = 300
_NAMES = (
    "background background-color border border-bottom border-bottom-color border-bottom-width border-collapse "
    "border-color border-left border-left-color border-left-width border-radius border-right border-right-color "
    "border-right-width border-spacing border-style border-top border-top-color border-top-width border-width "
    "box-sizing clear color color-scheme direction display float font font-family font-size font-style font-weight "
    "height hyphens letter-spacing line-height list-style list-style-position list-style-type margin margin-bottom "
    "margin-left margin-right margin-top max-height max-width min-height min-width overflow overflow-wrap padding "
    "padding-bottom padding-left padding-right padding-top table-layout text-align text-decoration text-indent "
    "text-transform vertical-align white-space width word-break word-wrap -webkit-text-size-adjust "
    "-ms-text-size-adjust"
)
_PROPERTIES = frozenset(_NAMES.split())
_is_mso = re.compile(r"mso-[a-z-]{1,40}").fullmatch
_is_value = re.compile(r"[\w\s#%.,'\"!+/()*-]{1,200}").fullmatch
_calls = re.compile(r"([\w-]*)\s*\(").findall
_CALLS = frozenset({"rgb", "rgba", "hsl", "hsla", "calc", ""})
_is_selector = re.compile(r"[\w\s.,>*+~:\[\]=\"'#-]{1,300}").fullmatch
_is_media = re.compile(
    r"@media(?:\s+(?:only\s+)?(?:screen|all))?\s*(?:and\s*)?"
    r"\(\s*(?:prefers-color-scheme\s*:\s*(?:dark|light)|(?:max|min)-width\s*:\s*\d{1,4}px)\s*\)"
).fullmatch
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_BODY = re.compile(r"(?<![\w.#-])(?:body|html)(?![\w-])")
MAX_STEPS = 6
"""So many elements one below the other a selector may name."""


def declarations(style: str, is_mark: Callable[[str], object]) -> str:
    """The declarations that are kept, of a ``style`` attribute or of a rule's braces."""
    kept = []
    for part in style[:MAX_CSS].split(";"):
        name, colon, value = (piece.strip() for piece in part.partition(":"))
        name = name.lower()
        if colon and (name in _PROPERTIES or _is_mso(name)) and _is_safe(value) and not is_mark(value):
            kept.append(f"{name}:{value}")
    return ";".join(kept)


def _is_safe(value: str) -> bool:
    return _is_value(value) is not None and all(call.lower() in _CALLS for call in _calls(value))


class Sheet(NamedTuple):
    """A style sheet: what can be written into the elements, and what only the mail's head can say."""

    plain: str
    media: str


def sheet(css: str, is_mark: Callable[[str], object]) -> Sheet:
    """The rules that are kept. Of at-rules only ``@media`` for width and for dark and light is."""
    plain, media, count = [], [], 0
    for prelude, inner in _blocks(_COMMENT.sub("", css[:MAX_CSS])):
        if count >= MAX_RULES:
            break
        if not prelude.startswith("@"):
            rules = _rules([(prelude, inner)], is_mark)
            plain += rules
        elif _is_media(prelude):
            rules = _rules(_blocks(inner), is_mark)
            if rules:
                media.append(f"{prelude}{{{''.join(rules)}}}")
        else:
            continue
        count += len(rules)
    return Sheet("".join(plain), "\n".join(media))


def _rules(blocks: list[tuple[str, str]], is_mark: Callable[[str], object]) -> list[str]:
    kept = []
    for selector, inner in blocks[:MAX_RULES]:
        found = declarations(inner, is_mark)
        if found and _is_selector(selector) and not is_mark(selector) and len(selector.split()) <= MAX_STEPS * 3:
            kept.append(f"{_BODY.sub('.mail-body', selector)}{{{found}}}")
    return kept


def _blocks(css: str) -> list[tuple[str, str]]:
    """What stands before each pair of outer braces, and within it."""
    found: list[tuple[str, str]] = []
    depth, at, start, prelude = 0, 0, 0, ""
    for brace in re.finditer(r"[{}]", css):
        if brace[0] == "{":
            if depth == 0:
                prelude, start = css[at : brace.start()].rpartition(";")[2], brace.end()
            depth += 1
        elif depth > 0:
            depth -= 1
            if depth == 0:
                found.append((" ".join(prelude.split()), css[start : brace.start()]))
                at = brace.end()
        else:
            at = brace.end()
    return found
