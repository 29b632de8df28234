"""Reading a posted page. Plain: the page works without script and is under load."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.http import QueryDict
from django.utils.translation import gettext as _

from apps.common.operators import is_storable
from apps.responses.services import InvalidAnswerError
from apps.surveys.definition import (
    CHOICES,
    MAX_WORDS,
    MULTIPLE,
    OPT_IN,
    WORDS,
    YES_NO,
    Answers,
    Definition,
    Facts,
    Question,
    Value,
    is_address,
    walk,
)

MAX_CALL_BACK = 200
_ANSWER = "q-"
ADDRESS = "-email"
"""What the name of the address beside an agreement ends with."""
_YES_NO = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Read:
    """What one page was answered with. ``cleared`` are questions whose words were taken out again."""

    answers: dict[str, Value] = field(default_factory=dict)
    cleared: frozenset[str] = frozenset()


def read_page(data: QueryDict, definition: Definition, *, page: int, given: Answers, facts: Facts) -> Read:
    """The answers in a posted form. Raises InvalidAnswerError naming each wrong field.

    A question is required only where it is shown; the first page must answer something.
    """
    read, errors = read_fields(data, definition)
    asked = definition.pages[page] if page < len(definition.pages) else ()
    # An empty box says nothing: of a question that stood on the page, none ticked is an answer taken back.
    unticked = {q.key for q in asked if q.kind == MULTIPLE and q.key in given and q.key not in read.answers}
    together = {k: v for k, v in {**given, **read.answers}.items() if k not in read.cleared | unticked}
    shown = {question.key for question in walk(definition, together, facts)}
    for question in asked:
        if question.key in shown and question.is_required and question.key not in together:
            errors.setdefault(question.field_name, "required" if question.kind in WORDS else "missing")
    if not errors and not together and definition.lead:
        errors[definition.lead.field_name] = "missing"
    if errors:
        raise InvalidAnswerError(errors)
    # What an earlier answer has made pointless is not kept.
    pointless = frozenset(together) - shown
    answers = {key: value for key, value in read.answers.items() if key in shown}
    return Read(answers, read.cleared | unticked | pointless)


def read_fields(data: QueryDict, definition: Definition) -> tuple[Read, dict[str, str]]:
    """Answers and errors, whatever page they belong to."""
    answers: dict[str, Value] = {}
    cleared, errors = set(), {}
    known = {question.field_name: question for question in definition.questions}
    addresses = {f"{question.field_name}{ADDRESS}" for question in definition.questions if question.kind == OPT_IN}
    for name in data:
        if (name not in known and not name.startswith(_ANSWER)) or name in addresses:
            continue
        question = known.get(name)
        values = data.getlist(name)
        if question is None:
            if any(values):
                errors[name] = "unknown_question"
            continue
        value, problem = _read(question, values)
        if value is True and question.kind == OPT_IN and f"{name}{ADDRESS}" in data:
            value, problem = _address(str(data[f"{name}{ADDRESS}"]))
        if problem:
            errors[name] = problem
        elif value is not None:
            answers[question.key] = value
        elif question.kind in WORDS:
            cleared.add(question.key)
    return Read(answers, frozenset(cleared)), errors


def _read(question: Question, values: list[str]) -> tuple[Value | None, str]:
    """Value and error code of one field; no value and no error: nothing was said."""
    last = values[-1] if values else ""
    if question.kind in WORDS:
        words = last.replace("\r\n", "\n").strip()
        problem = "too_long" if len(words) > MAX_WORDS else "" if is_storable(words) else "unreadable"
        return words or None, problem
    if not last:
        return None, ""
    if question.is_number:
        number = _whole(last, *question.bounds)
        return number, "" if number is not None else "out_of_range"
    if question.kind in (YES_NO, OPT_IN):
        return _YES_NO.get(last), "" if last in _YES_NO else "out_of_range"
    keys = {option.key for option in question.options}
    if not set(values) <= keys or (question.kind not in CHOICES):
        return None, "out_of_range"
    # Several boxes of one question come as several values; in the survey's order, each once.
    return (last if question.kind == "single" else [o.key for o in question.options if o.key in values]), ""


def _address(text: str) -> tuple[str | None, str]:
    """Agreement of somebody whom we do not know comes with an address."""
    address = text.strip()
    return (address, "") if is_address(address) else (None, "no_address")


def read_call_back(data: Mapping[str, str]) -> str:
    """Where and when to call back. Raises InvalidAnswerError."""
    text = " ".join(str(data.get("call_back", "")).split())
    if not any(character.isdigit() for character in text):
        raise InvalidAnswerError({"call_back": "no_number"})
    if len(text) > MAX_CALL_BACK or not is_storable(text):
        raise InvalidAnswerError({"call_back": "too_long" if len(text) > MAX_CALL_BACK else "unreadable"})
    return text


def sentence(code: str) -> str:
    """What is wrong, and what to do, in the respondent's language."""
    return {
        "missing": _("Please choose one of the answers."),
        "required": _("Please write an answer."),
        "out_of_range": _("Please choose one of the answers offered."),
        "too_long": _("Please shorten your answer to 5,000 characters."),
        "unreadable": _("Your answer contains a character that cannot be stored. Please remove it."),
        "unknown_question": _("This question does not belong to the survey."),
        "no_address": _("Please enter your e-mail address, such as name@example.com."),
        "no_number": _("Please enter a telephone number."),
    }[code]


def _whole(raw: str, low: int, high: int) -> int | None:
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) <= 2 and low <= int(raw) <= high else None
