"""What can be wrong with a survey's questions and with the ways through them. Pure: no Django.

The ways only lead forward, so nobody can walk in circles; but a question may never be shown at all, or depend on what
is not known yet. :func:`problems` finds it, :func:`witness` says with which answers a question is shown.
"""

from apps.surveys.branching.checks import HINTS, LANGUAGES, Problem, problems
from apps.surveys.branching.reach import MAX_TESTS, TooComplicated, Witness, witness

__all__ = ["HINTS", "LANGUAGES", "MAX_TESTS", "Problem", "TooComplicated", "Witness", "problems", "witness"]
