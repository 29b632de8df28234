"""What a request says, however it says it: query, JSON, or the form bodies of PHP and Go."""

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from django.http import HttpRequest

from apps.api.delighted.errors import INVALID, Invalid, Refused

MAX_BYTES = 256 * 1024
MAX_FIELDS = 2000
MAX_DEPTH = 16
_TOO_BIG = 10**300
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)(.*)", re.DOTALL)
_PART = re.compile(r"\[([^\[\]]*)\]")
_TRUE = ("true", "1", "t", "yes", "on")
_FALSE = ("false", "0", "f", "no", "off")
LISTS = ("expand", "groups")
"""Parameters with several values: some clients repeat their bare name."""
_is_whole = re.compile(r"([+-]?[0-9]{1,30})(?:\.0*)?").fullmatch
_is_seconds = re.compile(r"([+-]?[0-9]{1,30})(?:\.[0-9]*)?").fullmatch
_LATEST = datetime(9000, 1, 1, tzinfo=UTC).timestamp()


class Params(dict[str, Any]):
    """Parameters by name. Unknown ones stay unread; null, and an empty text, count as not given.

    The readers raise Invalid, which is answered with 422 and the parameter's name.
    """

    def given(self, name: str) -> bool:
        """Whether the parameter has a value."""
        return self.get(name) not in (None, "")

    def text(self, name: str, limit: int = 1000) -> str | None:
        """A text of up to ``limit`` characters; numbers count as texts."""
        value = self.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise Invalid({name: [INVALID]})
        if len(value) > limit:
            raise Invalid({name: [f"is too long (maximum is {limit} characters)"]})
        return value.strip() or None

    def flag(self, name: str, default: bool) -> bool:
        """True or false, as JSON or as forms write them."""
        value = self.get(name)
        if value is None or value == "":
            return default
        word = str(value).strip().lower()
        if word not in _TRUE + _FALSE:
            raise Invalid({name: [INVALID]})
        return word in _TRUE

    def whole(self, name: str) -> int | None:
        """A whole number within 64 bits; texts and floats without a fraction count."""
        return self._whole(name, self.get(name))

    def seconds(self, name: str) -> int | None:
        """Whole seconds: programs take times from their clocks with fractions, which are cut off."""
        value = self.get(name)
        if isinstance(value, str) and (found := _is_seconds(value.strip())):
            value = found[1]
        elif isinstance(value, float) and math.isfinite(value):
            value = math.floor(value)
        return self._whole(name, value)

    def _whole(self, name: str, value: Any) -> int | None:
        if value is None or value == "":
            return None
        if isinstance(value, str):
            found = _is_whole(value.strip())
            value = int(found[1]) if found else None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or value != value // 1 or abs(value) >= 2**63:
            raise Invalid({name: ["is not a number"]})
        return int(value)

    def time(self, name: str) -> datetime | None:
        """A time, given as seconds since 1970."""
        seconds = self.seconds(name)
        if seconds is None:
            return None
        if not 0 <= seconds <= _LATEST:
            raise Invalid({name: [INVALID]})
        return datetime.fromtimestamp(seconds, tz=UTC)

    def mapping(self, name: str) -> dict[str, Any]:
        """An object such as ``properties``; nothing, and PHP's empty list, are an empty one."""
        value = self.get(name)
        if value in (None, "", []):
            return {}
        if not isinstance(value, dict):
            raise Invalid({name: [INVALID]})
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts: ``expand[]=a&expand[]=b``, ``expand[0]=a`` (PHP), ``expand=a,b``, or a JSON list.

        Of the names in :data:`LISTS` also repeated ones: ``expand=a&expand=b`` (Node).
        """
        value = self.get(name)
        if value is None:
            return []
        values = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
        words = (word.strip(' "[]') for item in values for word in str(item).split(","))
        return [word for word in words if word]


def read(request: HttpRequest) -> Params:
    """The request's parameters: the query's, and over them the body's, which a GET has none of.

    Raises Refused for what cannot be read.
    """
    found = Params(_from_form(request.META.get("QUERY_STRING", "")))
    if request.method not in ("GET", "HEAD"):
        found.update(_body(request))
    _check(found)
    return found


def _body(request: HttpRequest) -> dict[str, Any]:
    if "CONTENT_LENGTH" not in request.META and request.META.get("HTTP_TRANSFER_ENCODING"):
        raise Refused(411, "Send the body with a Content-Length, not in chunks.")
    if _length(request) > MAX_BYTES:
        raise Refused(413, f"A body may have at most {MAX_BYTES // 1024} KB.")
    kind = request.content_type or ""
    if kind.startswith("multipart/"):
        raise Refused(415, "Send JSON, or a form as application/x-www-form-urlencoded.")
    try:
        content = request.body.strip()
    except OSError:  # The caller went away, or sent less than it said.
        raise Refused(400, "The body is shorter than its Content-Length.") from None
    if not content:
        return {}
    # Clients mislabel their bodies, or do not label them: the first character tells a form from JSON.
    if content[:1] not in (b"{", b"[") and ("json" not in kind or b"=" in content):
        try:
            return _from_form(content.decode())
        except UnicodeDecodeError:
            raise Refused(400, "The body is not UTF-8.") from None
    return _from_json(content)


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:  # Then Django reads no body at all.
        return 0


def _from_json(content: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Refused(400, "The body is not valid JSON.") from None
    if value in (None, []):
        return {}
    if not isinstance(value, dict):
        raise Refused(400, "The body must be a JSON object.")
    return value


def _from_form(content: str) -> dict[str, Any]:
    try:
        pairs = parse_qsl(content, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except UnicodeDecodeError:
        raise Refused(400, "The parameters are not UTF-8.") from None
    except ValueError:
        raise Refused(400, f"There may be at most {MAX_FIELDS} parameters.") from None
    return nested(pairs)


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """``a[b]=1`` is an object, ``a[]=1`` a list; of two values of one name the last counts."""
    root: dict[str, Any] = {}
    for bare, value in pairs:
        name = f"{bare}[]" if bare in LISTS else bare
        found = _NAME.fullmatch(name)
        if found is None or found[3]:
            root[name] = value
            continue
        path = [found[1], *_PART.findall(found[2])]
        if len(path) > MAX_DEPTH:
            raise Refused(400, f"Parameters may be nested at most {MAX_DEPTH} levels deep.")
        _put(root, path, value)
    return root


def _put(root: dict[str, Any], path: list[str], value: str) -> None:
    """Walk down the path, making what is missing."""
    is_list = path[-1] == "" and len(path) > 1
    *way, last = path[:-1] if is_list else path
    here = root
    for step in way:
        below = here.get(step)
        if not isinstance(below, dict):
            below = here[step] = {}
        here = below
    if not is_list:
        here[last] = value
    elif isinstance(here.get(last), list):
        here[last].append(value)
    else:
        here[last] = [value]


def _check(params: Params) -> None:
    """Refuse what PostgreSQL could not store or Python could not read again. Without recursion."""
    for name, value in params.items():
        waiting: list[tuple[Any, int]] = [(name, 0), (value, 0)]
        while waiting:
            item, depth = waiting.pop()
            if isinstance(item, str) and "\x00" in item:
                raise Invalid({name.replace("\x00", ""): ["must not contain the character NUL"]})
            if isinstance(item, int) and abs(item) >= _TOO_BIG:
                raise Invalid({name: ["contains too long a number"]})
            if isinstance(item, dict | list):
                if depth >= MAX_DEPTH:
                    raise Invalid({name: [f"must not be nested deeper than {MAX_DEPTH} levels"]})
                inner = [*item.keys(), *item.values()] if isinstance(item, dict) else item
                waiting += [(part, depth + 1) for part in inner]
