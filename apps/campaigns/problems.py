"""What is wrong with a sequence, as sentences in the reader's language, each for the step it is about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.campaigns.names import Names
from apps.campaigns.picture import Card
from apps.campaigns.sequence import Problem
from apps.common.conditions import ConditionError
from apps.common.durations import format_duration
from apps.triggers import problems as conditions

_SETTINGS: Mapping[str, Promise] = {
    "template": gettext_lazy("Template"),
    "subject": gettext_lazy("Subject"),
    "body": gettext_lazy("Text"),
    "subject_no_comment": gettext_lazy("Subject without a comment"),
    "body_no_comment": gettext_lazy("Text without a comment"),
    "button": gettext_lazy("Words on the button"),
    "button_url": gettext_lazy("Where the button leads"),
    "within_budget": gettext_lazy("Only within the contact budget"),
    "also_while_case": gettext_lazy("Also while a case is open"),
    "too_late_after": gettext_lazy("Too late after"),
    "mode": gettext_lazy("How long"),
    "seconds": gettext_lazy("How long"),
    "days": gettext_lazy("Days"),
    "minute": gettext_lazy("Time of day"),
    "is_urgent": gettext_lazy("Urgent"),
    "pool": gettext_lazy("Voucher pool"),
    "add": gettext_lazy("Tags to add"),
    "remove": gettext_lazy("Tags to take away"),
    "name": gettext_lazy("Name"),
    "title": gettext_lazy("Title"),
    "text": gettext_lazy("Text"),
    "due_days": gettext_lazy("Due after so many days"),
    "survey": gettext_lazy("Survey"),
    "condition": gettext_lazy("Condition"),
}
_TEXTS: Mapping[str, Promise] = {
    "not_an_object": gettext_lazy("This is no step."),
    "not_a_list": gettext_lazy("Steps are a list."),
    "too_many": gettext_lazy("There are too many steps; at most %(limit)s."),
    "too_deep": gettext_lazy("The branches lie too deep within each other; at most %(limit)s levels."),
    "bad_key": gettext_lazy("A step needs a key of small letters, digits and hyphens."),
    "key_twice": gettext_lazy("Another step has the key “%(key)s”, too."),
    "unknown_kind": gettext_lazy("There is no kind of step “%(kind)s”."),
    "unknown_setting": gettext_lazy("“%(name)s” means nothing here."),
    "missing": gettext_lazy("%(name)s: fill this in."),
    "bad_value": gettext_lazy("%(name)s: this cannot be used."),
    "out_of_range": gettext_lazy("%(name)s: from %(low)s to %(high)s."),
    "unknown_variable": gettext_lazy(
        "%(name)s: there is no variable “%(variable)s”. Choose one from the list below the text."
    ),
    "bad_condition": gettext_lazy("Something is wrong with the condition."),
    "empty_branch": gettext_lazy("Both ways are empty: add a step to one of them, or remove the branch."),
    "unreachable": gettext_lazy("Nobody ever gets here: the sequence ends before it on every way."),
    "always_same": gettext_lazy("The same was asked before: everybody who gets here goes the way “%(way)s”."),
    "never_answers": gettext_lazy(
        "A new response ends this campaign, so that nobody gets here with one. Let the campaign go on with a new "
        "response, or ask something else."
    ),
    "waits_for_nothing": gettext_lazy("Nothing comes after this wait: remove it, or add a step."),
    "voucher_missing": gettext_lazy("The text names a voucher, but no step before gives one on any way here."),
    "empty": gettext_lazy("There is no step yet: add the first one."),
    "gone": gettext_lazy("%(name)s: what was chosen is not there any more. Choose again."),
}
_SPANS = frozenset({"seconds", "too_late_after"})
_WAYS: Mapping[str, Promise] = {"yes": gettext_lazy("yes"), "no": gettext_lazy("no")}


@dataclass(frozen=True, slots=True)
class Told:
    """One problem in words: at which step ("" for the whole), and which of its settings ("" if none)."""

    key: str
    text: str
    setting: str = ""
    step: str = ""
    """What the step is called, for a list of all problems."""


def sentence(problem: Problem) -> str:
    """What is wrong, without the place."""
    if problem.code == "bad_condition" and problem.condition:
        return " ".join(conditions.sentences(ConditionError(list(problem.condition))))
    if problem.code == "not_an_object" and not problem.path:
        return _("This is no sequence.")
    template = _TEXTS.get(problem.code)
    if template is None:
        return _("This means nothing (%(code)s).") % {"code": problem.code}
    said = {name: _in_words(problem.code, name, value) for name, value in problem.params.items()}
    if problem.params.get("name") in _SPANS:
        said |= {name: _span(problem.params[name]) for name in ("low", "high") if name in said}
    return str(template) % said


def _span(seconds: Any) -> str:
    return format_duration(timedelta(seconds=seconds)) if isinstance(seconds, int) else str(seconds)


def _in_words(code: str, name: str, value: Any) -> str:
    if name == "name" and code != "unknown_setting":
        return str(_SETTINGS.get(str(value), value))
    if name == "way":
        return str(_WAYS.get(str(value), value))
    return str(value)


def tell(problems: Iterable[Problem], cards: Sequence[Card]) -> list[Told]:
    """All problems in words, with the names of their steps. ``cards`` are those of the picture, flat."""
    titles = {card.key: card.title for card in cards}
    return [
        Told(
            key=problem.key,
            text=sentence(problem),
            setting=str(problem.params.get("name", "")) if problem.key else "",
            step=titles.get(problem.key, ""),
        )
        for problem in problems
    ]


def condition_places(problems: Iterable[Problem]) -> dict[str, dict[str, str]]:
    """Key of a branch → path within its condition → what is wrong there."""
    return {
        problem.key: conditions.by_place(ConditionError(list(problem.condition)))
        for problem in problems
        if problem.condition
    }


def gone(document: Any, names: Names) -> list[Problem]:
    """Steps that name a template, a voucher pool or a survey that is not there, or not any more. No query."""
    known: Mapping[str, Mapping[int, str]] = {
        "template": names.templates, "pool": names.pools, "survey": names.surveys
    }  # fmt: skip
    return [
        Problem(str(step["key"]), "", "gone", {"name": name})
        for step in _steps(document.get("steps") if isinstance(document, dict) else None, 1)
        for name, there in known.items()
        if isinstance(step.get(name), int) and step[name] not in there
    ]


def _steps(steps: Any, depth: int) -> Iterable[Mapping[str, Any]]:
    for step in steps if isinstance(steps, list) and depth < 20 else []:
        if isinstance(step, dict) and isinstance(step.get("key"), str):
            yield step
            yield from _steps(step.get("yes"), depth + 1)
            yield from _steps(step.get("no"), depth + 1)
