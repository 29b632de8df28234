"""What conditions may speak of."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from apps.common.operators import Kind

MAX_PARTS = 4
# Half a surrogate pair cannot be sent to a database.
_is_part = re.compile(r"[^.\s\"'\\\x00-\x1f\ud800-\udfff]{1,60}").fullmatch


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Known fields, and roots below which any path of properties will do."""

    fields: Mapping[str, Kind]
    open_roots: frozenset[str] = frozenset()

    def kind_of(self, name: str) -> Kind | None:
        """The field's kind, None if there is no such field."""
        if name in self.fields:
            return self.fields[name]
        root, *parts = name.split(".")
        if root not in self.open_roots or not 1 <= len(parts) <= MAX_PARTS or not all(map(_is_part, parts)):
            return None
        # Nothing lies below a known field, though a property of the same name may hold an object.
        above = (".".join((root, *parts[:length])) for length in range(1, len(parts)))
        return None if any(path in self.fields for path in above) else Kind.ANY
