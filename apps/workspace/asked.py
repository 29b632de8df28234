"""What a response was asked and what it says, in words: as the survey was then, in the reader's language."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.common.texts import FALLBACK, localized
from apps.responses.keeping import value_of
from apps.responses.models import Answer, Response, Revision
from apps.surveys import definition as survey
from apps.surveys import versions
from apps.surveys.definition import Definition, Option, Question, Value
from apps.workspace.wording import suspicion_in_words

STEP, BOX = 15, 12


@dataclass(frozen=True, slots=True)
class Told:
    """One question with its answer. ``words`` is empty where there is none; ``boxes`` draw a number."""

    question: str
    words: str = ""
    kind: str = ""
    boxes: Sequence[tuple[str, bool]] = ()

    @property
    def is_own_words(self) -> bool:
        """Whether the respondent wrote it."""
        return self.kind in survey.WORDS

    @property
    def width(self) -> str:
        """Of the drawing."""
        return str(STEP * len(self.boxes) - STEP + BOX)


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was said before it was replaced; or, with ``reasons``, what was not taken over.

    ``others`` are the answers that differ from what the response says now.
    """

    score: int | None
    comment: str
    others: Sequence[Told]
    reasons: Sequence[str | Promise]
    at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """The questions of a response in order with their answers, and what was said before."""

    answers: Sequence[Told]
    earlier: Sequence[Earlier]


def asked(response: Response, answers: Iterable[Answer], revisions: Iterable[Revision]) -> Asked:
    """Everything that was asked and said. Two queries if nobody noted what was asked, else none."""
    definition = _definition(response)
    stored = {answer.question_id: answer for answer in answers}
    said = _said(response, definition, stored)
    segment = survey.segment_of_answers(definition, said)
    shown = {question.key for question in survey.walk(definition, said, _facts(response))} | said.keys()
    told = [tell(q, said.get(q.key), segment) for q in definition.questions if q.key in shown]
    known = {question.id for question in definition.questions}
    if response.comment and all(question.kind != survey.COMMENT for question in definition.questions):
        told.append(Told(_("Comment"), response.comment, survey.COMMENT))
    # Answers to what the survey does not ask any more, from before anybody noted what was asked.
    told += [_bygone(answer) for pk, answer in stored.items() if pk not in known]
    return Asked(told, [_earlier(revision, definition, said) for revision in revisions])


def _definition(response: Response) -> Definition:
    if response.version is not None:
        return versions.definition_of(response.version)
    return versions.read(json.dumps(versions.current_document(response.survey)))


def _said(response: Response, definition: Definition, stored: Mapping[int, Answer]) -> dict[str, Value]:
    own: dict[str, Value | None] = {survey.NPS: response.score, survey.COMMENT: response.comment or None}
    found: dict[str, Value] = {}
    for question in definition.questions:
        value = own.get(question.kind)
        if question.id is not None and question.id in stored and question.kind not in own:
            value = value_of(question.kind, stored[question.id])
        if value is not None:
            found[question.key] = value
    return found


def _facts(response: Response) -> dict[str, Mapping[str, Any]]:
    """What is still known of what the conditions looked at."""
    contact = response.contact
    properties = contact.properties if contact and isinstance(contact.properties, dict) else {}
    known = {**properties, "country": contact.country} if contact else {}
    return {"property": response.properties, "contact": known, "response": {"language": response.locale}}


def tell(question: Question, value: Value | None, segment: str = "") -> Told:
    """A question in the words that its segment read, with its answer."""
    language = get_language() or FALLBACK
    text = localized(question.wording.get(segment), language) or localized(question.text, language) or question.key
    words = "" if value is None else in_words(question, value)
    return Told(text, words, question.kind, _boxes(question, value))


def in_words(question: Question, value: Value) -> str:
    """An answer as a human says it."""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, int):
        return _("%(n)s of %(high)s") % {"n": value, "high": question.bounds[1]}
    if question.kind not in survey.CHOICES:
        return str(value)
    options = {option.key: localized(option.text, get_language() or FALLBACK) for option in question.options}
    keys = value if isinstance(value, list) else [value]
    return ", ".join(options.get(key) or key for key in keys)


def _boxes(question: Question, value: Value | None) -> list[tuple[str, bool]]:
    """Left edge and fill of each step of a scale. Strings: templates would write numbers as the reader does."""
    if not isinstance(value, int) or isinstance(value, bool) or question.kind == survey.NPS:
        return []
    low, high = question.bounds
    return [(str(STEP * (n - low)), n <= value) for n in range(low, high + 1)]


def _bygone(answer: Answer) -> Told:
    row = answer.question
    options = tuple(Option(option["key"], option["text"]) for option in row.options)
    question = Question(row.key, row.kind, row.text, options=options, low=row.low, high=row.high)
    return tell(question, value_of(row.kind, answer))


def _earlier(revision: Revision, definition: Definition, now: Mapping[str, Value]) -> Earlier:
    then = revision.answers
    others = [tell(q, then[q.key]) for q in definition.questions if q.key in then and then[q.key] != now.get(q.key)]
    reasons = [suspicion_in_words(code) for code in revision.suspicions]
    return Earlier(revision.score, revision.comment, others, reasons, revision.replaced_at)
