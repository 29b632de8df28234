"""A campaign's sequence: steps one after the other, with branches that come together again. Pure: no Django.

The document is a tree: a list of steps, where a branch holds two lists of its own and what stands after it is what
both lead to. It only leads forward, so that it cannot run in a circle; what can never be reached, or would do nothing,
is refused by :func:`parse`. A step keeps its key through all versions: a contact that is moved to another version goes
on where it is, and a step that it had is not taken again.
"""

from apps.campaigns.sequence.catalogue import BRANCH_CATALOGUE, ENTRY_CATALOGUE, parse_branch, parse_entry
from apps.campaigns.sequence.checks import Options, dead_ends
from apps.campaigns.sequence.parsing import CODES, MAX_DEPTH, MAX_STEPS, Problem, SequenceError, parse
from apps.campaigns.sequence.steps import KINDS, OUTREACH, Kind, Sequence, Step, wait_end

__all__ = [
    "BRANCH_CATALOGUE",
    "CODES",
    "ENTRY_CATALOGUE",
    "KINDS",
    "MAX_DEPTH",
    "MAX_STEPS",
    "OUTREACH",
    "Kind",
    "Options",
    "Problem",
    "Sequence",
    "SequenceError",
    "Step",
    "dead_ends",
    "parse",
    "parse_branch",
    "parse_entry",
    "wait_end",
]
