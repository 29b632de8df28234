"""What is wrong with a condition or with send windows, as sentences that name the place, in the reader's language."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from apps.common.conditions import ConditionError, Problem
from apps.common.schedule import ScheduleError
from apps.triggers.sentences import OPERATORS, field_in_words, value_in_words

_LEAF_KEYS = frozenset({"field", "op", "value"})
# What is wrong with a group rather than with a comparison.
_OF_GROUPS = frozenset({"not_an_object", "ambiguous", "empty_group", "not_a_list", "too_deep"})
_KINDS: Mapping[str, Promise] = {
    "text": gettext_lazy("a text"),
    "number": gettext_lazy("a number"),
    "time": gettext_lazy("a date"),
    "bool": gettext_lazy("yes or no"),
    "any": gettext_lazy("a property"),
    "segment": gettext_lazy("a segment"),
}
_EXPECTED: Mapping[str, Promise] = {
    **_KINDS,
    "scalar": gettext_lazy("a text, a number, or yes or no"),
    "list": gettext_lazy("a list of values"),
    "range": gettext_lazy("two numbers, from and to"),
    "days": gettext_lazy("a whole number of days"),
}
_TEXTS: Mapping[str, Promise] = {
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
    "bad_range": gettext_lazy("The numbers must lie between %(low)s and %(high)s."),
    "bad_pattern": gettext_lazy("A pattern has at most %(max_length)s characters and %(max_stars)s asterisks."),
    "bad_time": gettext_lazy("The value must be a date such as 2026-01-31."),
    "segment_not_allowed": gettext_lazy("A segment cannot be part of this condition."),
    "unknown_segment": gettext_lazy("There is no segment “%(segment)s”."),
    "bad_segment": gettext_lazy("The condition of the segment “%(segment)s” is broken."),
    # send windows
    "list": gettext_lazy("Send windows are a list."),
    "object": gettext_lazy("This is no send window."),
    "missing": gettext_lazy("Something is missing."),
    "days": gettext_lazy("Choose at least one weekday."),
    "time": gettext_lazy("Give the time as hours and minutes, such as 09:00."),
    "order": gettext_lazy("The window must end after it begins."),
}


def sentences(error: ConditionError) -> list[str]:
    """All that is wrong with a condition: “In the 2nd comparison: The value is missing.”"""
    return [_placed(problem) for problem in _relevant(error.errors)]


def by_place(error: ConditionError | ScheduleError) -> dict[str, str]:
    """Path within the JSON → what is wrong there, for the input that it came from."""
    found: dict[str, str] = {}
    for problem in _relevant(error.errors):
        found[problem.path] = f"{found[problem.path]} {text_of(problem)}" if problem.path in found else text_of(problem)
    return found


def text_of(problem: Any) -> str:
    """What is wrong, without the place."""
    if problem.code == "unknown_field" and not problem.params["field"].rpartition(".")[2]:
        return _("Write the name of the property.") if problem.params["field"] else _("Choose what is compared.")
    if problem.code == "bad_range" and problem.params["low"] > problem.params["high"]:
        return _("“From” is higher than “to”.")
    if problem.code == "missing_key" and problem.params.get("key") == "value":
        return str(_TEXTS["empty_value"])
    if problem.code == "too_many" and _leaf_path(problem.path) != problem.path:
        return _("There are too many values; at most %(limit)s.") % {"limit": problem.params["limit"]}
    template = _TEXTS.get(problem.code)
    if template is None:
        return _("This means nothing (%(code)s).") % {"code": problem.code}
    text = str(template) % {name: _in_words(name, value) for name, value in problem.params.items()}
    number = _value_number(problem.path)
    return _("Value %(number)d: %(problem)s") % {"number": number, "problem": text} if number else text


def _in_words(name: str, value: Any) -> str:
    if name == "op":
        return operator_in_words(str(value))
    if name == "kind":
        return str(_KINDS.get(str(value), value))
    if name == "expected":
        return str(_EXPECTED.get(str(value), value))
    if name == "field":
        return field_in_words(str(value))
    return value_in_words(value) if isinstance(value, int | float) else str(value)


def operator_in_words(op: str) -> str:
    """What stands between field and value: “≥”, “is one of”, “lies within the last … days”."""
    if op not in OPERATORS:
        return op
    sentence = str(OPERATORS[op]) % {"field": "", "value": "…", "low": "…", "high": "…"}
    return sentence.strip().removesuffix("…").strip()


def _relevant(problems: Iterable[Any]) -> list[Any]:
    """Where it is not even said what is compared, nothing else about that comparison is worth saying."""
    problems = list(problems)
    blank = {_leaf_path(p.path) for p in problems if p.code == "unknown_field" and not p.params.get("field")}
    return [p for p in problems if p.code == "unknown_field" or _leaf_path(p.path) not in blank]


def _placed(problem: Problem) -> str:
    numbers = [int(part) + 1 for part in _leaf_path(problem.path).split(".") if part.isdigit()]
    if not numbers:
        return text_of(problem)
    if problem.code in _OF_GROUPS:
        place = _("In part %(number)s") % {"number": ".".join(map(str, numbers))}
    elif len(numbers) == 1:
        place = _("In the %(ordinal)s comparison") % {"ordinal": _ordinal(numbers[0])}
    else:
        place = _("In comparison %(number)s") % {"number": ".".join(map(str, numbers))}
    return _("%(place)s: %(problem)s") % {"place": place, "problem": text_of(problem)}


def _leaf_path(path: str) -> str:
    """The path without what lies within a comparison."""
    parts = path.split(".") if path else []
    end = next((n for n, part in enumerate(parts) if part in _LEAF_KEYS), len(parts))
    return ".".join(parts[:end])


def _value_number(path: str) -> int | None:
    """Which value of a list it is about, from 1."""
    match path.split("."):
        case [*_above, "value", last]:
            return int(last) + 1
    return None


def _ordinal(number: int) -> str:
    """“2nd”. In most other languages the four forms are one."""
    forms = {
        1: pgettext("ordinal", "%(number)dst"),
        2: pgettext("ordinal", "%(number)dnd"),
        3: pgettext("ordinal", "%(number)drd"),
    }
    usual = pgettext("ordinal", "%(number)dth")
    form = usual if number % 100 in {11, 12, 13} else forms.get(number % 10, usual)
    return form % {"number": number}
