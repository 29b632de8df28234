"""Random sequences, and the way through them worked out by hand."""

from typing import Any

from hypothesis import strategies as st

Tree = dict[str, Any]
PROMOTER = {"field": "response.score", "op": "ge", "value": 9}
COMMENTED = {"field": "response.has_comment", "op": "eq", "value": True}
CONDITIONS = (PROMOTER, COMMENTED)
_PLAIN = (
    {"kind": "tag", "add": ["seen"]},
    {"kind": "wait", "seconds": 60},
    {"kind": "email", "subject": {"en": "Hi"}, "body": {"en": "Hi"}, "also_while_case": True},
    {"kind": "case"},
)


def _branch(ways: st.SearchStrategy[list[Tree]]) -> st.SearchStrategy[Tree]:
    made = st.fixed_dictionaries(
        {"kind": st.just("branch"), "condition": st.sampled_from(CONDITIONS), "yes": ways, "no": ways}
    )
    return made.filter(lambda branch: bool(branch["yes"] or branch["no"]))


def _ways(steps: st.SearchStrategy[Tree]) -> st.SearchStrategy[list[Tree]]:
    stop = st.sampled_from([[], [{"kind": "stop"}]])
    return st.tuples(st.lists(steps, max_size=3), stop).map(lambda pair: [*pair[0], *pair[1]])


def documents(plain: tuple[Tree, ...] = _PLAIN) -> st.SearchStrategy[Tree]:
    """Documents of some steps, with branches within branches; every step has a key of its own."""
    step = st.recursive(st.sampled_from(plain), lambda inner: _branch(_ways(inner)), max_leaves=8)
    return st.lists(step, min_size=1, max_size=5).map(lambda steps: {"steps": _with_keys(steps, [0])})


def _with_keys(steps: list[Tree], count: list[int]) -> list[Tree]:
    found = []
    for step in steps:
        count[0] += 1
        named = {"key": f"k{count[0]}", **step}
        if step["kind"] == "branch":
            named |= {way: _with_keys(step[way], count) for way in ("yes", "no")}
        found.append(named)
    return found


def walk(document: Tree, holds: dict[str, bool]) -> list[tuple[str, str]]:
    """The (key, kind) of the steps that somebody comes to for whom conditions (by their field) hold or not."""
    way: list[tuple[str, str]] = []
    _walk(document["steps"], holds, way)
    return way


def _walk(steps: list[Tree], holds: dict[str, bool], way: list[tuple[str, str]]) -> bool:
    """Whether it goes on after these steps."""
    for step in steps:
        way.append((step["key"], step["kind"]))
        if step["kind"] == "stop":
            return False
        if step["kind"] == "branch":
            chosen = step["yes"] if holds[step["condition"]["field"]] else step["no"]
            if not _walk(chosen, holds, way):
                return False
    return True


def all_keys(steps: list[Tree]) -> list[str]:
    """Every step's key, in reading order."""
    found = []
    for step in steps:
        found.append(step["key"])
        if step["kind"] == "branch":
            found += all_keys(step["yes"]) + all_keys(step["no"])
    return found
