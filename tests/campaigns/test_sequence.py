"""Sequences as documents: read, refused, and shown to lead forward and to an end."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.campaigns.sequence import CODES, MAX_STEPS, Kind, Options, Sequence, SequenceError, dead_ends, parse, wait_end
from apps.common.schedule import Calendar
from tests.campaigns import trees

MAIL = {"kind": "email", "subject": {"en": "Hi {{ name }}"}, "body": {"en": "Bye"}}
ASKED = {"field": "again.answered", "op": "eq", "value": True}
FIELDS = ("response.score", "response.has_comment")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


def follow(sequence: Sequence, holds: dict[str, bool]) -> Iterator[tuple[str, str]]:
    """The way through, by what each step says of the next."""
    key = sequence.first
    while key is not None:
        step = sequence.steps[key]
        yield step.key, step.kind.value
        is_yes = step.condition is not None and holds[next(iter(step.condition.fields))]
        key = step.following(is_yes=is_yes)


@given(trees.documents())
def test_every_sequence_leads_forward_to_an_end_and_takes_the_way_that_is_written(document: trees.Tree) -> None:
    sequence = parse(document)
    assert [step.key for step in sequence] == trees.all_keys(document["steps"])
    for step in sequence:
        for following in {step.next, step.yes} - {None}:
            assert sequence.steps[str(following)].place > step.place
    for answers in product((True, False), repeat=2):
        holds = dict(zip(FIELDS, answers, strict=True))
        assert list(follow(sequence, holds)) == trees.walk(document, holds)


@given(trees.documents())
def test_reading_it_again_changes_nothing(document: trees.Tree) -> None:
    once = parse(document)
    assert parse(dict(once.document)).document == once.document


@given(trees.documents())
def test_what_is_called_unreachable_is_what_no_answers_lead_to(document: trees.Tree) -> None:
    sequence = parse(document)
    told = {problem.key for problem in dead_ends(sequence, Options()) if problem.code == "unreachable"}
    reached, waiting = set(), [sequence.first]
    while waiting:
        key = waiting.pop()
        if key is not None and key not in reached:
            reached.add(key)
            waiting += [sequence.steps[key].next, sequence.steps[key].yes]
    assert told == set(sequence.steps) - reached


@given(json_values)
@settings(max_examples=300)
def test_whatever_json_comes_it_is_a_sequence_or_says_what_is_wrong(value: Any) -> None:
    for document in (value, {"steps": value}, {"steps": [value]}, {"steps": [{"key": "a", "kind": value}]},
                     {"steps": [{"key": "a", **MAIL, "body": value}]},
                     {"steps": [{"key": "a", "kind": "branch", "condition": value, "yes": value}]}):  # fmt: skip
        try:
            parse(document)
        except SequenceError as error:
            for problem in error.problems:
                assert set(problem.params) == set(CODES[problem.code])


def many(count: int) -> list[dict[str, Any]]:
    return [{"key": f"k{number}", "kind": "case"} for number in range(count)]


def nested(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


def deep(levels: int) -> list[dict[str, Any]]:
    inner = many(1) if levels == 1 else deep(levels - 1)
    return [{"key": f"b{levels}", "kind": "branch", "condition": trees.PROMOTER, "yes": inner, "no": []}]


@pytest.mark.parametrize(
    ("steps", "key", "code"),
    [
        ([{"key": "a", "kind": "case"}, {"key": "a", "kind": "case"}], "a", "key_twice"),
        ([{"key": "A b", "kind": "case"}], "", "bad_key"),
        ([{"key": "a", "kind": "jump"}], "a", "unknown_kind"),
        ([{"key": "a", "kind": nested(5_000)}], "a", "unknown_kind"),
        # What PostgreSQL cannot keep: half of a character.
        ([{"key": "a", **MAIL, "subject": {"en": "Hi \ud83d"}}], "a", "bad_value"),
        ([{"key": "a", "kind": "tag", "add": ["\ud83d"]}], "a", "bad_value"),
        ([{"key": "a", "kind": "case", "goto": "a"}], "a", "unknown_setting"),
        ([{"key": "a", "kind": "wait"}], "a", "missing"),
        ([{"key": "a", "kind": "wait", "mode": "working_days"}], "a", "missing"),
        ([{"key": "a", "kind": "wait", "seconds": 0}], "a", "out_of_range"),
        ([{"key": "a", "kind": "wait", "seconds": True}], "a", "bad_value"),
        ([{"key": "a", "kind": "voucher"}], "a", "missing"),
        ([{"key": "a", "kind": "tag"}], "a", "missing"),
        ([{"key": "a", **MAIL, "subject": {"en": "{{ password }}"}}], "a", "unknown_variable"),
        ([{"key": "a", **MAIL, "subject": {"fr": "Salut"}}], "a", "bad_value"),
        ([{"key": "a", **MAIL, "button": {"en": "Go"}}], "a", "missing"),
        ([{"key": "a", **MAIL, "button": {"en": "Go"}, "button_url": "javascript:alert(1)"}], "a", "bad_value"),
        ([{"key": "a", **MAIL, "button": {"en": "Go"}, "button_url": "https://{{ name }}.example/"}], "a", "bad_value"),
        ([{"key": "a", "kind": "branch", "condition": {}, "yes": many(1)}], "a", "missing"),
        ([{"key": "a", "kind": "branch", "condition": {"field": "x.y", "op": "eq", "value": 1}, "yes": many(1)}],
         "a", "bad_condition"),
        ([{"key": "a", "kind": "branch", "condition": trees.PROMOTER, "yes": [], "no": []}], "a", "empty_branch"),
        (many(MAX_STEPS + 1), "", "too_many"),
        (deep(7), "", "too_deep"),
    ],
)  # fmt: skip
def test_what_is_no_sequence_is_refused_with_step_and_reason(steps: list[Any], key: str, code: str) -> None:
    with pytest.raises(SequenceError) as refused:
        parse({"steps": steps})
    assert (key, code) in [(problem.key, problem.code) for problem in refused.value.problems]


STOP = {"kind": "stop"}


@pytest.mark.parametrize(
    ("steps", "key", "code"),
    [
        ([], "", "empty"),
        ([{"key": "a", **STOP}, {"key": "b", "kind": "case"}], "b", "unreachable"),
        ([{"key": "a", "kind": "branch", "condition": trees.PROMOTER, "yes": [{"key": "y", **STOP}],
           "no": [{"key": "n", **STOP}]}, {"key": "b", "kind": "case"}], "b", "unreachable"),
        ([{"key": "a", "kind": "branch", "condition": trees.PROMOTER, "no": [], "yes": [
            {"key": "b", "kind": "branch", "condition": trees.PROMOTER, "yes": many(1), "no": []}]}],
         "b", "always_same"),
        ([{"key": "a", "kind": "branch", "condition": ASKED, "yes": many(1), "no": []}], "a", "never_answers"),
        ([{"key": "a", "kind": "case"}, {"key": "b", "kind": "wait", "seconds": 60}], "b", "waits_for_nothing"),
        ([{"key": "a", **MAIL, "body": {"en": "{{ voucher }}"}}], "a", "voucher_missing"),
        ([{"key": "a", **MAIL, "button": {"en": "Go"}, "button_url": "https://x.example/?v={{ voucher }}"}],
         "a", "voucher_missing"),
        ([{"key": "a", **MAIL, "body": {"en": "{{ voucher }}"}}, {"key": "v", "kind": "voucher", "pool": 1}],
         "a", "voucher_missing"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told_at_the_step(steps: list[Any], key: str, code: str) -> None:
    assert (key, code) in [(one.key, one.code) for one in dead_ends(parse({"steps": steps}), Options())]


@pytest.mark.parametrize(
    ("steps", "options"),
    [
        ([{"key": "a", "kind": "branch", "condition": ASKED, "yes": many(1), "no": []}], Options(False)),
        ([{"key": "v", "kind": "voucher", "pool": 1}, {"key": "a", **MAIL, "body": {"en": "{{ voucher }}"}}],
         Options()),
        # One of two ways to the mail has a voucher: the words have something to fall back to.
        ([{"key": "b", "kind": "branch", "condition": trees.PROMOTER, "no": [], "yes": [
            {"key": "v", "kind": "voucher", "pool": 1}]}, {"key": "a", **MAIL, "body": {"en": "{{ voucher|soon }}"}}],
         Options()),
        # After a wait the answer to the same question may be another.
        ([{"key": "a", "kind": "branch", "condition": trees.COMMENTED, "yes": [], "no": [
            {"key": "w", "kind": "wait", "seconds": 60},
            {"key": "b", "kind": "branch", "condition": trees.COMMENTED, "yes": many(1), "no": []}]}], Options()),
    ],
)  # fmt: skip
def test_what_makes_sense_is_left_alone(steps: list[Any], options: Options) -> None:
    assert dead_ends(parse({"steps": steps}), options) == []


BERLIN = Calendar("Europe/Berlin", "DE")


@pytest.mark.parametrize(
    ("wait", "end"),
    [
        ({"seconds": 90}, datetime(2026, 10, 23, 14, 1, 30, tzinfo=UTC)),
        # Friday afternoon, over a weekend on which the clocks change.
        ({"mode": "working_days", "days": 1}, datetime(2026, 10, 26, 15, tzinfo=UTC)),
        ({"mode": "morning", "minute": 540}, datetime(2026, 10, 24, 7, tzinfo=UTC)),
        ({"mode": "morning", "minute": 540, "days": 3}, datetime(2026, 10, 26, 8, tzinfo=UTC)),
        ({"mode": "morning", "minute": 0, "days": 1}, datetime(2026, 10, 23, 22, tzinfo=UTC)),
    ],
)
def test_waits_end_by_the_clock_of_the_tenant(wait: dict[str, Any], end: datetime) -> None:
    [step] = parse({"steps": [{"key": "w", "kind": "wait", **wait}]})
    assert step.kind == Kind.WAIT
    assert wait_end(step.settings, datetime(2026, 10, 23, 14, tzinfo=UTC), BERLIN) == end
    assert step.too_late_after == timedelta(days=7)
