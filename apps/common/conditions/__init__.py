"""Conditions people write about an event and a contact, as JSON. Pure: no Django.

``{"all": [..]}``, ``{"any": [..]}``, ``{"not": {..}}``, a leaf ``{"field": "event.total", "op": "ge", "value": 100}``,
or ``{}``, which always holds. :func:`parse` checks all of it once; what it returns is asked and never fails.
``apps.common.conditions_sql`` says the same in SQL.
"""

from apps.common.conditions.catalogue import Catalogue
from apps.common.conditions.parsing import MAX_DEPTH, MAX_LEAVES, SEGMENT, parse
from apps.common.conditions.problems import CODES, ConditionError, Problem
from apps.common.conditions.tree import Comparison, Condition, Group, Leaf, Node
from apps.common.operators import OPERATORS, SEGMENT_OPERATORS, Kind, Op

__all__ = [
    "CODES",
    "MAX_DEPTH",
    "MAX_LEAVES",
    "OPERATORS",
    "SEGMENT",
    "SEGMENT_OPERATORS",
    "Catalogue",
    "Comparison",
    "Condition",
    "ConditionError",
    "Group",
    "Kind",
    "Leaf",
    "Node",
    "Op",
    "Problem",
    "parse",
]
