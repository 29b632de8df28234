"""Conditions as they are asked: a tree of closures, made once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from apps.common.operators import Check, Kind, Op, check_for

Facts = Mapping[str, Any]
Test = Callable[[Facts, datetime], bool]
Word = Literal["all", "any", "not"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a leaf came to. ``passed`` is its own result, also where ``negated`` says that it counts turned round."""

    path: str
    field: str
    op: Op
    value: Any
    found: Any
    passed: bool
    negated: bool


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A leaf of the tree."""

    path: str
    field: str
    op: Op
    value: Any
    kind: Kind
    negated: bool
    """Whether it stands under an odd number of ``not``."""
    test: Test
    saved: "Condition | None" = None
    """The condition a segment stands for."""

    @property
    def tree(self) -> dict[str, Any]:
        """The leaf as JSON."""
        return {"field": self.field, "op": str(self.op)} | ({} if self.value is None else {"value": self.value})

    def look(self, facts: Facts, now: datetime) -> Leaf:
        """What it comes to with these facts."""
        found = None if self.saved else _read(self.field, facts)
        return Leaf(
            self.path, self.field, self.op, self.value, found, passed=self.test(facts, now), negated=self.negated
        )


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """``all``, ``any`` or ``not``. ``all`` of nothing is ``{}``."""

    word: Word
    parts: "Sequence[Node]"
    test: Test = field(repr=False)

    @property
    def tree(self) -> dict[str, Any]:
        """The group as JSON."""
        trees = [part.tree for part in self.parts]
        return {self.word: trees[0] if self.word == "not" else trees} if trees else {}


Node = Comparison | Group


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """A condition that is ready to be asked. Made by :func:`apps.common.conditions.parse`."""

    tree: dict[str, Any]
    """In normal form: parsing it again changes nothing."""
    fields: frozenset[str]
    """Every field it speaks of, those of its segments included."""
    root: Node = field(repr=False)

    def test(self, facts: Facts, now: datetime) -> bool:
        """Whether it holds. ``facts`` has a mapping per root, ``now`` an offset from UTC."""
        return self.root.test(facts, now)

    def explain(self, facts: Facts, now: datetime) -> list[Leaf]:
        """What each leaf comes to, in order. A segment is one leaf."""
        return [leaf.look(facts, now) for leaf in _leaves(self.root)]

    def missing_part(self, facts: Facts, now: datetime) -> Leaf | None:
        """The first leaf that makes the whole False; None if the whole is True."""
        leaf = None if self.test(facts, now) else _decisive(self.root, facts, now)
        return leaf.look(facts, now) if leaf else None


def compile_group(word: Word, parts: Sequence[Node]) -> Group:
    """A group of these nodes; ``not`` has one."""
    tests = tuple(part.test for part in parts)
    if word != "not":
        return Group(word, parts, _every(tests) if word == "all" else _some(tests))
    inner = tests[0]
    return Group(word, parts, lambda facts, now: not inner(facts, now))


def compile_leaf(path: str, name: str, op: Op, value: Any, kind: Kind, *, negated: bool) -> Comparison:
    """A leaf whose field, operator and value are known to fit."""
    value = list(value) if isinstance(value, list) else value  # the caller's may change
    return Comparison(path, name, op, value, kind, negated, _comparing(name, check_for(op, value)))


def compile_segment(path: str, name: str, op: Op, key: str, saved: Condition, *, negated: bool) -> Comparison:
    """A leaf that stands for a saved condition."""
    inner = saved.root.test
    outside: Test = lambda facts, now: not inner(facts, now)  # noqa: E731
    return Comparison(path, name, op, key, Kind.TEXT, negated, inner if op == Op.IN_SEGMENT else outside, saved)


def fields_of(node: Node) -> frozenset[str]:
    """Every field a node speaks of, those of its segments included."""
    return frozenset[str]().union(*(leaf.saved.fields if leaf.saved else {leaf.field} for leaf in _leaves(node)))


def _every(tests: Sequence[Test]) -> Test:
    def test(facts: Facts, now: datetime) -> bool:
        for part in tests:  # noqa: SIM110 - all() with a generator takes twice as long
            if not part(facts, now):
                return False
        return True

    return test


def _some(tests: Sequence[Test]) -> Test:
    def test(facts: Facts, now: datetime) -> bool:
        for part in tests:  # noqa: SIM110
            if part(facts, now):
                return True
        return False

    return test


def _comparing(name: str, check: Check) -> Test:
    """Reads a field and checks it. Most lie right below their root, and are read without a loop."""
    root, *between, key = name.split(".")

    def shallow(facts: Facts, now: datetime) -> bool:
        try:
            found = facts[root].get(key)
        except (KeyError, AttributeError):
            found = None
        return check(found, now)

    return (lambda facts, now: check(_read(name, facts), now)) if between else shallow


def _read(name: str, facts: Facts) -> Any:
    """What the field holds; None where the path does not lead through objects."""
    found: Any = facts
    for part in name.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def _leaves(node: Node) -> Iterator[Comparison]:
    if isinstance(node, Comparison):
        yield node
    else:
        for part in node.parts:
            yield from _leaves(part)


def _decisive(node: Node, facts: Facts, now: datetime) -> Comparison | None:
    """The first leaf that makes the node what it is. None has ``{}``, which is so by itself."""
    if isinstance(node, Comparison):
        return node
    wanted = node.test(facts, now) != (node.word == "not")
    deciding = (_decisive(part, facts, now) for part in node.parts if part.test(facts, now) == wanted)
    return next((leaf for leaf in deciding if leaf is not None), None)
