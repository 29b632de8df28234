"""A survey as it is walked: pages, segments, scores."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from apps.surveys.definition import (
    Definition,
    load,
    next_page,
    option_problem,
    score_of,
    segment_of_answers,
    walk,
)
from apps.surveys.models import Survey

TEXTS = {"en": "?"}


def survey(*questions: tuple[str, str, Any]) -> Definition:
    rows = [{"key": key, "kind": kind, "text": TEXTS, "show_if": condition} for key, kind, condition in questions]
    return load({"questions": rows, "thanks": {"": {"heading": {"en": "Bye"}}, "promoter": {}}, "is_anonymous": True})


def keys(pages: Any) -> list[list[str]]:
    return [[question.key for question in page] for page in pages]


UNHAPPY = {"field": "response.segment", "op": "eq", "value": "detractor"}
BRANCHED = survey(
    ("nps", "nps", {}),
    ("why", "comment", {}),
    ("speed", "rating", {}),
    ("staff", "rating", UNHAPPY),
    ("details", "text", {"field": "answer.staff", "op": "le", "value": 2}),
    ("mail", "opt_in", {}),
)


def test_the_comment_stands_beside_the_lead_and_what_depends_on_a_page_behind_it() -> None:
    assert keys(BRANCHED.pages) == [["nps", "why"], ["speed", "staff"], ["details", "mail"]]


def test_a_comment_that_depends_on_the_score_has_a_page_of_its_own() -> None:
    assert keys(survey(("nps", "nps", {}), ("why", "comment", UNHAPPY)).pages) == [["nps"], ["why"]]


def test_what_needs_no_answer_stands_together() -> None:
    condition = {"field": "contact.country", "op": "eq", "value": "DE"}
    assert keys(survey(("csat", "csat", {}), ("a", "rating", condition), ("b", "text", {})).pages) == [
        ["csat"],
        ["a", "b"],
    ]


def test_no_questions_are_no_pages() -> None:
    empty = load({})
    assert (empty.pages, empty.lead, empty.questions) == ((), None, ())
    assert next_page(empty, {}, {}, -1) is None


@pytest.mark.parametrize(
    ("answers", "shown"),
    [
        ({}, ["nps", "why", "speed", "mail"]),
        ({"nps": 9, "staff": 1}, ["nps", "why", "speed", "mail"]),
        ({"nps": 3}, ["nps", "why", "speed", "staff", "mail"]),
        ({"nps": 3, "staff": 2}, ["nps", "why", "speed", "staff", "details", "mail"]),
        ({"nps": 3, "staff": 3}, ["nps", "why", "speed", "staff", "mail"]),
    ],
)
def test_only_what_fits_is_shown(answers: Any, shown: list[str]) -> None:
    assert [question.key for question in walk(BRANCHED, answers, {})] == shown


def test_the_answer_to_what_is_not_shown_counts_for_nothing() -> None:
    """Somebody changed the score afterwards: what was answered as a detractor is not looked at."""
    assert "details" not in [question.key for question in walk(BRANCHED, {"nps": 10, "staff": 1}, {})]


@pytest.mark.parametrize(
    ("answers", "after", "page"),
    [
        ({}, -1, 0),
        ({"nps": 3}, 0, 1),
        ({"nps": 3, "speed": 4, "staff": 5}, 0, 2),
        ({"nps": 9, "speed": 4}, 0, 2),
        ({"nps": 9, "speed": 4, "mail": False}, 0, None),
        ({"nps": 9}, 2, None),
    ],
)
def test_the_next_page_has_something_open(answers: Any, after: int, page: int | None) -> None:
    assert next_page(BRANCHED, answers, {}, after) == page


def test_a_condition_that_means_nothing_hides_nothing() -> None:
    broken = survey(("nps", "nps", {}), ("x", "text", {"field": "answer.later", "op": "exists"}))
    assert [question.key for question in walk(broken, {}, {})] == ["nps", "x"]


def test_a_skipped_recommendation_is_no_score() -> None:
    assert score_of(BRANCHED, {}) is None
    assert score_of(BRANCHED, {"nps": 0}) == 0
    assert score_of(survey(("csat", "csat", {})), {"csat": 5}) is None
    assert segment_of_answers(BRANCHED, {}) == ""


@pytest.mark.parametrize(
    ("kind", "value", "segment"),
    [
        ("nps", 10, "promoter"), ("nps", 9, "promoter"), ("nps", 8, "passive"), ("nps", 7, "passive"),
        ("nps", 6, "detractor"), ("nps", 0, "detractor"), ("csat", 5, "promoter"), ("csat", 4, "promoter"),
        ("csat", 3, "passive"), ("csat", 2, "detractor"), ("ces", 7, "promoter"), ("ces", 5, "promoter"),
        ("ces", 4, "passive"), ("ces", 3, "detractor"), ("ces", 1, "detractor"),
    ],
)  # fmt: skip
def test_who_is_a_promoter(kind: str, value: int, segment: str) -> None:
    assert segment_of_answers(survey(("lead", kind, {})), {"lead": value}) == segment


def test_the_recommendation_counts_more_than_the_lead() -> None:
    both = survey(("csat", "csat", {}), ("nps", "nps", {}))
    assert segment_of_answers(both, {"csat": 5}) == "promoter"
    assert segment_of_answers(both, {"csat": 5, "nps": 2}) == "detractor"
    assert score_of(both, {"csat": 5, "nps": 2}) == 2


def test_thanks_fall_back_to_those_for_everybody() -> None:
    assert BRANCHED.thanks_for("passive").heading == {"en": "Bye"}
    assert BRANCHED.thanks_for("promoter").heading == {}
    assert load({}).thanks_for("promoter").heading == {}


def test_names_and_bounds() -> None:
    scale = load({"questions": [{"key": "s", "kind": "scale", "text": TEXTS, "low": 0, "high": 7}]}).questions[0]
    assert (scale.bounds, scale.is_number, scale.field_name) == ((0, 7), True, "q-s")
    assert [q.field_name for q in BRANCHED.questions[:3]] == ["score", "comment", "q-speed"]
    assert [q.bounds for q in BRANCHED.questions[:3:2]] == [(0, 10), (1, 5)]
    assert BRANCHED.question("why") is BRANCHED.questions[1]
    assert BRANCHED.question("nothing") is None


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ([], ""),
        ([{"key": "a", "text": TEXTS}, {"key": "b", "text": TEXTS}], ""),
        ("a", "shape"),
        ([{"key": "a"}], "shape"),
        ([{"key": f"o{n}", "text": TEXTS} for n in range(31)], "many"),
        ([{"key": "A b", "text": TEXTS}], "key"),
        ([{"key": "a", "text": TEXTS}, {"key": "a", "text": TEXTS}], "key"),
        ([{"key": "a", "text": {}}], "text"),
        ([{"key": "a", "text": {"en": 1}}], "text"),
    ],
)
def test_what_is_wrong_with_options(options: Any, problem: str) -> None:
    assert option_problem(options) == problem


@pytest.mark.parametrize("name", ["touchpoint", "lang", "k"])
def test_a_property_cannot_be_called_what_the_address_needs(name: str) -> None:
    survey = Survey(key="x", name={"en": "X"}, public_properties=["store", name])
    with pytest.raises(ValidationError, match="meaning of its own"):
        survey.clean()
