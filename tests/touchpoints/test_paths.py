"""Paths find what stands in a message, whatever it looks like, and never take long or raise."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.touchpoints.hook_mapping import mapping_of
from apps.touchpoints.models import Hook
from apps.touchpoints.paths import NOTHING, Expression, Path, PathError, find, find_text, parse

MESSAGE: dict[str, Any] = {
    "customer": {"email": "ada@example.com", "first name": "Ada", 'odd"key': 1},
    "lines": [{"sku": None}, {"sku": ""}, {"sku": "B-2"}, {"sku": "C-3"}],
    "first": "Ada",
    "last": "Lovelace",
    "paid": True,
    "total": 12.5,
    "none": None,
}
HEADERS = {"x-topic": "orders/paid"}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("customer.email", "ada@example.com"),
        ('customer["first name"]', "Ada"),
        (r'customer["odd\"key"]', 1),
        ("$.customer.email", "ada@example.com"),
        ("lines[2].sku", "B-2"),
        ("lines.2.sku", "B-2"),
        ("lines[-1].sku", "C-3"),
        ("lines[*].sku", "B-2"),
        ("lines[9].sku", None),
        ("lines[-9].sku", None),
        ("header:X-Topic", "orders/paid"),
        ("header:X-Other", None),
        ("nothing | none | customer.email", "ada@example.com"),
        ("first + last", "Ada Lovelace"),
        ("first + nothing", "Ada"),
        ("nothing + none | first", "Ada"),
        ("paid", True),
        ("total", 12.5),
        ("customer.email.more", None),
        ("", None),
        ("  ", None),
    ],
)
def test_a_path_leads_to_what_stands_there(path: str, found: Any) -> None:
    assert find(parse(path), MESSAGE, HEADERS) == found


def test_texts_are_plain_values_only() -> None:
    assert find_text(parse("customer | first"), MESSAGE, HEADERS) == "Ada"
    assert find_text(parse("paid"), MESSAGE, HEADERS) == "true"
    assert find_text(parse("total"), MESSAGE, HEADERS) == "12.5"
    assert find_text(parse("x"), {"x": 10**5000}, {}) == ""


@pytest.mark.parametrize(
    ("path", "at"),
    [("a..b", 2), (".a", 0), ("a.", 2), ("a |", 3), ("a b", 1), ("[", 0), ("a[x]", 1), ("a[1", 1), ('a["x', 1),
     ("a" * 301, 300), (".".join("a" * 25), 41), ("header:", 0), ("header:x!", 8), ("a.header:x", 2)],
)  # fmt: skip
def test_what_is_no_path_is_refused_with_the_place(path: str, at: int) -> None:
    with pytest.raises(PathError) as caught:
        parse(path)
    assert caught.value.at == at


def test_a_hostile_message_costs_a_bounded_time() -> None:
    wide: Any = "x"
    for _ in range(6):
        wide = [wide] * 30  # 30⁶ ways
    started = time.perf_counter()
    assert find(parse("[*][*][*][*][*][*].nothing"), wide, {}) is None
    assert time.perf_counter() - started < 0.5


def test_a_hostile_request_costs_a_bounded_time_however_many_messages_and_paths_there_are() -> None:
    ways = " | ".join(f"lines[*].{name}" for name in "bcdef")
    hook = Hook(touchpoint_path="what", external_id_path="who", properties={f"p{n}": ways for n in range(30)})
    mapping = mapping_of(hook, assigned={}, touchpoints=["x"])
    items = [{"what": "x", "who": "y", "lines": [0] * 1200}] * 200
    started = time.perf_counter()
    became = [mapping.read(item, {}, datetime.now(UTC)) for item in items]
    assert time.perf_counter() - started < 5
    assert (became[0].became, became[-1].became, became[-1].problems[0].code) == ("event", "wrong", "too_much")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)
PIECE = st.sampled_from(
    ["a", "b", ".", "[0]", "[-1]", "[*]", '["a"]', "|", "+", "header:x", " ", "$", "\x00", "]", '"']
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECE, max_size=12).map("".join) | st.text(max_size=20), JSON)
def test_any_text_is_a_path_or_an_error_and_any_message_can_be_read(text: str, message: Any) -> None:
    try:
        expression = parse(text)
    except PathError:
        return
    find(expression, message, HEADERS)
    assert isinstance(find_text(expression, message, HEADERS), str)


@given(st.lists(st.text(max_size=8).filter(lambda t: not {"\\", "\x00"} & {*t}), min_size=1, max_size=6), st.integers())
def test_quoted_names_reach_any_part(names: list[str], value: int) -> None:
    message: Any = value
    for name in reversed(names):
        message = {name: message}
    text = "".join('["{}"]'.format(name.replace('"', r"\"")) for name in names)
    assert parse(text) == Expression((((Path("", tuple(names))),),))
    assert find(parse(text), message, {}) == value


def test_nothing_is_looked_for_without_a_path() -> None:
    assert parse("") is NOTHING
    assert not NOTHING
