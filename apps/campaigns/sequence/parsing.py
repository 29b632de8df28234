"""From JSON to a sequence. Whatever comes in, what is wrong with it is collected, and all of it is told."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.campaigns.sequence.catalogue import parse_branch
from apps.campaigns.sequence.settings import SettingsError, clean, is_storable
from apps.campaigns.sequence.steps import KINDS, Kind, Sequence, Step
from apps.common.conditions import Condition, ConditionError
from apps.common.conditions import Problem as ConditionProblem

MAX_STEPS = 60
MAX_DEPTH = 6
"""So deep branches may lie within each other."""
CODES: Mapping[str, tuple[str, ...]] = {
    "not_an_object": (),
    "not_a_list": (),
    "too_many": ("limit",),
    "too_deep": ("limit",),
    "bad_key": (),
    "key_twice": ("key",),
    "unknown_kind": ("kind",),
    "unknown_setting": ("name",),
    "missing": ("name",),
    "bad_value": ("name",),
    "out_of_range": ("name", "low", "high"),
    "unknown_variable": ("name", "variable"),
    "bad_condition": (),
    "empty_branch": (),
    # What :func:`dead_ends` finds.
    "unreachable": (),
    "always_same": ("way",),
    "never_answers": (),
    "waits_for_nothing": (),
    "voucher_missing": (),
    "empty": (),
}
"""Code → the names of its parameters. The sentences are somebody else's."""
_is_key = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}").fullmatch


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: at which step ("" for the whole), where in the document, and which of CODES."""

    key: str
    path: str
    code: str
    params: dict[str, Any] = field(default_factory=dict)
    condition: tuple[ConditionProblem, ...] = ()
    """What is wrong with a branch's condition."""


class SequenceError(Exception):
    """A document is no sequence; ``problems`` names all that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(", ".join(f"{one.key or one.path or 'sequence'}: {one.code}" for one in problems))
        self.problems = problems


def parse(document: object) -> Sequence:
    """The sequence of a document. Raises SequenceError and, whatever JSON is given, nothing else."""
    if not isinstance(document, dict):
        raise SequenceError([Problem("", "", "not_an_object")])
    parser = _Parser()
    normal, first = parser.way(document.get("steps", []), "steps", None, 1)
    for name in sorted(set(document) - {"steps"}, key=str)[:5]:
        parser.problems.append(Problem("", "", "unknown_setting", {"name": str(name)[:40]}))
    if parser.problems:
        raise SequenceError(parser.problems)
    steps = {step.key: step for step in sorted(parser.steps.values(), key=lambda step: step.place)}
    return Sequence(steps, first, {"steps": normal})


class _Parser:
    """Goes through the tree once, each list from its end, so that every step knows what follows it."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.steps: dict[str, Step] = {}
        self._keys: set[str] = set()
        self._count = 0

    def way(self, steps: object, path: str, end: str | None, depth: int) -> tuple[list[Any], str | None]:
        """A list of steps that leads to ``end``: in normal form, and the key of its first step."""
        if not isinstance(steps, list):
            self._problem("", path, "not_a_list")
            return [], end
        if depth > MAX_DEPTH:
            self._problem("", path, "too_deep", limit=MAX_DEPTH)
            return [], end
        self._count += len(steps)
        if self._count > MAX_STEPS:
            self._problem("", path, "too_many", limit=MAX_STEPS)
            return [], end
        keys = [self._key(step, f"{path}.{place}") for place, step in enumerate(steps)]
        normal: list[Any] = []
        places = range(len(steps))
        following = [*keys[1:], end]
        for place in places:
            key = keys[place]
            if key is not None:
                normal.append(self._step(key, steps[place], f"{path}.{place}", following[place], depth))
        return normal, keys[0] if keys else end

    def _key(self, step: object, path: str) -> str | None:
        if not isinstance(step, dict):
            self._problem("", path, "not_an_object")
            return None
        key = step.get("key")
        if not isinstance(key, str) or not _is_key(key):
            self._problem("", f"{path}.key", "bad_key")
            return None
        if key in self._keys:
            self.problems.append(Problem(key, f"{path}.key", "key_twice", {"key": key}))
            return None
        self._keys.add(key)
        return key

    def _step(self, key: str, step: dict[Any, Any], path: str, following: str | None, depth: int) -> dict[str, Any]:
        kind = step.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            self._problem(key, f"{path}.kind", "unknown_kind", kind=kind[:40] if isinstance(kind, str) else "")
            return {}
        place = len(self.steps)
        self.steps[key] = Step(key, Kind(kind), {}, following, place)  # So that places are in reading order.
        if kind == Kind.BRANCH:
            return self._branch(key, step, path, following, depth)
        raw = {name: value for name, value in step.items() if name not in ("key", "kind")}
        settings: dict[str, Any] = {}
        try:
            settings = clean(Kind(kind), raw)
        except SettingsError as error:
            for name, code, params in error.flaws:
                self._problem(key, f"{path}.{name}", code, **params)
        after = None if kind == Kind.STOP else following
        self.steps[key] = Step(key, Kind(kind), settings, after, place)
        return {"key": key, "kind": kind, **settings}

    def _branch(self, key: str, step: dict[Any, Any], path: str, following: str | None, depth: int) -> dict[str, Any]:
        place = self.steps[key].place
        for name in sorted(set(step) - {"key", "kind", "condition", "yes", "no", "name"}, key=str)[:5]:
            self._problem(key, path, "unknown_setting", name=str(name)[:40])
        name = step.get("name", "")
        if not isinstance(name, str) or len(name) > 80 or not is_storable(name):
            self._problem(key, f"{path}.name", "bad_value", name="name")
            name = ""
        condition = self._condition(key, step.get("condition"), path)
        yes, first_yes = self.way(step.get("yes", []), f"{path}.yes", following, depth + 1)
        no, first_no = self.way(step.get("no", []), f"{path}.no", following, depth + 1)
        if not yes and not no:
            self._problem(key, path, "empty_branch")
        self.steps[key] = Step(key, Kind.BRANCH, {"name": name}, first_no, place, first_yes, condition)
        tree = condition.tree if condition else {}
        named = {"name": name} if name else {}
        return {"key": key, "kind": "branch", **named, "condition": tree, "yes": yes, "no": no}

    def _condition(self, key: str, tree: object, path: str) -> Condition | None:
        if not tree:
            self._problem(key, f"{path}.condition", "missing", name="condition")
            return None
        try:
            return parse_branch(tree)
        except ConditionError as error:
            self.problems.append(Problem(key, f"{path}.condition", "bad_condition", condition=tuple(error.errors)))
            return None

    def _problem(self, key: str, path: str, code: str, **params: Any) -> None:
        self.problems.append(Problem(key, path, code, params))
