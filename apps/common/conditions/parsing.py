"""From JSON to a condition. Whatever comes in, what is wrong with it is collected, and all of it is told."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, cast

from apps.common.conditions.catalogue import Catalogue
from apps.common.conditions.problems import ConditionError, Problem
from apps.common.conditions.tree import (
    Comparison,
    Condition,
    Group,
    Node,
    Word,
    compile_group,
    compile_leaf,
    compile_segment,
    fields_of,
)
from apps.common.conditions.values import MAX_TEXT, Flaw, text_flaws, value_flaws
from apps.common.operators import OPERATORS, SEGMENT_OPERATORS, Kind, Op

MAX_DEPTH = 6
"""A leaf alone is one deep: at most five groups stand around it."""
MAX_LEAVES = 50
SEGMENT = "segment"
"""The field of a leaf that stands for a saved condition."""
_GROUPS = ("all", "any", "not")
_LEAF = ("field", "op", "value")
_MAX_KEYS = 10


def parse(tree: object, catalogue: Catalogue, saved: Mapping[str, object] | None = None) -> Condition:
    """The condition of a tree. Raises ConditionError and, whatever JSON is given, nothing else.

    ``saved`` are trees by key, for leaves such as ``{"field": "segment", "op": "in_segment", "value": key}``; without
    it there may be none. A saved tree has none either.
    """
    parser = _Parser(catalogue, saved)
    root = parser.node(tree, "", 1, negated=False)
    if root is None or parser.problems:
        raise ConditionError(parser.problems)
    return Condition(root.tree, fields_of(root), root)


class _Parser:
    """Goes through a tree once; a node that is wrong becomes None and leaves problems behind."""

    def __init__(self, catalogue: Catalogue, saved: Mapping[str, object] | None) -> None:
        self.problems: list[Problem] = []
        self._catalogue = catalogue
        self._saved = saved
        self._known: dict[str, Condition | None] = {}
        self._ends = 0

    def node(self, tree: object, path: str, depth: int, *, negated: bool) -> Node | None:
        """Any node: a group, a leaf, or ``{}``."""
        words = [word for word in _GROUPS if word in tree] if isinstance(tree, dict) and depth <= MAX_DEPTH else []
        if not words and not self._end():
            return None
        if depth > MAX_DEPTH:
            self._problem(path, "too_deep", limit=MAX_DEPTH)
            return None
        if not isinstance(tree, dict):
            self._problem(path, "not_an_object")
            return None
        if words:
            return self._groups(tree, words, path, depth, negated=negated)
        return self._leaf(tree, path, negated=negated) if tree else compile_group("all", ())

    def _end(self) -> bool:
        """Count one end of a branch, right or wrong, so that the work and the problems stay bounded as well."""
        self._ends += 1
        if self._ends == MAX_LEAVES + 1:
            self._problem("", "too_many", limit=MAX_LEAVES)
        return self._ends <= MAX_LEAVES

    def _groups(self, tree: dict[Any, Any], words: list[str], path: str, depth: int, *, negated: bool) -> Group | None:
        self._unknown_keys(tree, path)
        if len(words) > 1 or any(key in tree for key in _LEAF):
            self._problem(path, "ambiguous")
        groups = [self._group(word, tree[word], _join(path, word), depth, negated=negated) for word in words]
        return groups[0]

    def _group(self, word: str, inner: object, path: str, depth: int, *, negated: bool) -> Group | None:
        if word == "not":
            part = self.node(inner, path, depth + 1, negated=not negated)
            return compile_group("not", (part,)) if part else None
        if not isinstance(inner, list) or not inner:
            self._end()
            self._problem(path, "empty_group" if inner == [] else "not_a_list")
            return None
        parts = []
        for index, entry in enumerate(inner):
            parts.append(self.node(entry, _join(path, index), depth + 1, negated=negated))
            if self._ends > MAX_LEAVES:
                break
        return compile_group(cast("Word", word), tuple(part for part in parts if part))

    def _leaf(self, tree: dict[Any, Any], path: str, *, negated: bool) -> Comparison | None:
        self._unknown_keys(tree, path)
        if not any(key in tree for key in _LEAF):
            return None
        for key in ("field", "op"):
            if key not in tree:
                self._problem(path, "missing_key", key=key)
        op = self._op(tree["op"], _join(path, "op")) if "op" in tree else None
        if tree.get("field") == SEGMENT:
            return self._segment(op, tree, path, negated=negated)
        kind = self._kind(tree["field"], _join(path, "field")) if "field" in tree else None
        if op is None:
            return None
        if op not in OPERATORS[kind or Kind.ANY]:
            self._problem(_join(path, "op"), "operator_not_allowed", op=str(op), kind=str(kind or Kind.ANY))
            kind = None
        if op not in SEGMENT_OPERATORS:
            self._value(op, kind or Kind.ANY, tree, path)
        if kind is None or self.problems:
            return None
        return compile_leaf(path, tree["field"], op, tree.get("value"), kind, negated=negated)

    def _kind(self, name: object, path: str) -> Kind | None:
        if self._flaws(text_flaws(name), path):
            return None
        kind = self._catalogue.kind_of(str(name))
        if kind is None:
            self._problem(path, "unknown_field", field=name)
        return kind

    def _op(self, name: object, path: str) -> Op | None:
        if self._flaws(text_flaws(name), path):
            return None
        with suppress(ValueError):
            return Op(str(name))
        self._problem(path, "unknown_operator", op=name)
        return None

    def _value(self, op: Op, kind: Kind, tree: dict[Any, Any], path: str) -> None:
        if "value" not in tree and op not in {Op.EXISTS, Op.MISSING}:
            self._problem(path, "missing_key", key="value")
        else:
            self._flaws(value_flaws(op, kind, tree.get("value")), _join(path, "value"))

    def _segment(self, op: Op | None, tree: dict[Any, Any], path: str, *, negated: bool) -> Comparison | None:
        if op is not None and op not in SEGMENT_OPERATORS:
            self._problem(_join(path, "op"), "operator_not_allowed", op=str(op), kind=SEGMENT)
        if self._saved is None:
            self._problem(_join(path, "field"), "segment_not_allowed")
            return None
        if "value" not in tree:
            self._problem(path, "missing_key", key="value")
            return None
        key, at = tree["value"], _join(path, "value")
        if self._flaws(text_flaws(key), at):
            return None
        if key not in self._saved:
            self._problem(at, "unknown_segment", segment=key)
            return None
        condition = self._saved_condition(key, self._saved)
        if condition is None:
            self._problem(at, "bad_segment", segment=key)
            return None
        return None if op is None else compile_segment(path, SEGMENT, op, key, condition, negated=negated)

    def _saved_condition(self, key: str, saved: Mapping[str, object]) -> Condition | None:
        if key not in self._known:
            self._known[key] = None
            with suppress(ConditionError):
                self._known[key] = parse(saved[key], self._catalogue)
        return self._known[key]

    def _unknown_keys(self, tree: dict[Any, Any], path: str) -> None:
        unknown = (str(key) for key in tree if key not in _GROUPS and key not in _LEAF)
        for key in islice(unknown, _MAX_KEYS):
            self._problem(path, "unknown_key", key=_shown(key))

    def _flaws(self, found: Iterable[Flaw], path: str) -> bool:
        """Note what is wrong with a value; whether anything is."""
        before = len(self.problems)
        self.problems += [Problem(_join(path, part) if part else path, code, params) for part, code, params in found]
        return len(self.problems) > before

    def _problem(self, path: str, code: str, **params: Any) -> None:
        self.problems.append(Problem(path, code, params))


def _join(path: str, part: object) -> str:
    return f"{path}.{part}" if path else str(part)


def _shown(key: str) -> str:
    """A key nobody asked for, so that it can be printed and stored."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in key[:MAX_TEXT])
