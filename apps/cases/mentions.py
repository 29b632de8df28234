"""Who is mentioned in a note: “@ada” and “@Ada Lovelace”. Pure: no Django."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple

# What stands before an @ in a mail address; after such a sign an @ mentions nobody.
_AT = re.compile(r"(?<![\w.+%-])@")
_AFTER = re.compile(r"[\w-]|[.@](?=\w)")


class Person(NamedTuple):
    """Somebody who can be mentioned, by user name or full name."""

    id: int
    username: str
    full_name: str


def names_of(people: Iterable[Person]) -> dict[str, set[int]]:
    """Name as it is looked for → whose it is. Of namesakes all are meant: nobody knows which."""
    found: dict[str, set[int]] = {}
    for person in people:
        for name in (person.username, person.full_name):
            if name.strip():
                found.setdefault(_plain(name), set()).add(person.id)
    return found


def mentioned(text: str, names: Mapping[str, Iterable[int]]) -> set[int]:
    """The ids of those whom a text mentions. The longest name that fits counts: “@Ada Lovelace” is not “@Ada”.

    No mail address mentions anybody.
    """
    said = _plain(text)
    by_length = sorted(names, key=len, reverse=True)
    found: set[int] = set()
    for at in _AT.finditer(said):
        name = next((name for name in by_length if _stands(said, name, at.end())), None)
        if name is not None:
            found.update(names[name])
    return found


def _stands(said: str, name: str, at: int) -> bool:
    """Whether the whole name stands there, and not only the beginning of another or of an address."""
    return said.startswith(name, at) and not _AFTER.match(said, at + len(name))


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
