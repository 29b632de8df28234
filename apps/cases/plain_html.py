"""The words of an HTML mail as text, by one pass over its tags. Pure: no Django.

No parser that repairs: a thousand open tags would become millions. Nothing of it is ever shown as HTML.
"""

import re
from html import unescape

LONGEST = 500_000
"""Characters of HTML that are looked at."""
_TAG = re.compile(r"<(?:!--|(/?)([a-zA-Z][a-zA-Z0-9]{0,15})([^<>]{0,4000})>|[!?][^<>]{0,1000}>)")
_UNSEEN = frozenset({"script", "style", "head", "title", "template", "noscript"})
_BLOCKS = frozenset({
    "p", "div", "table", "tr", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "section", "article",
    "header", "footer", "center", "address",
})  # fmt: skip
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol"})


class _Writer:
    def __init__(self) -> None:
        self._lines: list[str] = []
        self._words: list[str] = []
        self.depth = 0

    def write(self, html: str) -> None:
        self._words.append(unescape(html))

    def end_line(self) -> None:
        words = " ".join("".join(self._words).split())
        self._words.clear()
        if words:
            self._lines.append("> " * min(self.depth, 3) + words)

    def gap(self) -> None:
        self.end_line()
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def rule(self) -> None:
        self.end_line()
        self._lines.append("_" * 32)

    def text(self) -> str:
        self.end_line()
        return "\n".join(self._lines).strip("\n")


def text_of(html: str) -> str:
    """The text, a line per paragraph or row; quotations marked with “>”."""
    html, out = html[:LONGEST], _Writer()
    lower, at = html.lower(), 0
    while found := _TAG.search(html, at):
        out.write(html[at : found.start()])
        at = found.end()
        name = (found[2] or "").lower()
        if found[0] == "<!--":
            at = _after(lower, "-->", at)
        elif name in _UNSEEN and not found[1]:
            at = _after(lower, ">", _after(lower, f"</{name}", at))
        else:
            _tag(out, name, is_end=bool(found[1]))
    out.write(html[at:])
    return out.text()


def _tag(out: _Writer, name: str, *, is_end: bool) -> None:
    if name == "br":
        out.end_line()
    elif name == "hr":
        out.rule()
    elif name == "blockquote":
        out.gap()
        out.depth = max(0, out.depth + (-1 if is_end else 1))
    elif name in _PARAGRAPHS and is_end:
        out.gap()
    elif name in _BLOCKS:
        out.end_line()
    elif name in {"td", "th"} and is_end:
        out.write(" ")


def _after(text: str, what: str, at: int) -> int:
    found = text.find(what, at)
    return found + len(what) if found >= 0 else len(text)
