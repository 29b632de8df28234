"""Which questions can be shown at all, and with which answers: by trying, cleverly."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from apps.common.conditions import Comparison, Condition, Node
from apps.surveys.branching.values import Told, answers_of, apart, facts_of_leaves, is_certain
from apps.surveys.definition import NPS, WORDS, Definition, Question, Value, facts_of, load, needs, walk

MAX_TESTS = 50_000
LANGUAGES = ("en", "de")
_NOW = datetime(2000, 1, 1, tzinfo=UTC)  # Conditions that look at the clock are refused.
_OF_LEAD = frozenset({"response.score", "response.segment"})
_LANGUAGE = "response.language"


class TooComplicated(Exception):
    """There are more ways than can be tried."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Answers and facts with which a question is shown."""

    answers: Mapping[str, Value]
    facts: Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class Budget:
    """How many conditions may still be tested."""

    left: int = MAX_TESTS

    def take(self) -> None:
        """One more; raises TooComplicated if there are none left."""
        self.left -= 1
        if self.left < 0:
            raise TooComplicated


def witness(document: Mapping[str, Any], key: str, languages: Sequence[str] = LANGUAGES) -> Witness | None:
    """How a question comes to be shown; None if it never is. Raises TooComplicated where that is not found out."""
    definition = load(document)
    question = definition.question(key)
    return find(definition, question, languages, Budget()) if question else None


def find(definition: Definition, question: Question, languages: Sequence[str], budget: Budget) -> Witness | None:
    """How a question comes to be shown."""
    search = _Search(definition, question, languages, budget)
    if search.descend(0):
        found = search.completed()
        if any(shown.key == question.key for shown in walk(definition, found.answers, found.facts)):
            return found
        raise TooComplicated
    if not search.is_certain:
        raise TooComplicated
    return None


@dataclass(slots=True)
class _Search:
    """Goes through what the question depends on, in order, and gives up each way as soon as it cannot lead there."""

    definition: Definition
    question: Question
    languages: Sequence[str]
    budget: Budget
    answers: dict[str, Value] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)
    """Facts by the name of their field."""
    settled: set[str] = field(default_factory=set)
    """Keys of questions and names of facts that nothing will change any more."""
    tried: dict[str, list[Any]] = field(default_factory=dict)
    """The values worth trying, by fact or question."""
    way: "_Way" = field(init=False)

    def __post_init__(self) -> None:
        self.way = _Way(self.definition, self.question)

    @property
    def is_certain(self) -> bool:
        """Whether finding nothing means that there is nothing."""
        words = [f"answer.{q.key}" for q in self.way.questions if q.kind in WORDS]
        names = [name for name in self.way.facts if name != _LANGUAGE]
        nested = any(other.startswith(f"{name}.") for name in names for other in names)
        return not nested and all(is_certain(self.way.leaves_of({name})) for name in [*names, *words])

    def descend(self, place: int) -> bool:
        """Try all that is still open from this place on."""
        outlook = self._outlook()
        if outlook is not None:
            return outlook
        if place < len(self.way.facts):
            return self._try_fact(place)
        place_of_question = place - len(self.way.facts)
        if place_of_question >= len(self.way.questions):
            return False
        return self._try_answers(place, self.way.questions[place_of_question])

    def _try_fact(self, place: int) -> bool:
        name = self.way.facts[place]
        self.settled.add(name)
        for value in self._values(name):
            self.known[name] = value
            if self.descend(place + 1):
                return True
        del self.known[name]
        self.settled.remove(name)
        return False

    def _try_answers(self, place: int, question: Question) -> bool:
        self.settled.add(question.key)
        values = self._answers(question) if self._is_shown(question) else []
        for value in values:
            self.answers[question.key] = value
            if self.descend(place + 1):
                return True
        self.answers.pop(question.key, None)
        if not (values and question.is_required) and self.descend(place + 1):
            return True
        self.settled.remove(question.key)
        return False

    def _is_shown(self, question: Question) -> bool:
        condition = self.definition.conditions.get(question.key)
        if condition is None:
            return True
        self.budget.take()
        return condition.test(self._facts(), _NOW)

    def _facts(self) -> dict[str, Mapping[str, Any]]:
        return facts_of(self.definition, self.answers, nested(self.known))

    def _values(self, name: str) -> list[Any]:
        leaves = self.way.leaves_of({name})

        def look(value: Any) -> Told:
            self.budget.take()
            facts = nested({name: value})
            return tuple(leaf.test(facts, _NOW) for leaf in leaves)

        if name not in self.tried:
            found = apart(self.languages, look) if name == _LANGUAGE else facts_of_leaves(leaves, look)
            self.tried[name] = list(found)
        return self.tried[name]

    def _answers(self, question: Question) -> list[Value]:
        leads = question.kind == NPS or question is self.definition.lead
        leaves = self.way.leaves_of({f"answer.{question.key}"} | (_OF_LEAD if leads else set()))

        def look(value: Any) -> Told:
            self.budget.take()
            facts = facts_of(self.definition, {question.key: value}, {})
            return tuple(leaf.test(facts, _NOW) for leaf in leaves)

        name = f"answer.{question.key}"
        if name not in self.tried:
            self.tried[name] = list(answers_of(question, leaves, look))
        return self.tried[name]

    def _outlook(self) -> bool | None:
        """Whether the question is shown or not whatever else is answered; None if that depends."""
        facts, settled = self._facts(), set(self.settled)
        for question in self.way.questions:
            condition = self.definition.conditions.get(question.key)
            if question.key not in settled and condition and self._holds(condition, question, facts, settled) is False:
                settled.add(question.key)  # It is left out, so it stays unanswered.
        condition = self.definition.conditions.get(self.question.key)
        return True if condition is None else self._holds(condition, self.question, facts, settled)

    def _holds(
        self, condition: Condition, question: Question, facts: Mapping[str, Any], settled: set[str]
    ) -> bool | None:
        self.budget.take()
        sources = self.way.sources(question)

        def look(leaf: Comparison) -> bool | None:
            root, _dot, key = leaf.field.partition(".")
            needed = sources if leaf.field in _OF_LEAD else {key} if root == "answer" else {leaf.field}
            return leaf.test(facts, _NOW) if needed <= settled else None

        return _three_valued(condition.root, look)

    def completed(self) -> Witness:
        """What was found, with an answer to each required question on the way."""
        facts = nested({_LANGUAGE: self.languages[0], **self.known})
        answers = dict(self.answers)
        while (question := self._unanswered(answers, facts)) is not None:
            # Nothing that is decisive depends on it, or it would have been answered.
            answers[question.key] = self._answers(question)[0]
        return Witness(answers, facts)

    def _unanswered(self, answers: Mapping[str, Value], facts: Mapping[str, Mapping[str, Any]]) -> Question | None:
        """The first question on the way that must be answered, can be, and is not yet."""
        for question in walk(self.definition, answers, facts):
            if question.key == self.question.key:
                break
            if question.is_required and question.key not in answers and self._answers(question):
                return question
        return None


class _Way:
    """What a question depends on, directly or not."""

    def __init__(self, definition: Definition, question: Question) -> None:
        self._definition = definition
        self._order = {q.key: place for place, q in enumerate(definition.questions)}
        found: set[str] = set()
        open_keys = [question.key]
        while open_keys:
            key = open_keys.pop()
            condition = definition.conditions.get(key)
            before = {k for k in needs(condition, definition.questions) if self._is_before(k, key)} if condition else ()
            open_keys += [k for k in before if k not in found]
            found |= set(before)
        self.questions = [q for q in definition.questions if q.key in found]
        keys = [*(q.key for q in self.questions), question.key]
        self._conditions = [definition.conditions[key] for key in keys if key in definition.conditions]
        names = frozenset[str]().union(*(condition.fields for condition in self._conditions))
        self.facts = sorted(n for n in names if n not in _OF_LEAD and not n.startswith("answer."))

    def _is_before(self, key: str, other: str) -> bool:
        return self._order.get(key, len(self._order)) < self._order[other]

    @cached_property
    def _leaves(self) -> list[Comparison]:
        return [leaf for condition in self._conditions for leaf in leaves(condition.root)]

    def leaves_of(self, names: Iterable[str]) -> list[Comparison]:
        """The comparisons of these fields."""
        wanted = set(names)
        return [leaf for leaf in self._leaves if leaf.field in wanted]

    def sources(self, question: Question) -> set[str]:
        """The questions before this one that score and segment come from."""
        lead = self._definition.lead
        return {q.key for q in self.questions if (q is lead or q.kind == NPS) and self._is_before(q.key, question.key)}


def leaves(node: Node) -> Iterator[Comparison]:
    """The comparisons of a tree."""
    if isinstance(node, Comparison):
        yield node
    else:
        for part in node.parts:
            yield from leaves(part)


def nested(known: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Facts by root, objects within objects where a name has several parts."""
    facts: dict[str, dict[str, Any]] = {}
    for name in sorted(known):
        root, *between, last = name.split(".")
        inside = facts.setdefault(root, {})
        for part in between:
            if not isinstance(inside.get(part), dict):
                inside[part] = {}
            inside = inside[part]
        inside[last] = known[name]
    return facts


def _three_valued(node: Node, look: Any) -> bool | None:
    """What a tree comes to where some of its comparisons are not known yet."""
    if isinstance(node, Comparison):
        found: bool | None = look(node)
        return found
    parts = [_three_valued(part, look) for part in node.parts]
    if node.word == "not":
        return None if parts[0] is None else not parts[0]
    decisive = node.word == "any"
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive
