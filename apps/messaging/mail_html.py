"""A tenant's HTML made fit for a mail: cleaned by a list of what is allowed, styles written into it. Pure: no Django.

Scripts, forms, frames, event handlers and addresses that are none are taken out. Pictures may come from elsewhere,
by https only, and never with a variable in their address: it would tell who opened the mail.
"""

import functools
import re
from typing import NamedTuple

import css_inline
import nh3

from apps.messaging import mail_css
from apps.messaging.templating import MAX_SOURCE, SCORE_ROW, URLS, Marks

MAX_DEPTH = 100
MAX_TAGS = 5_000
_NAMES = (
    "a abbr b blockquote br caption center code col colgroup div em font h1 h2 h3 h4 h5 h6 hr i img li ol p pre s "
    "small span strong sub sup table tbody td tfoot th thead tr u ul"
)
_TAGS = set(_NAMES.split())
_ATTRIBUTES = {
    "*": {"align", "bgcolor", "class", "dir", "height", "lang", "role", "style", "title", "valign", "width"},
    "a": {"href", "target", "name"},
    "img": {"src", "alt", "border"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"colspan", "rowspan", "nowrap"},
    "th": {"colspan", "rowspan", "nowrap", "scope"},
    "font": {"color", "face", "size"},
    "ol": {"start", "type"},
    "ul": {"type"},
    "col": {"span"},
}
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_OPTIONAL = frozenset(
    {"body", "colgroup", "dd", "dt", "head", "html", "li", "option", "p", "tbody", "td", "tfoot", "th", "thead", "tr"}
)
_RAW = frozenset({"script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "plaintext"})
_BEGIN = re.compile(r"<(?:!--|/?[a-zA-Z])")
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)((?:[^<>\"']|\"[^\"]*+\"|'[^']*+')*+)>")
_STYLE = re.compile(r"<style\b[^>]*>(.*?)(?:</style\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_BODY = re.compile(r"<(/?)body(?=[\s/>])", re.IGNORECASE)
_PICTURE = re.compile(r"<img\b[^>]*>")
_is_link = re.compile(r"https?://[^\s/?#\\@]+(?:[/?#].*)?", re.IGNORECASE | re.DOTALL).fullmatch
_is_other = re.compile(r"(?:mailto|tel):[^\s].*", re.IGNORECASE).fullmatch
_is_remote = re.compile(r"https://[^\s/?#\\@]+(?:[/?#]\S*)?", re.IGNORECASE).fullmatch
_is_embedded = re.compile(r"data:image/(?:png|gif|jpeg|webp);base64,[A-Za-z0-9+/=]+").fullmatch
_is_rest = re.compile(r"[\w?&=#%./~:+-]*").fullmatch


class Problem(NamedTuple):
    """What keeps HTML from being used: a code, the line (from 1), and the tag it is about."""

    code: str
    line: int
    tag: str = ""


class Clean(NamedTuple):
    """HTML fit for a mail, with what only the head of a mail can say, and what to tell whoever wrote it."""

    html: str
    media: str = ""
    has_way_out: bool = False
    has_imprint: bool = False
    is_own: bool = False
    """Whether it comes from the template's HTML rather than from its text."""
    notes: frozenset[str] = frozenset()
    """``remote_image``, ``image_without_alt``, ``removed_address``."""


def problem(html: str) -> Problem | None:
    """What is wrong with the HTML as it was written; None if it can be cleaned."""
    return Problem("too_long", 1) if len(html) > MAX_SOURCE else _build_problem(html)


def _build_problem(html: str) -> Problem | None:
    """Tags must be closed in order: a parser repairs what is not, and a thousand open tags become millions then."""
    opened: list[str] = []
    at = count = 0
    while begun := _BEGIN.search(html, at):
        if begun[0] == "<!--":
            at = _find(html, "-->", begun.end())
            continue
        tag, count = _TAG.match(html, begun.start()), count + 1
        line = functools.partial(html.count, "\n", 0, begun.start())
        if tag is None:
            return Problem("unfinished", line() + 1)
        if count > MAX_TAGS or len(opened) > MAX_DEPTH:
            return Problem("too_deep", line() + 1)
        if not _nested(opened, tag):
            return Problem("not_nested", line() + 1, tag[2][:20])
        at = tag.end()
        if not tag[1] and tag[2].lower() in _RAW:
            at = _find(html, f"</{tag[2]}", at)
    left = [name for name in opened if name not in _OPTIONAL]
    return Problem("not_closed", html.count("\n") + 1, left[-1][:20]) if left else None


def _find(html: str, what: str, at: int) -> int:
    found = re.compile(re.escape(what), re.IGNORECASE).search(html, at)
    return found.start() if found else len(html)


def _nested(opened: list[str], tag: re.Match[str]) -> bool:
    """Note the tag; False if it closes what is not the innermost open one."""
    name = tag[2].lower()
    if name in _VOID:
        return True
    if not tag[1]:
        if name in _OPTIONAL and opened and opened[-1] == name:
            opened.pop()  # The next paragraph, row or cell ends this one.
        opened.append(name)
        return True
    while opened and opened[-1] != name and opened[-1] in _OPTIONAL:
        opened.pop()
    if not opened or opened[-1] != name:
        return name in _OPTIONAL
    opened.pop()
    return True


class Cleaner:
    """Cleans one template's HTML and notes what it saw."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._ways: set[str] = set()
        self._notes: set[str] = set()

    def clean(self, html: str) -> Clean:
        """HTML whose variables are marks, cleaned; styles from ``<style>`` are written into the elements."""
        if _build_problem(html) is not None:
            return Clean("")
        css = mail_css.sheet("\n".join(_STYLE.findall(html)), self._marks.any.search)
        body = self._pass(_BODY.sub(r'<\1div class="mail-body"', html).replace('</div class="mail-body"', "</div"))
        if css.plain:
            body = css_inline.inline_fragment(body, css.plain, load_remote_stylesheets=False)
            body = self._pass(body)
        body = _PICTURE.sub(lambda found: found[0] if " src=" in found[0] else "", body)
        for picture in _PICTURE.findall(body):
            if " alt=" not in picture:
                self._notes.add("image_without_alt")
            if 'src="https:' in picture.lower():
                self._notes.add("remote_image")
        imprint = "imprint_url" in self._ways or "postal_address" in self._marks.names(body)
        has_way_out = "unsubscribe_url" in self._ways
        return Clean(body, css.media, has_way_out, imprint, notes=frozenset(self._notes))

    def _pass(self, html: str) -> str:
        self._ways.clear()
        return nh3.clean(
            html,
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            generic_attribute_prefixes={"aria-"},
            attribute_filter=self._attribute,
            url_schemes={"http", "https", "mailto", "tel", "data"},
            strip_comments=True,
            link_rel=None,
        )

    def _attribute(self, tag: str, name: str, value: str) -> str | None:
        """What becomes of an attribute; None: it goes."""
        names = self._marks.names(value)
        if SCORE_ROW in names:
            return None
        if name == "style":
            return mail_css.declarations(value, self._marks.any.search) or None
        if name not in {"href", "src"}:
            return value
        kept = self._picture(value, names) if name == "src" else self._link(value, names)
        if kept is None:
            self._notes.add("removed_address")
        return kept

    def _picture(self, value: str, names: list[str]) -> str | None:
        address = value.strip()
        return address if not names and (_is_remote(address) or _is_embedded(address)) else None

    def _link(self, value: str, names: list[str]) -> str | None:
        """An address that is kept: one of our own, or one whose host nobody's data decides."""
        address = value.strip()
        first = self._marks.any.match(address)
        if first:
            if names[0] not in URLS or not _is_rest(address[first.end() :]):
                return None
            self._ways.add(names[0])
            return address
        if _is_other(address):
            return address
        host = re.split(r"[/?#]", address.partition("://")[2], maxsplit=1)[0]
        return address if _is_link(address) and not self._marks.any.search(host) else None
