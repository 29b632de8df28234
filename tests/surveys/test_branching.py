"""What can be wrong with the ways through a survey: told where it is wrong, and only there."""

from itertools import chain, combinations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.surveys.branching import HINTS, LANGUAGES, TooComplicated, problems, witness
from apps.surveys.definition import Definition, load, needs, next_page, walk

NUMBERS = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "rating": (1, 5)}
TEXTS = {"en": "?"}


def question(key: str, kind: str, show_if: Any = None, **values: Any) -> dict[str, Any]:
    row = {"key": key, "kind": kind, "text": TEXTS, "show_if": show_if or {}, **values}
    if kind in {"single", "multiple"}:
        row.setdefault("options", [{"key": name, "text": TEXTS} for name in ("a", "b", "c")])
    return row


def document(*questions: dict[str, Any]) -> dict[str, Any]:
    return {"questions": list(questions), "thanks": {}, "is_anonymous": False}


def leaf(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


def told(*questions: dict[str, Any]) -> list[tuple[str, str]]:
    return [(problem.question_key, problem.code) for problem in problems(document(*questions))]


LEAD = question("nps", "nps")

# --- one thing wrong at a time ---


def test_nothing_is_wrong_with_a_usual_survey() -> None:
    usual = [
        LEAD,
        question("why", "comment"),
        question("what", "multiple", leaf("response.segment", "eq", "detractor")),
        question("how", "rating", leaf("answer.what", "contains", "b")),
        question("more", "text", {"any": [leaf("answer.how", "le", 2), leaf("contact.country", "eq", "DE")]}),
    ]
    assert told(*usual) == []


@pytest.mark.parametrize(
    ("questions", "expected"),
    [
        ([], ("", "no_questions")),
        ([question("why", "comment"), LEAD], ("why", "lead_first")),
        ([question("nps", "nps", leaf("contact.country", "eq", "DE"))], ("nps", "lead_has_condition")),
        ([LEAD, question("again", "nps")], ("again", "more_than_one")),
        ([LEAD, question("a", "comment"), question("b", "comment")], ("b", "more_than_one")),
        ([LEAD, question("nps", "rating")], ("nps", "duplicate_key")),
        ([LEAD, question("x", "single", options=[{"key": "a", "text": TEXTS}])], ("x", "few_options")),
        ([LEAD, question("x", "scale", low=1, high=1)], ("x", "bad_scale")),
    ],
)
def test_questions_that_do_not_work(questions: list[Any], expected: tuple[str, str]) -> None:
    assert told(*questions) == [expected]


def test_more_than_forty_questions_are_too_many() -> None:
    forty = [LEAD, *(question(f"q{n}", "rating") for n in range(39))]
    assert told(*forty) == []
    assert told(*forty, question("one-more", "rating")) == [("", "too_many_questions")]


CHOICE, SEVERAL = question("one", "single"), question("many", "multiple")
SCALE = question("scale", "scale", low=0, high=3)


@pytest.mark.parametrize(
    ("condition", "code", "params", "path"),
    [
        (leaf("answer.x", "exists"), "refers_to_itself", {"question": "x"}, "field"),
        (leaf("answer.after", "exists"), "refers_to_later", {"question": "after"}, "field"),
        (leaf("answer.nowhere", "exists"), "refers_to_unknown", {"question": "nowhere"}, "field"),
        (leaf("event.total", "exists"), "unknown_field", {"field": "event.total"}, "field"),
        (leaf("answer.one", "eq", "z"), "unknown_option", {"question": "one", "value": "z"}, "value"),
        (leaf("answer.one", "not_in", ["a", "z"]), "unknown_option", {"question": "one", "value": "z"}, "value"),
        (leaf("answer.many", "contains", "z"), "unknown_option", {"question": "many", "value": "z"}, "value"),
        (leaf("answer.many", "eq", "a"), "contains_only", {"question": "many"}, "op"),
        (leaf("response.segment", "eq", "fan"), "unknown_segment_word", {"value": "fan"}, "value"),
        (leaf("response.language", "in", ["en", "fr"]), "unknown_language", {"value": "fr"}, "value"),
        (leaf("response.score", "ge", 11), "out_of_range", {"value": 11, "low": 0, "high": 10}, "value"),
        (leaf("response.score", "eq", 7.5), "out_of_range", {"value": 7.5, "low": 0, "high": 10}, "value"),
        (leaf("answer.scale", "between", [2, 4]), "out_of_range", {"value": 4, "low": 0, "high": 3}, "value"),
        (leaf("contact.since", "within_days", 30), "needs_clock", {}, "op"),
        ({"all": [leaf("answer.scale", "ge", 1), leaf("answer.one", "eq", "z")]}, "unknown_option",
         {"question": "one", "value": "z"}, "all.1.value"),
        ([], None, None, None),
        ("x", "not_an_object", {}, ""),
    ],
)  # fmt: skip
def test_conditions_that_ask_for_what_there_is_not(condition: Any, code: Any, params: Any, path: Any) -> None:
    found = problems(
        document(LEAD, CHOICE, SEVERAL, SCALE, question("x", "rating", condition), question("after", "rating"))
    )
    expected = [] if code is None else [("x", code, params, path, 4)]
    assert [(p.question_key, p.code, p.params, p.path, p.place) for p in found] == expected


def test_the_score_needs_a_recommendation_question_before() -> None:
    lead = question("csat", "csat")
    late = question("nps", "nps")
    assert told(lead, question("x", "rating", leaf("response.score", "ge", 9)), late) == [("x", "no_score")]
    assert told(lead, late, question("x", "rating", leaf("response.score", "ge", 9))) == []
    assert told(lead, question("x", "rating", leaf("response.segment", "eq", "promoter"))) == []


# --- what can never be shown ---

REQUIRED = question("nps", "nps", is_required=True)
IMPOSSIBLE = {
    "against itself": [
        LEAD,
        question("x", "rating", {"all": [leaf("response.score", "ge", 9), leaf("response.segment", "eq", "passive")]}),
    ],
    "skipping what must be answered": [REQUIRED, question("x", "rating", leaf("answer.nps", "missing"))],
    "through another one": [
        LEAD,
        question("a", "yes_no", leaf("response.segment", "eq", "promoter")),
        question("b", "rating", leaf("answer.a", "eq", True)),
        question("x", "text", {"all": [leaf("answer.b", "exists"), leaf("response.score", "lt", 9)]}),
    ],
    "an answer and none": [
        LEAD,
        question("a", "single"),
        question("x", "text", {"all": [leaf("answer.a", "eq", "a"), leaf("answer.a", "missing")]}),
    ],
    "a property with two values": [
        LEAD,
        question("x", "text", {"all": [leaf("property.shop", "eq", "A"), leaf("property.shop", "eq", "B")]}),
    ],
    "numbers that leave no room": [
        LEAD,
        question("x", "text", {"all": [leaf("contact.age", "gt", 5), leaf("contact.age", "le", 5)]}),
    ],
    "a score that comes later": [
        question("csat", "csat"),
        question("x", "text", {"all": [leaf("response.segment", "eq", "promoter"), leaf("answer.csat", "eq", 1)]}),
        question("nps", "nps"),
    ],
    "no language at all": [LEAD, question("x", "text", leaf("response.language", "not_in", ["en", "de"]))],
}
POSSIBLE = {
    "skipped": [LEAD, question("x", "rating", leaf("answer.nps", "missing"))],
    "several at once": [
        LEAD,
        question("a", "multiple"),
        question("x", "text", {"all": [leaf("answer.a", "contains", key) for key in "abc"]}),
    ],
    "none of those named": [
        LEAD,
        question("a", "multiple", is_required=True),
        question("x", "text", {"all": [leaf("answer.a", "not_contains", key) for key in "ab"]}),
    ],
    "one within another": [
        LEAD,
        question("a", "text"),
        question("x", "text", {"all": [leaf("answer.a", "contains", "foo"), leaf("answer.a", "ne", "foo")]}),
    ],
    "between two numbers": [
        LEAD,
        question("x", "text", {"all": [leaf("contact.age", "gt", 5), leaf("contact.age", "lt", 6)]}),
    ],
    "two parts and a pattern": [
        LEAD,
        question("a", "comment"),
        question("x", "text", {"all": [leaf("answer.a", "contains", "late"), leaf("answer.a", "matches", "the*!"),
                                       leaf("answer.a", "contains", "box")]}),
    ],
    "between two days": [
        LEAD,
        question("x", "text", {"all": [leaf("contact.since", "after", "2026-01-01"),
                                       leaf("contact.since", "before", "2026-01-02")]}),
    ],
    "a lead that is not the score": [
        question("csat", "csat", is_required=True),
        question("nps", "nps", leaf("answer.csat", "ge", 4)),
        question("x", "text", {"all": [leaf("response.segment", "eq", "detractor"), leaf("answer.csat", "eq", 5)]}),
    ],
    "objects within objects": [
        LEAD,
        question("x", "text", {"all": [leaf("contact.plan.name", "eq", "gold"), leaf("contact.plan.size", "ge", 3)]}),
    ],
}  # fmt: skip


@pytest.mark.parametrize("questions", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_nobody_can_reach_is_told(questions: list[Any]) -> None:
    assert told(*questions) == [("x", "never_shown")]
    assert witness(document(*questions), "x") is None


@pytest.mark.parametrize("questions", POSSIBLE.values(), ids=POSSIBLE)
def test_what_can_be_reached_has_a_witness(questions: list[Any]) -> None:
    assert told(*questions) == []
    check_witness(document(*questions), "x")


def test_a_witness_answers_what_must_be_answered() -> None:
    asked = document(REQUIRED, question("a", "single", is_required=True), question("x", "text"))
    found = check_witness(asked, "x")
    assert set(found.answers) == {"nps", "a"}


def test_a_question_that_there_is_not_has_none() -> None:
    assert witness(document(LEAD), "x") is None


def test_many_comparisons_of_one_condition_are_quick() -> None:
    """Forty questions that must all be answered in one way: given up early, not tried out."""
    asked = [LEAD, *(question(f"q{n}", "single") for n in range(38))]
    every = {"all": [leaf(f"answer.q{n}", "eq", "b") for n in range(38)]}
    assert told(*asked, question("x", "text", every)) == []
    none = {"all": [*every["all"], leaf("answer.q0", "eq", "c")]}
    assert told(*asked, question("x", "text", none)) == [("x", "never_shown")]


def test_what_takes_too_long_is_said_so_and_no_reason_to_refuse() -> None:
    names = [f"q{n}" for n in range(20)]
    asked = [LEAD, *(question(name, "single") for name in names)]
    pairs = [
        {"any": [leaf(f"answer.{a}", "eq", "a"), leaf(f"answer.{b}", "eq", "b")]} for a, b in combinations(names, 2)
    ]
    unequal = {"any": [leaf(f"answer.{a}", "eq", "c") for a in names]}
    conditions = [*pairs[:24], {"not": unequal}]
    hard = {"all": [*conditions, leaf("answer.q19", "eq", "a"), leaf("answer.q19", "eq", "b")]}
    assert told(*asked, question("x", "text", hard))[0][0] == "x"  # However long the condition, it ends.
    several = question("many", "multiple", options=[{"key": f"o{n}", "text": TEXTS} for n in range(30)])
    all_of = {"all": [leaf("answer.many", "contains", f"o{n}") for n in range(20)]}
    assert told(LEAD, several, question("x", "text", all_of)) == [("x", "too_complicated")]
    with pytest.raises(TooComplicated):
        witness(document(LEAD, several, question("x", "text", all_of)), "x")
    assert "too_complicated" in HINTS


def test_what_is_only_not_found_among_parts_of_texts_is_not_claimed() -> None:
    overlap = {"all": [leaf("answer.a", "contains", "ab"), leaf("answer.a", "contains", "bc"),
                       leaf("answer.a", "matches", "???")]}  # fmt: skip
    assert told(LEAD, question("a", "comment"), question("x", "text", overlap)) == [("x", "too_complicated")]


# --- any document ---

FACTS = [
    ("property.shop", ["eq", "ne", "in", "contains", "matches", "exists", "missing", "ge", "lt"]),
    ("contact.plan", ["eq", "ne", "not_in", "not_contains", "exists", "gt", "between", "before", "after"]),
    ("contact.plan.size", ["eq", "ge", "missing"]),
]


def value_of(draw: Any, op: str, pool: list[Any]) -> Any:
    if op in {"exists", "missing"}:
        return None
    if op in {"in", "not_in"}:
        return draw(st.lists(st.sampled_from(pool), min_size=1, max_size=2))
    if op in {"before", "after"}:
        return draw(st.sampled_from(["2026-01-01", "2026-02-01"]))
    if op in {"lt", "le", "gt", "ge", "between"}:
        numbers = [value for value in pool if not isinstance(value, str | bool)] or [3, 5]
        return (
            sorted(draw(st.tuples(st.sampled_from(numbers), st.sampled_from(numbers))))
            if op == "between"
            else draw(st.sampled_from(numbers))
        )
    if op in {"contains", "not_contains", "matches"}:
        return draw(st.sampled_from([str(value) for value in pool] + (["a*", "*b"] if op == "matches" else [])))
    return draw(st.sampled_from(pool))


def asked_of(earlier: dict[str, Any]) -> tuple[str, list[str], list[Any]]:
    """What may be compared of an earlier question: field, operators, values."""
    field, kind = f"answer.{earlier['key']}", earlier["kind"]
    keys = [option["key"] for option in earlier.get("options", [])]
    if kind == "single":
        return field, ["eq", "ne", "in", "not_in", "exists", "missing"], keys
    if kind == "multiple":
        return field, ["contains", "not_contains", "exists", "missing"], keys
    if kind in {"yes_no", "opt_in"}:
        return field, ["eq", "ne", "exists"], [True, False]
    if kind in {"text", "comment"}:
        return field, ["eq", "ne", "contains", "not_contains", "matches", "missing"], ["a", "ab", "b"]
    low, high = NUMBERS.get(kind, (earlier.get("low"), earlier.get("high")))
    return field, ["eq", "ne", "lt", "ge", "between", "in", "missing"], list(range(low, high + 1))


@st.composite
def leaves(draw: Any, earlier: list[Any], finite: bool) -> dict[str, Any]:
    segments = ["promoter", "passive", "detractor"]
    pools = [
        *(asked_of(q) for q in earlier),
        ("response.segment", ["eq", "ne", "in", "exists", "missing"], segments),
        ("response.language", ["eq", "ne"], list(LANGUAGES)),
    ]
    if any(q["kind"] == "nps" for q in earlier):
        pools.append(("response.score", ["eq", "ge", "lt", "missing"], list(range(11))))
    if not finite:
        pools += [(name, ops, ["a", "ab", 3, 5, True]) for name, ops in FACTS]
    field, ops, pool = draw(st.sampled_from(pools))
    op = draw(st.sampled_from(ops))
    return leaf(field, op, value_of(draw, op, pool))


def conditions(earlier: list[Any], finite: bool) -> st.SearchStrategy[Any]:
    one = leaves(earlier, finite)
    some = st.lists(one, min_size=1, max_size=3)
    group = st.one_of(st.builds(lambda x: {"all": x}, some), st.builds(lambda x: {"any": x}, some))
    turned = st.builds(lambda x: {"not": x}, group)
    both = st.builds(lambda x, y: {"all": [x, y]}, group, st.one_of(turned, group))
    return st.one_of(st.just({}), one, group, turned, both)


@st.composite
def documents(draw: Any, finite: bool = False) -> dict[str, Any]:
    kinds = ["single", "multiple", "yes_no", "opt_in", "scale"] + ([] if finite else ["rating", "text", "nps"])
    rows = [question("lead", draw(st.sampled_from(["nps", "csat", "ces"])), is_required=draw(st.booleans()))]
    for number in range(draw(st.integers(1, 4))):
        used = {row["kind"] for row in rows}
        kind = draw(st.sampled_from([k for k in kinds if k != "nps" or k not in used]))
        condition = draw(conditions(rows, finite))
        low = draw(st.integers(0, 1))
        more = {"low": low, "high": draw(st.integers(2, 3))} if kind == "scale" else {}
        rows.append(question(f"q{number}", kind, condition, is_required=draw(st.booleans()), **more))
    if draw(st.booleans()):
        rows.insert(1, question("why", "comment"))
    return document(*rows)


def check_witness(asked: dict[str, Any], key: str) -> Any:
    """The witness leads to the question, and skips nothing that must be answered."""
    found = witness(asked, key)
    assert found is not None
    shown = walk(load(asked), found.answers, found.facts)
    keys = [q.key for q in shown]
    assert key in keys
    assert all(q.key in found.answers for q in shown[: keys.index(key)] if q.is_required)
    return found


@settings(deadline=None, max_examples=300)
@given(documents())
def test_each_question_that_is_not_reported_is_shown_with_its_witness(asked: dict[str, Any]) -> None:
    found = problems(asked)
    assert {problem.code for problem in found} <= {"never_shown", "too_complicated"}
    reported = {problem.question_key for problem in found}
    for row in asked["questions"]:
        if row["key"] not in reported:
            check_witness(asked, row["key"])


def all_answers(row: dict[str, Any]) -> list[Any]:
    """Every answer to a question, and none."""
    keys = [option["key"] for option in row.get("options", [])]
    if row["kind"] == "multiple":
        return [None, *(list(some) for some in chain(*(combinations(keys, n) for n in (1, 2, 3))))]
    if row["kind"] == "single":
        return [None, *keys]
    if row["kind"] in {"yes_no", "opt_in"}:
        return [None, True, False]
    if row["kind"] == "comment":
        return [None, "x"]
    low, high = NUMBERS.get(row["kind"], (row.get("low"), row.get("high")))
    return [None, *range(low, high + 1)]


def shown_at_all(asked: dict[str, Any]) -> set[str]:
    """By trying every combination."""
    definition, found = load(asked), set()
    rows = asked["questions"]
    for language, *values in product(LANGUAGES, *(all_answers(row) for row in rows[:-1])):
        answers = {row["key"]: value for row, value in zip(rows, values, strict=False) if value is not None}
        for one in walk(definition, answers, {"response": {"language": language}}):
            found.add(one.key)
            if one.is_required and one.key not in answers:
                break
    return found


@settings(deadline=None, max_examples=150)
@given(documents(finite=True).filter(lambda asked: len(asked["questions"]) <= 5))
def test_what_is_never_shown_is_so_by_trying_everything(asked: dict[str, Any]) -> None:
    reported = {problem.question_key for problem in problems(asked)}
    assert reported == {row["key"] for row in asked["questions"]} - shown_at_all(asked)


def anything(asked: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Answers of people who answer some of it, in whatever order."""
    one = {row["key"]: st.sampled_from(all_answers(row)) for row in asked["questions"]}
    return st.fixed_dictionaries(one).map(lambda given: {k: v for k, v in given.items() if v is not None})


def pages_on_the_way(definition: Definition, answers: dict[str, Any], facts: dict[str, Any]) -> list[int]:
    found, place = [], -1
    for _turn in range(len(definition.pages) + 1):
        following = next_page(definition, answers, facts, place)
        if following is None:
            return found
        found.append(following)
        place = following
    raise AssertionError("it does not end")


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_the_way_leads_forward_to_the_end(data: Any) -> None:
    asked = data.draw(documents(finite=True))
    answers = data.draw(anything(asked))
    definition = load(asked)
    facts = {"response": {"language": "en"}}
    pages = pages_on_the_way(definition, answers, facts)
    assert pages == sorted(set(pages))
    open_keys = [q.key for q in walk(definition, answers, facts) if q.key not in answers]
    on_pages = [q.key for page in pages for q in definition.pages[page]]
    assert set(open_keys) <= set(on_pages)


@settings(deadline=None, max_examples=200)
@given(documents())
def test_each_question_stands_on_one_page_behind_what_it_depends_on(asked: dict[str, Any]) -> None:
    definition = load(asked)
    page_of = {q.key: number for number, page in enumerate(definition.pages) for q in page}
    assert [q.key for page in definition.pages for q in page] == [q.key for q in definition.questions]
    order = [q.key for q in definition.questions]
    for key, condition in definition.conditions.items():
        before = order[: order.index(key)]
        assert all(page_of[k] < page_of[key] for k in needs(condition, definition.questions) if k in before)
