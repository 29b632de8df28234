"""A survey as it is shown: questions in order, split into pages, with what each depends on. Pure: no Django.

A definition is plain JSON (kept in a survey's versions); :func:`load` makes it ready to be walked. Questions are only
ever shown or left out, in their order: whatever is answered, the way leads forward and ends at the thanks.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from apps.common.conditions import Catalogue, Condition, ConditionError, Kind, parse
from apps.common.operators import is_storable
from apps.common.segments import DETRACTOR, PASSIVE, PROMOTER, segment_of

NPS, CSAT, CES, COMMENT, TEXT = "nps", "csat", "ces", "comment", "text"
SINGLE, MULTIPLE, RATING, SCALE, YES_NO, OPT_IN = "single", "multiple", "rating", "scale", "yes_no", "opt_in"
LEADS = frozenset({NPS, CSAT, CES})
CHOICES = frozenset({SINGLE, MULTIPLE})
WORDS = frozenset({COMMENT, TEXT})
MAX_OPTIONS = 30
MAX_QUESTIONS = 40
MAX_WORDS = 5_000
MAX_ADDRESS = 254
_BOUNDS = {NPS: (0, 10), CSAT: (1, 5), CES: (1, 7), RATING: (1, 5)}
_KINDS = {SINGLE: Kind.TEXT, COMMENT: Kind.TEXT, TEXT: Kind.TEXT, YES_NO: Kind.BOOL, OPT_IN: Kind.BOOL}
_is_key = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}").fullmatch
_is_address = re.compile(r"[^\s@<>\"(),:;\\\[\]]+@[^\s@<>\"(),:;\\\[\]]+\.[^\s@<>\"(),:;\\\[\].]{2,}").fullmatch
_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)

Texts = Mapping[str, str]
Value = int | bool | str | list[str]
Answers = Mapping[str, Value]
"""Question key → what was answered: number, yes or no, words, key of an option, keys of options.

Agreement to e-mail is yes, no, or the address of somebody whom we did not know.
"""
Facts = Mapping[str, Mapping[str, Any]]
"""What conditions may ask beside answers: ``contact``, ``property``, ``response`` (its language)."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose."""

    key: str
    text: Texts


@dataclass(frozen=True, slots=True)
class Question:
    """One question. ``wording`` has texts for promoter, passive and detractor where they differ."""

    key: str
    kind: str
    text: Texts
    id: int | None = None
    wording: Mapping[str, Texts] = field(default_factory=dict)
    style: str = "numbers"
    is_required: bool = False
    options: tuple[Option, ...] = ()
    low: int = 1
    high: int = 5
    low_label: Texts = field(default_factory=dict)
    high_label: Texts = field(default_factory=dict)
    show_if: Mapping[str, Any] = field(default_factory=dict)

    @property
    def bounds(self) -> tuple[int, int]:
        """Lowest and highest number that can be answered."""
        return _BOUNDS.get(self.kind, (self.low, self.high))

    @property
    def is_number(self) -> bool:
        """Whether it is answered with a number."""
        return self.kind in _BOUNDS or self.kind == SCALE

    @property
    def field_name(self) -> str:
        """Its name in the form and in the address."""
        return {NPS: "score", COMMENT: "comment"}.get(self.kind, f"q-{self.key}")


@dataclass(frozen=True, slots=True)
class Thanks:
    """What is said at the end."""

    heading: Texts = field(default_factory=dict)
    text: Texts = field(default_factory=dict)
    button_label: Texts = field(default_factory=dict)
    button_url: str = ""
    offers_call_back: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """A survey ready to be walked. ``conditions`` has one per question that is not always shown.

    Equal to itself only, so that it can be the key of what is made from it.
    """

    questions: tuple[Question, ...]
    thanks: Mapping[str, Thanks]
    is_anonymous: bool
    conditions: Mapping[str, Condition]
    pages: tuple[tuple[Question, ...], ...]
    incentive: Texts = field(default_factory=dict)
    """What is promised for answering, whatever is answered."""

    @property
    def is_incentivised(self) -> bool:
        """Whether anything is promised for answering."""
        return any(self.incentive.values())

    @property
    def lead(self) -> Question | None:
        """The question that everything begins with."""
        return self.questions[0] if self.questions else None

    def question(self, key: str) -> Question | None:
        """The question with this key."""
        return next((q for q in self.questions if q.key == key), None)

    def thanks_for(self, segment: str) -> Thanks:
        """The page for a segment, else the one for everybody else."""
        return self.thanks.get(segment) or self.thanks.get("") or Thanks()


def load(document: Mapping[str, Any]) -> Definition:
    """The definition in a document; a condition that cannot be understood counts as always true."""
    questions = tuple(_question(row) for row in document.get("questions", ()))
    conditions = {}
    for question in questions:
        if question.show_if:
            try:
                conditions[question.key] = parse(question.show_if, catalogue_before(questions, question))
            except ConditionError:
                continue
    return Definition(
        questions=questions,
        thanks={segment: Thanks(**row) for segment, row in document.get("thanks", {}).items()},
        is_anonymous=bool(document.get("is_anonymous")),
        conditions=conditions,
        pages=_pages(questions, conditions),
        incentive=document.get("incentive", {}),
    )


def _question(row: Mapping[str, Any]) -> Question:
    options = tuple(Option(o["key"], o["text"]) for o in row.get("options", ()))
    return Question(**{**row, "options": options})


def catalogue_before(questions: Iterable[Question], question: Question) -> Catalogue:
    """What a question's condition may speak of: the score, and answers to the questions before it."""
    fields = {"response.score": Kind.NUMBER, "response.segment": Kind.TEXT, "response.language": Kind.TEXT}
    for earlier in questions:
        if earlier.key == question.key:
            break
        kind = Kind.NUMBER if earlier.is_number else _KINDS.get(earlier.kind, Kind.ANY)
        fields[f"answer.{earlier.key}"] = kind
    return Catalogue(fields, open_roots=frozenset({"contact", "property"}))


def needs(condition: Condition, questions: tuple[Question, ...]) -> set[str]:
    """Keys of the questions whose answers a condition looks at."""
    found = {name.split(".")[1] for name in condition.fields if name.startswith("answer.")}
    if questions and condition.fields & {"response.score", "response.segment"}:
        found.add(questions[0].key)
        found |= {q.key for q in questions if q.kind == NPS}
    return found


def _pages(questions: tuple[Question, ...], conditions: Mapping[str, Condition]) -> tuple[tuple[Question, ...], ...]:
    """The lead, with a comment right behind it; then as many together as do not depend on each other."""
    pages: list[list[Question]] = []
    for place, question in enumerate(questions):
        needed = needs(conditions[question.key], questions) if question.key in conditions else set()
        beside_lead = place == 1 and question.kind == COMMENT and not needed
        if not pages or (len(pages) == 1 and not beside_lead) or any(q.key in needed for q in pages[-1]):
            pages.append([])
        pages[-1].append(question)
    return tuple(tuple(page) for page in pages)


def segment_of_answers(definition: Definition, answers: Answers) -> str:
    """promoter, passive or detractor, by the first question that was answered with NPS, else by the lead; "" if none.

    Satisfaction of 4 and 5 and ease of 5 to 7 count as a promoter's, 3 and 4 in the middle, the rest as a detractor's.
    """
    score = score_of(definition, answers)
    if score is not None:
        return segment_of(score)
    lead = definition.lead
    value = answers.get(lead.key) if lead else None
    if lead is None or lead.kind == NPS or not isinstance(value, int):
        return ""
    happy, middle = (4, 3) if lead.kind == CSAT else (5, 4)
    if value >= happy:
        return PROMOTER
    return PASSIVE if value >= middle else DETRACTOR


def score_of(definition: Definition, answers: Answers) -> int | None:
    """What the recommendation question was answered with; None if it was not."""
    for question in definition.questions:
        if question.kind == NPS:
            value = answers.get(question.key)
            return value if isinstance(value, int) else None
    return None


def walk(definition: Definition, answers: Answers, facts: Facts) -> list[Question]:
    """The questions that are shown with these answers, in order; what is not shown counts as not answered."""
    shown: list[Question] = []
    effective: dict[str, Value] = {}
    for question in definition.questions:
        condition = definition.conditions.get(question.key)
        if condition is not None and not condition.test(facts_of(definition, effective, facts), _NO_TIME):
            continue
        shown.append(question)
        if question.key in answers:
            value = answers[question.key]
            effective[question.key] = True if question.kind == OPT_IN and isinstance(value, str) else value
    return shown


def facts_of(definition: Definition, answers: Answers, facts: Facts) -> dict[str, Mapping[str, Any]]:
    """Everything that conditions may ask, by root."""
    about = {"score": score_of(definition, answers), "segment": segment_of_answers(definition, answers) or None}
    return {**facts, "answer": answers, "response": {**facts.get("response", {}), **about}}


def next_page(definition: Definition, answers: Answers, facts: Facts, after: int) -> int | None:
    """The first page behind ``after`` with a question that is shown and not answered yet; None: all is done."""
    shown = {question.key for question in walk(definition, answers, facts)}
    for number in range(after + 1, len(definition.pages)):
        if any(q.key in shown and q.key not in answers for q in definition.pages[number]):
            return number
    return None


def passed_over(definition: Definition, answers: Answers, facts: Facts, before: int) -> int | None:
    """The first page before ``before`` with a required question that is shown and was not answered; None: none was."""
    shown = {question.key for question in walk(definition, answers, facts)}
    for number, page in enumerate(definition.pages[:before]):
        if any(q.is_required and q.key in shown and q.key not in answers for q in page):
            return number
    return None


def fits(question: Question, value: Any) -> bool:
    """Whether a value can be the answer to a question."""
    if question.is_number:
        low, high = question.bounds
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    if question.kind == OPT_IN and isinstance(value, str):
        return is_address(value)
    if question.kind in (YES_NO, OPT_IN):
        return isinstance(value, bool)
    if question.kind in WORDS:
        return isinstance(value, str) and 0 < len(value) <= MAX_WORDS and is_storable(value)
    keys = {option.key for option in question.options}
    if question.kind == SINGLE:
        return isinstance(value, str) and value in keys
    return isinstance(value, list) and 0 < len(value) == len(set(value)) and set(value) <= keys


def is_address(text: str) -> bool:
    """Whether it looks like an e-mail address; whether it is one shows when its owner confirms."""
    return len(text) <= MAX_ADDRESS and is_storable(text) and _is_address(text) is not None


def option_problem(value: Any) -> str:
    """What is wrong with a list of options: "shape", "many", "key", "text", or "" if nothing is."""
    if not isinstance(value, list) or not all(isinstance(row, dict) and set(row) == {"key", "text"} for row in value):
        return "shape"
    if len(value) > MAX_OPTIONS:
        return "many"
    keys = [row["key"] for row in value]
    if not all(isinstance(key, str) and _is_key(key) for key in keys) or len(set(keys)) < len(keys):
        return "key"
    texts = [row["text"] for row in value]
    if not all(isinstance(t, dict) and any(t.values()) and all(isinstance(v, str) for v in t.values()) for t in texts):
        return "text"
    return ""
