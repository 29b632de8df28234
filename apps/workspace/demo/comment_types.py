"""The shape of the remarks."""

from typing import NamedTuple


class Remarks(NamedTuple):
    """Sentences about one driver in one language."""

    good: tuple[str, ...]
    bad: tuple[str, ...]
