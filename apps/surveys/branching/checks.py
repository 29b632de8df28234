"""What is wrong with a definition, as codes: the sentences are somebody else's."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from apps.common.conditions import Comparison, ConditionError, Op, parse
from apps.common.segments import DETRACTOR, PASSIVE, PROMOTER
from apps.surveys.branching.reach import LANGUAGES, Budget, TooComplicated, find, leaves
from apps.surveys.definition import (
    CHOICES,
    COMMENT,
    LEADS,
    MAX_QUESTIONS,
    MULTIPLE,
    NPS,
    SCALE,
    SINGLE,
    Definition,
    Question,
    catalogue_before,
    load,
)

HINTS = frozenset({"too_complicated"})
"""What is worth saying, but no reason to refuse."""
_EQUAL = frozenset({Op.EQ, Op.NE, Op.IN, Op.NOT_IN})
_NUMBER = frozenset({Op.LT, Op.LE, Op.GT, Op.GE, Op.BETWEEN})
_CLOCK = frozenset({Op.WITHIN_DAYS, Op.OLDER_DAYS})
_OF_MULTIPLE = frozenset({Op.CONTAINS, Op.NOT_CONTAINS, Op.EXISTS, Op.MISSING})
_SEGMENTS = (PROMOTER, PASSIVE, DETRACTOR)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: with which question ("" is the survey), what, and where in its condition."""

    question_key: str
    code: str
    params: dict[str, Any] = field(default_factory=dict)
    path: str = ""
    """Within the condition, such as ``all.0.value``."""
    place: int | None = None
    """Which question it is, from 0: keys may be the same by mistake."""


def problems(document: Mapping[str, Any], languages: Sequence[str] = LANGUAGES) -> list[Problem]:
    """All that is wrong with a definition, question by question."""
    definition = load(document)
    found = list(_of_survey(definition))
    keys = Counter(question.key for question in definition.questions)
    budget = Budget()
    for place, question in enumerate(definition.questions):
        own = [*_of_question(definition, place), *_of_condition(definition, question, languages)]
        if max(keys.values()) == 1 and not own:
            own += _of_way(definition, question, languages, budget)
        found += [replace(problem, question_key=question.key, place=place) for problem in own]
    return found


def _of_survey(definition: Definition) -> Iterator[Problem]:
    if not definition.questions:
        yield Problem("", "no_questions")
    if len(definition.questions) > MAX_QUESTIONS:
        yield Problem("", "too_many_questions", {"limit": MAX_QUESTIONS})


def _of_question(definition: Definition, place: int) -> Iterator[Problem]:
    question, earlier = definition.questions[place], definition.questions[:place]
    if place == 0 and question.kind not in LEADS:
        yield Problem("", "lead_first")
    if place == 0 and question.show_if:
        yield Problem("", "lead_has_condition")
    if any(q.key == question.key for q in earlier):
        yield Problem("", "duplicate_key", {"key": question.key})
    if question.kind in {NPS, COMMENT} and any(q.kind == question.kind for q in earlier):
        yield Problem("", "more_than_one", {"kind": question.kind})
    if question.kind in CHOICES and len(question.options) < 2:
        yield Problem("", "few_options")
    if question.kind == SCALE and question.low >= question.high:
        yield Problem("", "bad_scale", {"low": question.low, "high": question.high})


def _of_condition(definition: Definition, question: Question, languages: Sequence[str]) -> Iterator[Problem]:
    if not question.show_if or question is definition.lead:
        return
    try:
        condition = parse(question.show_if, catalogue_before(definition.questions, question))
    except ConditionError as error:
        for wrong in error.errors:
            yield _of_parsing(definition, question, Problem("", wrong.code, dict(wrong.params), wrong.path))
        return
    for leaf in leaves(condition.root):
        for found in _of_leaf(definition, question, leaf, languages):
            yield replace(found, path=f"{leaf.path}.{found.path}" if leaf.path else found.path)


def _of_parsing(definition: Definition, question: Question, problem: Problem) -> Problem:
    """A problem of the language; where an answer is asked for that is not known yet, which."""
    root, _dot, key = str(problem.params.get("field", "")).partition(".")
    if problem.code != "unknown_field" or root != "answer":
        return problem
    params = {"question": key}
    if key == question.key:
        return replace(problem, code="refers_to_itself", params=params)
    later = definition.question(key) is not None
    return replace(problem, code="refers_to_later" if later else "refers_to_unknown", params=params)


def _of_leaf(
    definition: Definition, question: Question, leaf: Comparison, languages: Sequence[str]
) -> Iterator[Problem]:
    if leaf.op in _CLOCK:
        yield Problem("", "needs_clock", path="op")
    values = leaf.value if isinstance(leaf.value, list) else [leaf.value]
    root, _dot, key = leaf.field.partition(".")
    if leaf.field == "response.segment":
        yield from _unknown(leaf, values, _SEGMENTS, "unknown_segment_word")
    elif leaf.field == "response.language":
        yield from _unknown(leaf, values, languages, "unknown_language")
    elif leaf.field == "response.score":
        asked = next((q for q in _before(definition, question) if q.kind == NPS), None)
        if asked is None:
            yield Problem("", "no_score", path="field")
        else:
            yield from _out_of_range(leaf, values, asked)
    elif root == "answer" and (other := definition.question(key)):
        yield from _of_answer(leaf, values, other)


def _before(definition: Definition, question: Question) -> tuple[Question, ...]:
    return definition.questions[: definition.questions.index(question)]


def _of_answer(leaf: Comparison, values: list[Any], other: Question) -> Iterator[Problem]:
    options = [option.key for option in other.options]
    params = {"question": other.key}
    if other.is_number:
        yield from _out_of_range(leaf, values, other)
    elif other.kind == SINGLE:
        yield from _unknown(leaf, values, options, "unknown_option", params)
    elif other.kind == MULTIPLE:
        if leaf.op not in _OF_MULTIPLE:
            yield Problem("", "contains_only", params, path="op")
        elif leaf.op in {Op.CONTAINS, Op.NOT_CONTAINS}:
            yield from (
                Problem("", "unknown_option", {**params, "value": value}, path="value")
                for value in values
                if str(value) not in options
            )


def _unknown(
    leaf: Comparison, values: list[Any], known: Sequence[str], code: str, params: Mapping[str, Any] | None = None
) -> Iterator[Problem]:
    if leaf.op in _EQUAL:
        for value in values:
            if value not in known:
                yield Problem("", code, {**(params or {}), "value": value}, path="value")


def _out_of_range(leaf: Comparison, values: list[Any], asked: Question) -> Iterator[Problem]:
    low, high = asked.bounds
    for value in values:
        if leaf.op not in _EQUAL | _NUMBER:
            continue
        if not low <= value <= high or (leaf.op in _EQUAL and value != int(value)):
            yield Problem("", "out_of_range", {"value": value, "low": low, "high": high}, path="value")


def _of_way(definition: Definition, question: Question, languages: Sequence[str], budget: Budget) -> Iterator[Problem]:
    try:
        if find(definition, question, languages, budget) is None:
            yield Problem("", "never_shown")
    except TooComplicated:
        yield Problem("", "too_complicated")
