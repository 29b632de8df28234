"""The one script of a host page: the loader with a tenant's placements in it, small and compressed once."""

import gzip
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import brotli
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from apps.embed.models import Placement
from apps.embed.rules import script_pattern

_FOLDER = Path(settings.BASE_DIR) / "templates" / "embed"
_LETTERS = "bcghijkluvyz_$ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""What a $name becomes; the loader uses none of them itself."""
_KINDS = {Placement.Kind.INLINE: 0, Placement.Kind.POPOVER: 1, Placement.Kind.SLIDE_IN: 2}
_NEVER = 999
"""Further than a page can be scrolled."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script ready to be sent."""

    etag: str
    plain: bytes
    gzip: bytes
    brotli: bytes


def script_for(placements: Iterable[Placement]) -> Script:
    """The script with these placements, their touchpoints loaded."""
    config = [_style(), _words(), [entry(placement) for placement in placements]]
    text = json.dumps(config, separators=(",", ":"), ensure_ascii=False)
    # Both end a line in old JavaScript, but not in JSON.
    return _pack(_loader().replace("CONFIG", text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")))


def entry(placement: Placement) -> dict[str, Any]:
    """A placement as the loader knows it; what is as usual is left out."""
    is_inline = placement.kind == Placement.Kind.INLINE
    scroll = placement.scroll or (_NEVER if placement.on_exit else 0)
    always = {
        "i": placement.pk,
        "t": placement.touchpoint.key,
        "k": _KINDS[Placement.Kind(placement.kind)],
        "w": placement.place if is_inline else placement.side,
    }
    sometimes = {
        "q": placement.selector if is_inline else "",
        "u": script_pattern(placement.url_patterns),
        "d": placement.delay,
        "p": placement.percent if placement.percent < 100 else 0,
        "r": placement.rest_days,
        "y": scroll,
        "x": int(placement.on_exit),
        "o": int(placement.on_track),
        "l": ",".join(placement.languages),
    }
    kept = {**always, **{key: value for key, value in sometimes.items() if value}}
    if placement.device != Placement.Device.ANY:
        kept["v"] = placement.device == Placement.Device.PHONE
    return kept


def _words() -> dict[str, list[str]]:
    """What the box says, by language."""
    found = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            found[code] = [gettext("Survey"), gettext("Close")]
    return found


@lru_cache(maxsize=1)
def _style() -> str:
    source = (_FOLDER / "frame.css").read_text(encoding="utf-8").strip()
    return re.sub(r"\s*([{};:,])\s*", r"\1", source).replace(";}", "}")


@lru_cache(maxsize=1)
def _loader() -> str:
    return shrink((_FOLDER / "loader.js").read_text(encoding="utf-8"))


def shrink(source: str) -> str:
    """Without whole-line comments and spaces, and with a letter for each $name.

    For our own loader only: it has no spaces around operators in its strings, and a semicolon after each statement.
    """
    lines = (line.strip() for line in source.splitlines())
    code = "\n".join(line for line in lines if line and not line.startswith("//"))
    code = re.sub(r"\s*([-=+*/<>?:,;{}()&|!%])\s*", r"\1", code)
    names = list(dict.fromkeys(re.findall(r"\$\w+", code)))
    letters = dict(zip(names, _LETTERS, strict=False))
    code = re.sub(r"\$\w+", lambda found: letters[found[0]], code)
    return re.sub(r"[,;]([})])", r"\1", code)


@lru_cache(maxsize=1000)
def _pack(text: str) -> Script:
    """Kept by content, so that tenants cannot be mistaken and each script is compressed once."""
    raw = text.encode()
    return Script(
        etag=f'"{sha256(raw).hexdigest()[:32]}"',
        plain=raw,
        gzip=gzip.compress(raw, 9, mtime=0),
        brotli=brotli.compress(raw, mode=brotli.MODE_TEXT, quality=11),
    )
