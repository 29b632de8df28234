"""On which days does something recur? Rules of RFC 5545 by the clock of a zone, and one turn per contact and period.

Pure: no Django.
"""

from apps.common.recurrence.days import Rule, next_occurrence, occurrences
from apps.common.recurrence.parsing import RecurrenceError, parse_rule
from apps.common.recurrence.turns import BUCKETS, EPOCH, Slice, due_at, slices

__all__ = [
    "BUCKETS",
    "EPOCH",
    "RecurrenceError",
    "Rule",
    "Slice",
    "due_at",
    "next_occurrence",
    "occurrences",
    "parse_rule",
    "slices",
]
