"""What a question can be answered with, and what a fact can be: as few values as conditions can tell apart."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import combinations, pairwise, product
from typing import Any

from apps.common.conditions import Comparison, Op
from apps.common.operators import fold, moment
from apps.surveys.definition import CHOICES, MULTIPLE, OPT_IN, WORDS, YES_NO, Question, Value

_EQUAL = frozenset({Op.EQ, Op.NE, Op.IN, Op.NOT_IN})
_NUMBER = frozenset({Op.LT, Op.LE, Op.GT, Op.GE, Op.BETWEEN})
_TIME = frozenset({Op.BEFORE, Op.AFTER})
_HOLDS = frozenset({Op.CONTAINS, Op.NOT_CONTAINS})
_PARTS = _HOLDS | {Op.MATCHES}
_MAX_TOGETHER = 6

Told = tuple[bool, ...]
"""What each comparison makes of a value."""
Look = Callable[[Any], Told]


def answers_of(question: Question, leaves: Sequence[Comparison], look: Look) -> Iterator[Value]:
    """Answers to a question: one of each sort that the comparisons tell apart."""
    if question.kind == MULTIPLE:
        yield from _sets([option.key for option in question.options], look)
        return
    yield from apart(_single(question, leaves), look)


def _single(question: Question, leaves: Sequence[Comparison]) -> Iterable[Value]:
    if question.kind in CHOICES:
        return [option.key for option in question.options]
    if question.kind in {YES_NO, OPT_IN}:
        return [True, False]
    if question.kind in WORDS:
        return [text for text in texts(leaves) if text]
    low, high = question.bounds
    return range(low, high + 1)


def apart(values: Iterable[Any], look: Look) -> Iterator[Any]:
    """The first value of each sort."""
    seen: set[Told] = set()
    for value in values:
        told = look(value)
        if told not in seen:
            seen.add(told)
            yield value


def _sets(keys: Sequence[str], look: Look) -> Iterator[list[str]]:
    """Sets of options that the comparisons tell apart; none is left out, since they only ask what a set holds."""
    alike = list(apart(keys, lambda key: look([key])))
    yield from apart((list(some) for size in range(1, len(alike) + 1) for some in combinations(alike, size)), look)


def facts_of_leaves(leaves: Sequence[Comparison], look: Look) -> Iterator[Any]:
    """What a property can hold: nothing, or anything that its comparisons tell apart."""
    everything: list[Any] = [None, *texts(leaves), True, False, *_mentioned(leaves, _EQUAL)]
    everything += [*_numbers(leaves), *_times(leaves)]
    needles = list(dict.fromkeys(_mentioned(leaves, _HOLDS)))
    everything += [list(some) for some in _some(needles)]
    yield from apart(everything, look)


def is_certain(leaves: Sequence[Comparison]) -> bool:
    """Whether the values tried for an open text or property are all that matter.

    Parts of texts may overlap in more ways than are tried once there are several.
    """
    parts = {(leaf.op == Op.MATCHES, str(leaf.value)) for leaf in leaves if leaf.op in _PARTS}
    others = any(leaf.op in _NUMBER | _TIME for leaf in leaves)
    return len(parts) + others < 2


def texts(leaves: Sequence[Comparison]) -> list[str]:
    """Texts made of what is compared with: the values, parts put together, patterns filled in, something else."""
    mentioned = [value for value in _mentioned(leaves, _EQUAL) if isinstance(value, str)]
    needles = [value for value in _mentioned(leaves, _HOLDS) if isinstance(value, str)]
    patterns = [leaf.value for leaf in leaves if leaf.op == Op.MATCHES]
    used = fold("".join([*mentioned, *needles, *patterns]))
    filler = next((letter for letter in "xyzqjkwv~^|#" if letter not in used), "\N{BULLET}")
    heads, tails, inner, whole = [""], [""], list(needles), []
    for pattern in patterns:
        head, *rest = re.split(r"\*+", pattern.replace("?", filler))
        if rest:
            heads.append(head)
            tails.append(rest[-1])
            inner += [piece for piece in rest[:-1] if piece]
        else:
            whole.append(head)
    found = [filler * 3, *mentioned, *whole, ""]
    for some in _some(list(dict.fromkeys(inner))):
        for head, tail in product(heads, tails):
            found += [glue.join([head, *some, tail]) for glue in (filler, "")]
    return list(dict.fromkeys(found))


def _some(parts: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """All ways to take some of a few; of many, each alone and all."""
    few = len(parts) <= _MAX_TOGETHER
    for size in range(len(parts) + 1) if few else (0, 1, len(parts)):
        yield from combinations(parts, size)


def _mentioned(leaves: Sequence[Comparison], ops: frozenset[Op]) -> list[Any]:
    """The values that comparisons of these sorts are made with."""
    values = (leaf.value if isinstance(leaf.value, list) else [leaf.value] for leaf in leaves if leaf.op in ops)
    return [value for some in values for value in some]


def _numbers(leaves: Sequence[Comparison]) -> list[int | float]:
    """Numbers on, between and beyond those mentioned."""
    found = [n for n in _mentioned(leaves, _NUMBER | _EQUAL) if isinstance(n, int | float) and not isinstance(n, bool)]
    marks = sorted(set(found))
    between = [(low + high) / 2 for low, high in pairwise(marks)]
    return [*marks, *between, *(n + step for n in marks for step in (-1, 1))]


def _times(leaves: Sequence[Comparison]) -> list[str]:
    """Times around those mentioned."""
    marks = sorted(at for value in _mentioned(leaves, _TIME) if (at := moment(value)))
    found = [*marks, *(low + (high - low) / 2 for low, high in pairwise(marks))]
    for at in marks:
        for step in (timedelta(days=-1), timedelta(days=1)):
            try:
                found.append(at + step)
            except OverflowError:
                continue
    return [at.isoformat() for at in found]
