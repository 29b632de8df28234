import json
from datetime import UTC, datetime, timedelta, timezone
from timeit import repeat
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.conditions import (
    CODES,
    MAX_LEAVES,
    OPERATORS,
    Catalogue,
    Condition,
    ConditionError,
    Kind,
    Leaf,
    Op,
    Problem,
    parse,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CATALOGUE = Catalogue(
    fields={
        "contact.country": Kind.TEXT,
        "contact.created_at": Kind.TIME,
        "contact.vip": Kind.BOOL,
        "history.last_score": Kind.NUMBER,
    },
    open_roots=frozenset({"event", "contact", "company"}),
)


def leaf(op: str, value: Any = None, field: str = "event.x") -> dict[str, Any]:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


def holds(op: str, value: Any, found: Any) -> bool:
    return parse(leaf(op, value), CATALOGUE).test({"event": {"x": found}}, NOW)


def problems(tree: object, saved: dict[str, object] | None = None) -> list[tuple[str, str]]:
    with pytest.raises(ConditionError) as refused:
        parse(tree, CATALOGUE, saved)
    return [(problem.path, problem.code) for problem in refused.value.errors]


# --- what fits ---------------------------------------------------------------------------------------


FITS: list[tuple[str, Any, Any]] = [
    ("eq", 129.9, "129.90"),
    ("eq", 100, 100.0),
    ("eq", "129.9", 129.9),
    ("eq", 0.1, "0.1000000000"),
    ("eq", True, "true"),
    ("eq", False, "false"),
    ("eq", "false", False),
    ("eq", "", ""),
    ("ne", 1, True),
    ("ne", "DE", "de"),
    ("ne", "1.0", "1"),
    ("ne", 0.1, "0.10000000001"),  # a float that near is another number
    ("ne", 1, [1]),
    ("in", ["a", 5], "5"),
    ("not_in", ["a", 5], "b"),
    ("contains", "ünch", "MÜNCHEN"),
    ("contains", "στη", "ΚΩΣΤΗΣ"),
    ("contains", "ist", "İSTANBUL"),
    ("contains", 5, [1, "5.0"]),
    ("not_contains", "five", ["FIVE"]),  # elements are equal or not
    ("not_contains", 5, "15"),
    ("matches", "m?n*EN", "München"),
    ("matches", "*", ""),
    ("matches", "*", "x" * 2000),
    ("matches", "a*b", "a\nb"),
    ("matches", "a.c*", "a.cd"),
    ("matches", "a%b_\\*", "a%b_\\c"),
    ("lt", 130, "129.90"),
    ("le", 100, 100),
    ("gt", -1, "-0.5"),
    ("ge", 100, 10**400),
    ("between", [1, 2], "2.0"),
    ("between", [0.1, 0.1], "0.1"),
    ("exists", None, 0),
    ("exists", None, False),
    ("exists", None, {}),
    ("before", "2026-01-02", "2026-01-01"),
    ("before", "2026-01-01T01:00:00+01:00", "2025-12-31T23:59:59.999Z"),
    ("after", "2026-01-01", "2026-01-01 00:00:01"),
    ("within_days", 1, "2026-02-28T13:00:00+01:00"),
    ("within_days", 1, NOW),
    ("older_days", 1, "2026-02-28T11:59:59"),
    ("older_days", 3660, "0001-01-01T00:00:00+14:00"),
]
FITS_NOT: list[tuple[str, Any, Any]] = [
    ("eq", 1, True),
    ("eq", True, 1),
    ("eq", True, "True"),
    ("eq", False, "true"),
    ("eq", "123456789012345.1234567", 123456789012345.12),  # a float is not that exact
    ("eq", 1, "1e0"),
    ("eq", 5, "٥"),
    ("eq", 5, "5\n"),
    ("eq", "a", {"a": 1}),
    ("in", ["a"], ["a"]),
    ("contains", "a", {"a": 1}),
    ("contains", 5, "15"),
    ("contains", "\N{FULLWIDTH LATIN SMALL LETTER A}", "\N{FULLWIDTH LATIN CAPITAL LETTER A}"),
    ("matches", "m?n", "mn"),
    ("matches", "a*b*b", "ab"),
    ("matches", "*", "x" * 2001),
    ("matches", "*", 5),
    ("matches", "a.c", "abc"),
    ("matches", "a%", "abc"),
    ("matches", "a_c", "abc"),
    ("matches", "a\\*", "a%"),
    ("lt", 5, True),
    ("lt", 5, "1,5"),
    ("le", 123456789012345.12, "123456789012345.1234567"),
    ("ge", 5, "1234567890123456"),  # too long for a number in a text
    ("gt", 5, float("nan")),
    ("exists", None, ""),
    ("exists", None, []),
    ("before", "2026-01-01", "2026-01-01"),
    ("after", "2026-01-01", "2026-02-30"),
    ("after", "2026-01-01", "tomorrow"),
    ("after", "2026-01-01", 1767225600),
    ("within_days", 1, "2026-03-01T12:00:01Z"),
    ("within_days", 1, "2026-02-28T11:59:59Z"),
    ("older_days", 1, "2026-02-28T12:00:00Z"),
]


@pytest.mark.parametrize(("op", "value", "found"), FITS)
def test_a_comparison_holds(op: str, value: Any, found: Any) -> None:
    assert holds(op, value, found)


@pytest.mark.parametrize(("op", "value", "found"), FITS_NOT)
def test_a_comparison_does_not_hold(op: str, value: Any, found: Any) -> None:
    assert not holds(op, value, found)


VALUES = {Op.IN: ["a"], Op.NOT_IN: ["a"], Op.BETWEEN: [0, 1], Op.EXISTS: None, Op.MISSING: None}
VALUES |= dict.fromkeys((Op.BEFORE, Op.AFTER), "2026-01-01") | dict.fromkeys((Op.WITHIN_DAYS, Op.OLDER_DAYS), 1)
VALUES |= dict.fromkeys((Op.LT, Op.LE, Op.GT, Op.GE), 1)


@pytest.mark.parametrize("op", OPERATORS[Kind.ANY])
@pytest.mark.parametrize(
    "facts",
    [{}, {"event": None}, {"event": []}, {"event": {}}, {"event": {"x": None}}, {"event": {"x": "a"}}, {"event": "x"}],
)
def test_what_is_missing_fits_only_negative_operators(op: Op, facts: dict[str, Any]) -> None:
    for field in ("event.x.y", "event.z"):
        condition = parse(leaf(op, VALUES.get(op, "a"), field), CATALOGUE)
        assert condition.test(facts, NOW) == (op in {Op.NE, Op.NOT_IN, Op.NOT_CONTAINS, Op.MISSING})


def test_a_path_leads_through_objects_only() -> None:
    condition = parse(leaf("eq", 5, "event.a.0.b"), CATALOGUE)
    assert condition.test({"event": {"a": {"0": {"b": 5}}}}, NOW)
    assert not condition.test({"event": {"a": [{"b": 5}]}}, NOW)


def test_known_fields_are_keys_of_their_root() -> None:
    ago = datetime(2026, 2, 28, 14, tzinfo=timezone(timedelta(hours=1)))
    tree = {"all": [leaf("within_days", 1, "contact.created_at"), leaf("ge", 9, "history.last_score")]}
    facts = {"contact": {"created_at": ago}, "history": {"last_score": 9}}
    assert parse(tree, CATALOGUE).test(facts, NOW)
    assert parse(tree, CATALOGUE).test({**facts, "contact": {"created_at": datetime(2026, 2, 28, 13)}}, NOW)  # noqa: DTZ001
    assert not parse(tree, CATALOGUE).test({**facts, "history": {"last_score": None}}, NOW)


def test_groups() -> None:
    yes, no = leaf("exists"), leaf("missing")
    for tree, wanted in [
        ({}, True),
        ({"not": {}}, False),
        ({"all": [yes, no]}, False),
        ({"any": [no, yes]}, True),
        ({"any": [no, {"not": yes}]}, False),
        ({"all": [yes, {"any": [no, {}]}]}, True),
    ]:
        assert parse(tree, CATALOGUE).test({"event": {"x": 1}}, NOW) is wanted


# --- what is told ------------------------------------------------------------------------------------


def test_every_leaf_is_explained_in_order() -> None:
    tree = {"all": [leaf("eq", 1), {"not": {"any": [leaf("eq", 2), {"not": leaf("exists", field="event.y")}]}}]}
    condition = parse(tree, CATALOGUE)
    assert condition.explain({"event": {"x": 1}}, NOW) == [
        Leaf("all.0", "event.x", Op.EQ, 1, 1, passed=True, negated=False),
        Leaf("all.1.not.any.0", "event.x", Op.EQ, 2, 1, passed=False, negated=True),
        Leaf("all.1.not.any.1.not", "event.y", Op.EXISTS, None, None, passed=False, negated=False),
    ]
    assert condition.fields == {"event.x", "event.y"}


@pytest.mark.parametrize(
    ("tree", "path"),
    [
        (leaf("eq", 1), None),
        (leaf("eq", 2), ""),
        ({"all": [leaf("eq", 1), leaf("eq", 2), leaf("eq", 3)]}, "all.1"),
        ({"any": [leaf("eq", 2), leaf("eq", 3)]}, "any.0"),
        ({"not": {"all": [leaf("eq", 1), leaf("exists")]}}, "not.all.0"),
        ({"not": {"any": [leaf("eq", 2), leaf("eq", 1)]}}, "not.any.1"),
        ({"not": {"not": {"any": [leaf("eq", 2)]}}}, "not.not.any.0"),
        ({"all": [{"not": {}}, leaf("eq", 2)]}, "all.1"),
        ({"not": {}}, None),
    ],
)
def test_the_missing_part_is_the_first_that_decides(tree: object, path: str | None) -> None:
    found = parse(tree, CATALOGUE).missing_part({"event": {"x": 1}}, NOW)
    assert (found.path if found else None) == path


# --- segments ----------------------------------------------------------------------------------------

SAVED: dict[str, object] = {
    "vip": {"all": [leaf("eq", "DE", "contact.country"), leaf("ge", 9, "history.last_score")]},
    "nested": leaf("in_segment", "vip", "segment"),
    "broken": {"all": []},
}


def test_a_segment_is_its_condition_and_one_leaf() -> None:
    tree = {"all": [leaf("in_segment", "vip", "segment"), leaf("not_in_segment", "vip", "segment")]}
    condition = parse(tree, CATALOGUE, SAVED)
    assert condition.tree == tree
    assert condition.fields == {"contact.country", "history.last_score"}
    facts = {"contact": {"country": "DE"}, "history": {"last_score": 10}}
    inside, outside = condition.explain(facts, NOW)
    assert inside == Leaf("all.0", "segment", Op.IN_SEGMENT, "vip", None, passed=True, negated=False)
    assert outside.passed is False
    assert condition.missing_part(facts, NOW) == outside
    assert condition.missing_part({}, NOW) == condition.explain({}, NOW)[0]


@pytest.mark.parametrize(
    ("tree", "saved", "wanted"),
    [
        (leaf("in_segment", "vip", "segment"), None, ("field", "segment_not_allowed")),
        (leaf("in_segment", "nobody", "segment"), SAVED, ("value", "unknown_segment")),
        (leaf("in_segment", "nested", "segment"), SAVED, ("value", "bad_segment")),
        (leaf("in_segment", "broken", "segment"), SAVED, ("value", "bad_segment")),
        (leaf("in_segment", None, "segment"), SAVED, ("", "missing_key")),
        (leaf("in_segment", ["vip"], "segment"), SAVED, ("value", "wrong_type")),
        (leaf("eq", "vip", "segment"), SAVED, ("op", "operator_not_allowed")),
        (leaf("in_segment", "vip", "event.x"), SAVED, ("op", "operator_not_allowed")),
    ],
)
def test_what_is_no_segment(tree: object, saved: dict[str, object] | None, wanted: tuple[str, str]) -> None:
    assert problems(tree, saved) == [wanted]


# --- what is refused ---------------------------------------------------------------------------------


def nested(groups: int) -> dict[str, Any]:
    tree = leaf("exists")
    for _ in range(groups):
        tree = {"all": [tree]}
    return tree


@pytest.mark.parametrize(
    ("tree", "wanted"),
    [
        ([], [("", "not_an_object")]),
        ({"all": []}, [("all", "empty_group")]),
        ({"all": {}}, [("all", "not_a_list")]),
        ({"any": [5]}, [("any.0", "not_an_object")]),
        ({"all": [{}], "any": [{}]}, [("", "ambiguous")]),
        ({"not": leaf("nope"), "field": "event.x"}, [("", "ambiguous"), ("not.op", "unknown_operator")]),
        ({"every": []}, [("", "unknown_key")]),
        ({"value": 1}, [("", "missing_key"), ("", "missing_key")]),
        (leaf("eq"), [("", "missing_key")]),
        ({**leaf("eq", 1), "unit": "EUR"}, [("", "unknown_key")]),
        ({**leaf("eq"), "value": None}, [("value", "wrong_type")]),
        (nested(6), [("all.0.all.0.all.0.all.0.all.0.all.0", "too_deep")]),
        ({"all": [{"any": [leaf("exists")] * 26}] * 2}, [("", "too_many")]),
        (leaf("eq", 1, "nobody.x"), [("field", "unknown_field")]),
        (leaf("eq", 1, "history.x"), [("field", "unknown_field")]),
        (leaf("eq", 1, "event"), [("field", "unknown_field")]),
        (leaf("eq", 1, "event.a b"), [("field", "unknown_field")]),
        (leaf("eq", 1, "event.a..b"), [("field", "unknown_field")]),
        (leaf("eq", 1, "event.a.b.c.d.e"), [("field", "unknown_field")]),
        (leaf("eq", 1, "event." + "a" * 61), [("field", "unknown_field")]),
        (leaf("eq", 1, "contact.country.code"), [("field", "unknown_field")]),
        ({"field": ["event.x"], "op": {}, "value": 1}, [("op", "wrong_type"), ("field", "wrong_type")]),
        (leaf("contains", "a", "history.last_score"), [("op", "operator_not_allowed")]),
        (leaf("eq", 1, "contact.country"), [("value", "wrong_type")]),
        (leaf("eq", True, "history.last_score"), [("value", "wrong_type")]),
        (leaf("eq", "true", "contact.vip"), [("value", "wrong_type")]),
        (leaf("eq", [1]), [("value", "wrong_type")]),
        (leaf("in", "a"), [("value", "wrong_type")]),
        (leaf("in", []), [("value", "empty_value")]),
        (leaf("in", ["a", None, "b" * 201]), [("value.1", "wrong_type"), ("value.2", "too_long")]),
        (leaf("in", [1] * 201), [("value", "too_many")]),
        (leaf("eq", "a\x00"), [("value", "bad_characters")]),
        (leaf("eq", "\ud800"), [("value", "bad_characters")]),
        (leaf("contains", ""), [("value", "empty_value")]),
        (leaf("lt", "5"), [("value", "wrong_type")]),
        (leaf("lt", True), [("value", "wrong_type")]),
        (leaf("lt", 10**15), [("value", "bad_number")]),
        (leaf("lt", 10**5000), [("value", "bad_number")]),
        (leaf("eq", float("nan")), [("value", "bad_number")]),
        (leaf("between", [1]), [("value", "wrong_type")]),
        (leaf("between", [1, "2"]), [("value.1", "wrong_type")]),
        (leaf("between", [2, 1]), [("value", "bad_range")]),
        (leaf("matches", "*a" * 9), [("value", "bad_pattern")]),
        (leaf("matches", "a" * 101), [("value", "bad_pattern")]),
        (leaf("before", "2026-02-30"), [("value", "bad_time")]),
        (leaf("before", 5), [("value", "wrong_type")]),
        (leaf("within_days", 0), [("value", "bad_range")]),
        (leaf("within_days", 3661), [("value", "bad_range")]),
        (leaf("within_days", 1.0), [("value", "wrong_type")]),
        (leaf("exists", True), [("value", "value_not_allowed")]),
        (
            {"all": [leaf("eq", None, "x"), {"any": [leaf("lt", "a"), {"not": leaf("nope", 1)}]}]},
            [
                ("all.0.field", "unknown_field"),
                ("all.0", "missing_key"),
                ("all.1.any.0.value", "wrong_type"),
                ("all.1.any.1.not.op", "unknown_operator"),
            ],
        ),
    ],
)
def test_all_that_is_wrong_is_named(tree: object, wanted: list[tuple[str, str]]) -> None:
    assert problems(tree) == wanted


def test_problems_carry_what_a_sentence_needs() -> None:
    with pytest.raises(ConditionError, match="value: bad_range") as refused:
        parse(leaf("between", [2, 1]), CATALOGUE)
    assert refused.value.errors == [Problem("value", "bad_range", {"low": 2, "high": 1})]


def test_as_much_as_is_allowed_is_allowed() -> None:
    parse({"all": [leaf("exists")] * MAX_LEAVES}, CATALOGUE)
    parse(nested(5), CATALOGUE)
    parse(leaf("in", ["x" * 200] * 200, "event." + ".".join(["ä" * 40] * 4)), CATALOGUE)
    parse(leaf("matches", "*" * 8 + "a" * 92), CATALOGUE)


def test_a_long_list_of_mistakes_is_not_told_to_the_end() -> None:
    entries: list[object] = [5, {}, {"all": []}, {"x": 1}, leaf("nope"), nested(9)]
    for entry in entries:
        assert len(problems({"all": [entry] * 100_000})) <= 2 * MAX_LEAVES + 1


def test_what_an_operator_takes_fits_the_kinds_it_is_offered_for() -> None:
    fields = {Kind.ANY: "event.x", Kind.TEXT: "contact.country", Kind.TIME: "contact.created_at"}
    fields |= {Kind.BOOL: "contact.vip", Kind.NUMBER: "history.last_score"}
    for kind, field in fields.items():
        for op in set(Op) - {Op.IN_SEGMENT, Op.NOT_IN_SEGMENT}:
            scalar: Any = {Kind.NUMBER: 1, Kind.BOOL: True}.get(kind, "a")
            value = [scalar] if op in {Op.IN, Op.NOT_IN} else VALUES.get(op, scalar)
            if op in OPERATORS[kind]:
                parse(leaf(op, value, field), CATALOGUE)
            else:
                assert ("op", "operator_not_allowed") in problems(leaf(op, value, field))


def test_the_normal_form_is_plain_json_and_the_callers_own_tree_may_change() -> None:
    tree: dict[str, Any] = {"all": [{**leaf("exists"), "value": None}, {"not": leaf("between", [1, 2])}, {}]}
    condition = parse(tree, CATALOGUE)
    assert condition.tree == {"all": [leaf("exists"), {"not": leaf("between", [1, 2])}, {}]}
    assert parse(json.loads(json.dumps(condition.tree)), CATALOGUE).tree == condition.tree
    tree["all"][1]["not"]["value"][1] = 0
    assert condition.explain({"event": {"x": 2}}, NOW)[1].passed


WORDS = st.sampled_from(
    ["all", "any", "not", "field", "op", "value", "event.x", "segment", "vip", "contact.country", *Op]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | WORDS.map(str)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5) | WORDS.map(str), inner, max_size=4)
        | st.fixed_dictionaries({"field": inner | WORDS.map(str), "op": inner | WORDS.map(str), "value": inner})
        | st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts})
    ),
    max_leaves=20,
)


@given(tree=ANYTHING, saved=st.none() | st.dictionaries(st.just("vip"), ANYTHING), event=ANYTHING)
def test_whatever_is_given_is_a_condition_or_a_list_of_problems(tree: Any, saved: Any, event: Any) -> None:
    found = parsed(tree, saved)
    if isinstance(found, list):
        assert found
        assert all(set(problem.params) == set(CODES[problem.code]) for problem in found)
        json.dumps([problem.params for problem in found])
    else:
        facts = {"event": event, "contact": event}
        holds_now = found.test(facts, NOW)
        assert isinstance(holds_now, bool)
        assert found.missing_part(facts, NOW) is None or not holds_now


def parsed(tree: Any, saved: Any) -> Condition | list[Problem]:
    try:
        return parse(tree, CATALOGUE, saved)
    except ConditionError as error:
        return error.errors


# --- speed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern", ["*a" * 8 + "b", "*" + "?" * 90 + "b*c", "*" + "a?" * 44 + "b*" * 5, "?*" * 8, "*" + "a" * 98 + "b"]
)
@pytest.mark.parametrize("length", [2000, 10_000])
def test_no_pattern_takes_long(pattern: str, length: int) -> None:
    condition = parse(leaf("matches", pattern), CATALOGUE)
    facts = {"event": {"x": "a" * length}}
    assert min(repeat(lambda: condition.test(facts, NOW), number=1, repeat=3)) < 0.05


def test_two_comparisons_take_next_to_nothing() -> None:
    tree = {"all": [leaf("ge", 100, "event.total"), leaf("eq", "DE", "contact.country")]}
    test, facts = parse(tree, CATALOGUE).test, {"event": {"total": 129.9}, "contact": {"country": "DE"}}
    assert test(facts, NOW)
    # About 0.4 µs; the bound leaves room for a busy machine.
    assert min(repeat(lambda: test(facts, NOW), number=10_000, repeat=5)) / 10_000 < 2e-6
