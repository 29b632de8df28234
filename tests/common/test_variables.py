import time

import pytest

from apps.common.variables import fill, one_line, unknown_variables


def test_known_variables_are_filled_and_fall_back_when_empty() -> None:
    assert fill("Hi {{ name|there }}, {{score}}!", {"name": "", "score": "9"}) == "Hi there, 9!"
    assert fill("Hi {{ name|there }}", {"name": "Ada"}) == "Hi Ada"


@pytest.mark.parametrize(
    "payload",
    ["{{7*7}}", "{% lorem 10000 %}", "{{ ''.__class__ }}", "{{ name.__class__ }}", "{{ settings }}", "{{ name|a|b }}"],
)
def test_anything_else_stays_as_it_was_written(payload: str) -> None:
    assert fill(payload, {"name": "Ada"}) == payload


def test_values_are_not_read_as_templates() -> None:
    assert fill("{{ name }}", {"name": "{{ score }}", "score": "9"}) == "{{ score }}"


def test_huge_texts_take_no_time() -> None:
    started = time.perf_counter()
    fill("{{ " * 50_000 + "{{ name|" * 50_000, {"name": "Ada"})
    assert time.perf_counter() - started < 0.1


def test_unknown_variables_are_named_once() -> None:
    assert unknown_variables("{{ nam }} {{ name }} {{ nam|x }}", {"name"}) == ["nam"]


def test_what_looks_like_a_variable_but_is_none_is_named_too() -> None:
    assert unknown_variables("{{ Name }} {{  name }} {{ first-name }} {{ name|x }}", {"name"}) == [
        "Name",
        "name",
        "first-name",
    ]


def test_line_breaks_cannot_reach_a_header() -> None:
    assert one_line("Ada\r\nBcc: x@y.example\x00") == "Ada Bcc: x@y.example"
