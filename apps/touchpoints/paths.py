"""Where in a message something stands: a small, bounded language for paths. Pure: no Django.

``customer.email`` names parts of objects, ``lines[0]`` and ``lines[-1]`` elements of a list, ``lines[*].sku`` the
first element that has one, ``data["first name"]`` a part whose name is no plain word, ``header:X-Topic`` a header of
the request. ``a | b`` takes the first that is there, ``first + last`` joins texts with a space.

Reading never raises and never does more than a fixed number of steps, whatever the message looks like; whoever reads
much of one request gives a :class:`Budget` for all of it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

MAX_LENGTH = 300
MAX_PARTS = 20
MAX_STEPS = 5000
"""For one path through one message."""
MAX_STEPS_TOGETHER = 500_000
"""For all paths through all messages of a request: a third of a second."""
MAX_TEXT = 2000
EACH = None
"""The part ``[*]``: the first element with which the rest of the path leads somewhere."""

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<header>header:[A-Za-z0-9-]{1,80})
    | (?!header:)(?P<name>[^\s.\[\]|+"']{1,200})
    | \[\s*(?P<index>-?[0-9]{1,6})\s*\]
    | \[\s*(?P<each>\*)\s*\]
    | \[\s*"(?P<quoted>(?:[^"\\]|\\["\\]){0,200})"\s*\]
    | (?P<mark>[.|+])
    )""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\([\"\\])")

Part = str | int | None


class PathError(Exception):
    """The text is no path; ``at`` is the first character that cannot be understood."""

    def __init__(self, at: int) -> None:
        super().__init__(f"no path from character {at + 1} on")
        self.at = at


class Path(NamedTuple):
    """One way into a message: the name of a header, or parts to go through one by one."""

    header: str
    parts: tuple[Part, ...]


class Expression(NamedTuple):
    """Alternatives, each a sum of paths. Nothing in it: nothing is looked for."""

    alternatives: tuple[tuple[Path, ...], ...]

    def __bool__(self) -> bool:
        return bool(self.alternatives)


NOTHING = Expression(())


def parse(text: str) -> Expression:
    """The expression that a text stands for; an empty text for nothing. Raises PathError."""
    if not text.strip():
        return NOTHING
    if len(text) > MAX_LENGTH:
        raise PathError(MAX_LENGTH)
    if "\x00" in text:
        raise PathError(text.index("\x00"))
    return _Parser(text).expression()


class _Parser:
    """Reads tokens from left to right, without recursion."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.parts_left = text, 0, MAX_PARTS

    def expression(self) -> Expression:
        alternatives: list[tuple[Path, ...]] = []
        paths: list[Path] = []
        while True:
            paths.append(self._path())
            mark = self._mark()
            if mark == "+":
                continue
            alternatives.append(tuple(paths))
            paths = []
            if mark != "|":
                return Expression(tuple(alternatives))

    def _token(self) -> re.Match[str] | None:
        found = _TOKEN.match(self.text, self.at)
        if found is None and self.text[self.at :].strip():
            raise PathError(self.at)
        return found

    def _mark(self) -> str:
        """What joins this path with the next, "" at the end."""
        found = self._token()
        if found is None:
            return ""
        if found["mark"] not in ("|", "+"):
            raise PathError(self.at)
        self.at = found.end()
        return found["mark"]

    def _path(self) -> Path:
        found = self._token()
        if found is not None and found["header"] is not None:
            self.at = found.end()
            return Path(found["header"].partition(":")[2].lower(), ())
        parts: list[Part] = []
        may_be_name = True
        while (found := self._token()) is not None:
            if found["mark"] == "." and not may_be_name:
                self.at, may_be_name = found.end(), True
                continue
            part = _part(found)
            if part is _NO_PART or (isinstance(part, str) and found["name"] is not None and not may_be_name):
                break
            self.at, may_be_name = found.end(), False
            self._count()
            if not (part == "$" and not parts):  # The whole message, as other languages write it.
                parts.append(part)
        if may_be_name:
            raise PathError(self.at)
        return Path("", tuple(parts))

    def _count(self) -> None:
        self.parts_left -= 1
        if self.parts_left < 0:
            raise PathError(self.at)


_NO_PART: Any = object()


def _part(found: re.Match[str]) -> Any:
    if found["name"] is not None:
        return found["name"]
    if found["index"] is not None:
        return int(found["index"])
    if found["each"] is not None:
        return EACH
    if found["quoted"] is not None:
        return _ESCAPED.sub(r"\1", found["quoted"])
    return _NO_PART


class Budget:
    """The steps that are left for all that is read with it."""

    __slots__ = ("left",)

    def __init__(self, steps: int = MAX_STEPS_TOGETHER) -> None:
        self.left = steps


def find(expression: Expression, message: Any, headers: Mapping[str, str], budget: Budget | None = None) -> Any:
    """What the expression leads to: a value of the message as it is, or joined texts. None if there is nothing."""
    budget = budget or Budget()
    for paths in expression.alternatives:
        found = [value for path in paths if (value := _follow(path, message, headers, budget)) is not None]
        if not found:
            continue
        if len(paths) == 1:
            return found[0]
        joined = " ".join(part for value in found if (part := text_of(value)))
        if joined:
            return joined
    return None


def find_text(expression: Expression, message: Any, headers: Mapping[str, str], budget: Budget | None = None) -> str:
    """The same as text, "" where there is none."""
    budget = budget or Budget()
    for paths in expression.alternatives:
        found = text_of(find(Expression((paths,)), message, headers, budget))
        if found:
            return found
    return ""


def text_of(value: Any) -> str:
    """A plain value as text; "" for lists, objects and nothing."""
    if isinstance(value, str):
        return value.strip()[:MAX_TEXT]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > 2048:
        return ""  # Python refuses to write it out.
    return str(value) if isinstance(value, int | float) else ""


def _follow(path: Path, message: Any, headers: Mapping[str, str], budget: Budget) -> Any:
    """The first value that is there and not empty. Depth first, with a limit for all steps together."""
    if path.header:
        return headers.get(path.header) or None
    last = max(0, budget.left - MAX_STEPS)
    waiting: list[Iterator[Any]] = [iter((message,))]
    while waiting and budget.left > last:
        budget.left -= 1
        value = next(waiting[-1], _NO_PART)
        if value is _NO_PART:
            waiting.pop()
            continue
        depth = len(waiting) - 1
        if depth == len(path.parts):
            if value is not None and value != "":
                return value
            continue
        waiting.append(_inside(value, path.parts[depth]))
    return None


def _inside(value: Any, part: Part) -> Iterator[Any]:
    """What one part leads to from here."""
    if part is EACH:
        return iter(value) if isinstance(value, list) else iter(())
    if isinstance(part, int):
        return iter(_element(value, part))
    if isinstance(value, dict) and part in value:
        return iter((value[part],))
    if isinstance(value, list) and part.isdecimal() and len(part) < 7:  # lines.0.sku
        return iter(_element(value, int(part)))
    return iter(())


def _element(value: Any, index: int) -> Sequence[Any]:
    if isinstance(value, list) and -len(value) <= index < len(value):
        return (value[index],)
    return ()
