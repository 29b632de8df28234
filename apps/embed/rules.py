"""Which pages a placement belongs to, which origins may ask, who a page may name. Pure: no Django."""

import re
from collections.abc import Collection, Sequence
from hashlib import sha256
from hmac import compare_digest
from hmac import new as hmac
from urllib.parse import urlsplit

MAX_STARS = 5
_PARTS = re.compile(r"(\*)")
_is_pattern = re.compile(r"(/|https?://[^/*\s]+(/|$)|https?://\*\.[^/*\s]+(/|$))[^\s#]*").fullmatch


def is_pattern(text: str) -> bool:
    """Whether a placement may name pages like this: ``/path/*`` or ``https://host/path/*``."""
    return len(text) <= 300 and text.count("*") <= MAX_STARS and _is_pattern(text) is not None


def url_matches(patterns: Sequence[str], url: str) -> bool:
    """Whether a page is meant by one of the patterns; without any, every page is."""
    return not patterns or any(_matches(pattern, url) for pattern in patterns)


def _matches(pattern: str, url: str) -> bool:
    """``*`` stands for any characters. The query counts only if the pattern has one. In linear time."""
    address = url.partition("#")[0]
    if "?" not in pattern:
        address = address.partition("?")[0]
    if pattern.startswith("/"):
        address = "/" + address.partition("//")[2].partition("/")[2]
    first, *others = pattern.split("*")
    if not others:
        return address == pattern
    if not address.startswith(first):
        return False
    at, last = len(first), others.pop()
    for part in others:
        at = address.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return len(address) - at >= len(last) and address.endswith(last)


def script_pattern(patterns: Sequence[str]) -> str:
    """The same as a regular expression for the script; "" if every page is meant."""
    return "|".join(_expression(pattern) for pattern in patterns)


def _expression(pattern: str) -> str:
    star, end = (".*", "$") if "?" in pattern else ("[^?]*", "(\\?|$)")
    begin = "^[^/]+//[^/?]+" if pattern.startswith("/") else "^"
    return begin + "".join(star if part == "*" else _quoted(part) for part in _PARTS.split(pattern)) + end


def _quoted(text: str) -> str:
    """For JavaScript, and no longer than needed."""
    return re.sub(r"[\\^$.|?+()\[\]{}]", r"\\\g<0>", text)


def origin_of(url: str) -> str:
    """Scheme, host and port of an address as a browser writes them; "" if it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{parts.hostname}" + (f":{port}" if port not in (None, usual) else "")


def origin_allowed(origin: str, allowed: Collection[str]) -> bool:
    """Whether pages of an origin may ask; ``https://*.example.com`` means all its subdomains, as in a CSP."""
    if not origin or origin != origin_of(origin):
        return False
    return any(_is_allowed(origin, origin_of(row.replace("*.", "x.", 1)), "*." in row) for row in allowed)


def _is_allowed(origin: str, row: str, has_wildcard: bool) -> bool:
    if not has_wildcard:
        return origin == row
    scheme, _, host = row.partition("://x.")
    return bool(host) and origin.startswith(f"{scheme}://") and origin.endswith(f".{host}")


def signature(secret: str, external_id: str, email: str = "") -> str:
    """What a page's server signs: the external id, or with an e-mail address both, a line break between."""
    text = f"{external_id}\n{email}" if email else external_id
    return hmac(secret.encode(), text.encode(), sha256).hexdigest()


def is_signed(given: str, secrets: Collection[str], external_id: str, email: str = "") -> bool:
    """Whether one of the secrets made the signature."""
    made = [signature(secret, external_id, email) for secret in secrets]
    return any(compare_digest(one.encode(), given.lower().encode("utf-8", "replace")) for one in made)
