"""What can be wrong with a condition, as codes: the sentences are somebody else's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CODES: Mapping[str, tuple[str, ...]] = {
    # The tree.
    "not_an_object": (),
    "not_a_list": (),
    "empty_group": (),
    "ambiguous": (),  # two of all, any, not and a leaf in one object
    "unknown_key": ("key",),
    "missing_key": ("key",),
    "too_deep": ("limit",),
    "too_many": ("limit",),  # leaves in the tree, or values in a list
    # Fields and operators.
    "unknown_field": ("field",),
    "unknown_operator": ("op",),
    "operator_not_allowed": ("op", "kind"),  # not with a field of this kind ("segment": with a segment)
    # Values. Expected is one of text, number, bool, scalar (any of these three), list, range ([low, high]), days, time.
    "wrong_type": ("expected",),
    "value_not_allowed": (),  # exists and missing take none
    "empty_value": (),
    "too_long": ("limit",),
    "bad_characters": (),  # such as PostgreSQL cannot store
    "bad_number": ("limit",),  # not finite, or not below the limit
    "bad_range": ("low", "high"),  # low is above high; or a number of days that is not from low to high
    "bad_pattern": ("max_length", "max_stars"),
    "bad_time": (),
    # Saved conditions.
    "segment_not_allowed": (),
    "unknown_segment": ("segment",),
    "bad_segment": ("segment",),  # what is saved is not, or no longer, a condition
}
"""Code → the names of its parameters."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where (``all.0.value``; "" is the root), which of CODES, and its parameters."""

    path: str
    code: str
    params: dict[str, Any] = field(default_factory=dict)


class ConditionError(Exception):
    """A tree is no condition; ``errors`` names all that is wrong with it."""

    def __init__(self, errors: list[Problem]) -> None:
        super().__init__(", ".join(f"{problem.path or 'root'}: {problem.code}" for problem in errors))
        self.errors = errors
