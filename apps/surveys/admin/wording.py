"""What is wrong with a survey, as sentences in the editor's language; and the words the condition editor needs."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.conditions import OPERATORS, Kind
from apps.surveys import definition
from apps.surveys.branching import Problem
from apps.surveys.models import Question

OP_WORDS: Mapping[str, Promise] = {
    "eq": gettext_lazy("is"),
    "ne": gettext_lazy("is not"),
    "in": gettext_lazy("is one of"),
    "not_in": gettext_lazy("is none of"),
    "contains": gettext_lazy("contains"),
    "not_contains": gettext_lazy("does not contain"),
    "matches": gettext_lazy("looks like"),
    "lt": gettext_lazy("<"),
    "le": gettext_lazy("≤"),
    "gt": gettext_lazy(">"),
    "ge": gettext_lazy("≥"),
    "between": gettext_lazy("is from … to"),
    "exists": gettext_lazy("is given"),
    "missing": gettext_lazy("is not given"),
    "before": gettext_lazy("is before"),
    "after": gettext_lazy("is after"),
}
_KINDS: Mapping[str, Promise] = {
    "text": gettext_lazy("a text"),
    "number": gettext_lazy("a number"),
    "time": gettext_lazy("a date"),
    "bool": gettext_lazy("yes or no"),
    "any": gettext_lazy("a property"),
}
_EXPECTED: Mapping[str, Promise] = {
    **_KINDS,
    "scalar": gettext_lazy("a text, a number, or yes or no"),
    "list": gettext_lazy("a list of values"),
    "range": gettext_lazy("two numbers, from and to"),
}
_TEXTS: Mapping[str, Promise] = {
    # the survey
    "no_questions": gettext_lazy("A survey needs a question: begin with recommendation, satisfaction or effort."),
    "too_many_questions": gettext_lazy("A survey has at most %(limit)s questions."),
    # a question
    "lead_first": gettext_lazy(
        "The first question asks for recommendation, satisfaction or effort; move such a one up."
    ),
    "lead_has_condition": gettext_lazy("The first question is always shown: remove the condition."),
    "duplicate_key": gettext_lazy("Another question already has the key “%(key)s”."),
    "few_options": gettext_lazy("A choice needs at least two options."),
    "bad_scale": gettext_lazy("The scale must end above its beginning."),
    "never_shown": gettext_lazy(
        "This question can never be shown: no answers lead to it. Change the condition or remove the question."
    ),
    "too_complicated": gettext_lazy("Whether this question can be shown at all is too complicated to find out."),
    # its condition
    "refers_to_itself": gettext_lazy("A question cannot depend on its own answer."),
    "refers_to_later": gettext_lazy("The question “%(question)s” comes later: only earlier answers are known here."),
    "refers_to_unknown": gettext_lazy("There is no question “%(question)s” (any more)."),
    "unknown_option": gettext_lazy("The question “%(question)s” has no option “%(value)s”."),
    "unknown_segment_word": gettext_lazy("Choose promoter, passive or detractor instead of “%(value)s”."),
    "unknown_language": gettext_lazy("Surveys are not shown in the language “%(value)s”."),
    "out_of_range": gettext_lazy("%(value)s cannot be answered: only whole numbers from %(low)s to %(high)s."),
    "no_score": gettext_lazy("No recommendation question comes before, so there is no score to compare."),
    "contains_only": gettext_lazy("Several can be chosen at “%(question)s”: compare with “contains”."),
    "needs_clock": gettext_lazy("A survey's conditions cannot look at how long ago something was."),
    "not_an_object": gettext_lazy("This is neither a comparison nor a group of comparisons."),
    "ambiguous": gettext_lazy("This is a group and a comparison, or two groups, at once."),
    "empty_group": gettext_lazy("The group is empty: add a comparison or remove the group."),
    "not_a_list": gettext_lazy("A group needs a list of comparisons."),
    "unknown_key": gettext_lazy("“%(key)s” means nothing here."),
    "missing_key": gettext_lazy("“%(key)s” is missing."),
    "too_deep": gettext_lazy("The groups lie too deep within each other; at most %(limit)s levels."),
    "too_many": gettext_lazy("There are too many comparisons; at most %(limit)s."),
    "unknown_field": gettext_lazy("“%(field)s” is not known, or cannot be the name of a property."),
    "unknown_operator": gettext_lazy("Choose how it is compared."),
    "operator_not_allowed": gettext_lazy("“%(op)s” does not go with %(kind)s."),
    "wrong_type": gettext_lazy("The value must be %(expected)s."),
    "value_not_allowed": gettext_lazy("This comparison takes no value."),
    "empty_value": gettext_lazy("The value is missing."),
    "too_long": gettext_lazy("The value is too long; at most %(limit)s characters."),
    "bad_characters": gettext_lazy("The value has characters that cannot be stored."),
    "bad_number": gettext_lazy("The number is too large; at most %(limit)s."),
    "bad_range": gettext_lazy("“From” is higher than “to”."),
    "bad_pattern": gettext_lazy("A pattern has at most %(max_length)s characters and %(max_stars)s asterisks."),
    "bad_time": gettext_lazy("The value must be a date such as 2026-01-31."),
    "segment_not_allowed": gettext_lazy("A segment cannot be part of this condition."),
}
# The field of the form that a problem is told at; "" stands for the whole survey, everything else for the condition.
FIELDS: Mapping[str, str] = {
    "no_questions": "",
    "too_many_questions": "",
    "lead_first": "kind",
    "more_than_one": "kind",
    "duplicate_key": "key",
    "few_options": "options",
    "bad_scale": "high",
}


def sentence(problem: Problem, names: Mapping[str, str]) -> str:
    """What is wrong; ``names`` says what questions are called, by their keys."""
    if problem.code == "more_than_one":
        if problem.params["kind"] == definition.NPS:
            return _("A survey has at most one recommendation question.")
        return _("A survey has at most one comment question.")
    if problem.code == "missing_key" and problem.params.get("key") == "value":
        return str(_TEXTS["empty_value"])
    if problem.code == "unknown_field" and not str(problem.params["field"]).rpartition(".")[2]:
        return _("Write the name of the property.") if problem.params["field"] else _("Choose what is compared.")
    template = _TEXTS.get(problem.code)
    if template is None:
        return _("This means nothing (%(code)s).") % {"code": problem.code}
    return str(template) % {name: _in_words(name, value, names) for name, value in problem.params.items()}


def _in_words(name: str, value: Any, names: Mapping[str, str]) -> str:
    if name == "op":
        return str(OP_WORDS.get(str(value), value))
    if name == "kind":
        return str(_KINDS.get(str(value), value))
    if name == "expected":
        return str(_EXPECTED.get(str(value), value))
    if name == "question":
        return names.get(str(value)) or str(value)
    return number_format(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def vocabulary() -> dict[str, Any]:
    """All that the editor's scripts need to know, as JSON. No query."""
    offered = {
        str(kind): [[str(op), str(OP_WORDS[op])] for op in ops if op in OP_WORDS] for kind, ops in OPERATORS.items()
    }
    offered["several"] = [[op, str(OP_WORDS[op])] for op in ("contains", "not_contains", "exists", "missing")]
    offered["option"] = [[op, str(OP_WORDS[op])] for op in ("eq", "ne", "in", "not_in", "exists", "missing")]
    bounds = {kind: list(definition.Question("", kind, {}).bounds) for kind in ("nps", "csat", "ces", "rating")}
    return {
        "languages": [[code, str(name)] for code, name in settings.LANGUAGES],
        "ops": offered,
        "opNames": {op: str(words) for op, words in OP_WORDS.items()},
        "bounds": bounds,
        "leads": sorted(definition.LEADS),
        "maxOptions": definition.MAX_OPTIONS,
        "segments": [["promoter", _("promoters")], ["passive", _("passives")], ["detractor", _("detractors")]],
        "kinds": {
            value: [str(label), str(Kind.ANY) if value in definition.CHOICES else ""]
            for value, label in Question.Kind.choices
        },
        "texts": {**_card_texts(), **_condition_texts()},
    }


def _card_texts() -> dict[str, str]:
    return {
        "question": _("Question {number}"),
        "new": _("new question"),
        "up": _("Move question {number} up"),
        "down": _("Move question {number} down"),
        "drag": _("Drag to move"),
        "open": _("Question {number}: show or hide its fields"),
        "option": _("Option {number}"),
        "option_text": _("Option {number}, {language}"),
        "add_option": _("Add an option"),
        "remove_option": _("Remove option {number}"),
        "option_up": _("Move option {number} up"),
    }


def _condition_texts() -> dict[str, str]:
    return {
        "always": _("No condition: it is always shown."),
        "mode": _("How the comparisons below are combined"),
        "all": _("All of these hold"),
        "any": _("At least one of these holds"),
        "comparison": _("Comparison {number}"),
        "field": _("What is compared"),
        "choose": _("choose …"),
        "group_score": _("Score"),
        "group_answers": _("Earlier questions"),
        "group_more": _("Contact and page"),
        "score": _("score"),
        "segment": _("promoter, passive or detractor"),
        "language": _("language"),
        "country": _("country of the contact"),
        "contact": _("another property of the contact …"),
        "property": _("a property of the link or page …"),
        "name": _("Name of the property"),
        "operator": _("How it is compared"),
        "value": _("Value"),
        "values": _("Values"),
        "low": _("Lowest value"),
        "high": _("Highest value"),
        "to": _("to"),
        "yes": _("yes"),
        "no": _("no"),
        "add_row": _("Add a comparison"),
        "remove": _("Remove comparison {number}"),
        "kept": _("This condition cannot be shown as rows; it is kept as it is and can be changed as text."),
        "gone": _("{name} (not asked before)"),
    }
