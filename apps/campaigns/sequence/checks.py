"""What a sequence can never do: steps nobody reaches, branches that always lead the same way, waits for nothing."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apps.campaigns.sequence.parsing import Problem
from apps.campaigns.sequence.settings import VOUCHER_VARIABLES
from apps.campaigns.sequence.steps import Kind, Sequence

_VARIABLE = re.compile(r"\{\{ ?([a-z_][a-z0-9_.]*)")
_WORDS = ("subject", "body", "subject_no_comment", "body_no_comment", "title", "text")


@dataclass(frozen=True, slots=True)
class Options:
    """What else the campaign says that steps depend on."""

    stops_on_response: bool = True
    """A new response of the contact ends the sequence."""


def dead_ends(sequence: Sequence, options: Options) -> list[Problem]:
    """All that makes no sense although it can be read, in reading order; [] if all is well."""
    if sequence.first is None:
        return [Problem("", "steps", "empty")]
    reached = _reached(sequence)
    problems = [Problem(step.key, step.key, "unreachable") for step in sequence if step.key not in reached]
    problems += _same_again(sequence.document["steps"], {})
    if options.stops_on_response:
        problems += [
            Problem(step.key, step.key, "never_answers")
            for step in sequence
            if step.condition and any(name.startswith("again.") for name in step.condition.fields)
        ]
    problems += [
        Problem(step.key, step.key, "waits_for_nothing")
        for step in sequence
        if step.kind == Kind.WAIT and (step.next is None or sequence.steps[step.next].kind == Kind.STOP)
    ]
    problems += _without_voucher(sequence)
    places = {step.key: step.place for step in sequence}
    return sorted(problems, key=lambda problem: places[problem.key])


def _reached(sequence: Sequence) -> set[str]:
    """The keys of all steps that some contact can come to."""
    found: set[str] = set()
    waiting = [sequence.first]
    while waiting:
        key = waiting.pop()
        if key is None or key in found:
            continue
        found.add(key)
        step = sequence.steps[key]
        waiting += [step.next, step.yes] if step.kind == Kind.BRANCH else [step.next]
    return found


def _same_again(steps: list[Mapping[str, Any]], known: dict[str, bool]) -> Iterator[Problem]:
    """Branches whose question was answered on the way to them; after a wait the answer may be another."""
    known = dict(known)
    for step in steps:
        if step["kind"] == Kind.WAIT:
            known = {}
        if step["kind"] != Kind.BRANCH:
            continue
        question = repr(step["condition"])
        if question in known:
            yield Problem(step["key"], step["key"], "always_same", {"way": "yes" if known[question] else "no"})
            continue
        yield from _same_again(step["yes"], {**known, question: True})
        yield from _same_again(step["no"], {**known, question: False})
        if _waits(step["yes"]) or _waits(step["no"]):
            known = {}


def _waits(steps: list[Mapping[str, Any]]) -> bool:
    return any(
        step["kind"] == Kind.WAIT or (step["kind"] == Kind.BRANCH and (_waits(step["yes"]) or _waits(step["no"])))
        for step in steps
    )


def _without_voucher(sequence: Sequence) -> Iterator[Problem]:
    """Steps whose words name a voucher that nobody can have got on the way to them."""
    has: dict[str, bool] = {}
    waiting: list[tuple[str | None, bool]] = [(sequence.first, False)]
    while waiting:
        key, got = waiting.pop()
        if key is None or (key in has and (has[key] or not got)):
            continue
        has[key] = got
        step = sequence.steps[key]
        got = got or step.kind == Kind.VOUCHER
        waiting += [(step.next, got), (step.yes, got)] if step.kind == Kind.BRANCH else [(step.next, got)]
    for step in sequence:
        if not has.get(step.key, True) and VOUCHER_VARIABLES & _named(step.settings):
            yield Problem(step.key, step.key, "voucher_missing")


def _named(settings: Mapping[str, Any]) -> set[str]:
    """The variables that a step's words name."""
    texts = [text for name in _WORDS for text in settings.get(name, {}).values()] + [settings.get("button_url", "")]
    return {name for text in texts for name in _VARIABLE.findall(text)}
