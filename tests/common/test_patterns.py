import time
import tracemalloc

import pytest

from apps.common.patterns import Pattern, escaped_around


def filled(source: str, *, is_html: bool = False, **values: str) -> str:
    return Pattern(source, is_html=is_html).fill(values).decode()


def test_values_go_where_their_names_stand() -> None:
    assert filled("Hi {{ name|there }}, {{score}}!", name="Ada", score="9") == "Hi Ada, 9!"
    assert filled("Hi {{ name|there }}!", name="") == "Hi there!"


def test_in_html_values_and_fallbacks_are_escaped_and_only_ours_are_not() -> None:
    assert filled("<b>{{ name }}</b>", is_html=True, name="<i>&") == "<b>&lt;i&gt;&amp;</b>"
    assert filled("{{ name|<i> }}", is_html=True, name="") == "&lt;i&gt;"
    assert filled("{{ row_html }}", is_html=True, row_html="<td>") == "<td>"
    assert filled("{{ unknown|<script> }}", is_html=True) == "{{ unknown|&lt;script&gt; }}"


def test_what_others_name_is_never_raw_however_it_is_called() -> None:
    place, value = "contact.properties.bio_html", "<a href=x>"
    assert Pattern(f"{{{{ {place} }}}}", is_html=True).fill({place: value}) == b"&lt;a href=x&gt;"


def test_what_is_filled_in_is_not_read_again() -> None:
    assert filled("{{ a }} {{ b }}", a="{{ b }}", b="{{ a }}") == "{{ b }} {{ a }}"


@pytest.mark.parametrize(
    "text",
    [
        "{{7*7}}",
        "{% lorem 10000 %}",
        "{{ a.__class__.__mro__ }}",
        "{{ a|upper|lower }}",
        "{{ a|x:{} }}",
        "${a}",
    ],
)
def test_there_is_no_language_in_it(text: str) -> None:
    assert filled(text, a="b") == text


def test_braces_around_a_place_stay() -> None:
    assert filled("{{{{ a }}}}", a="b") == "{{b}}"


@pytest.mark.parametrize("text", ["{{ a|" + "x" * 1_000_000, "{{" * 500_000, "{{ a }}" * 100_000, "{{ a|" * 200_000])
def test_no_text_is_expensive(text: str) -> None:
    tracemalloc.start()
    try:
        started = time.process_time()
        Pattern(text).fill({"a": "b"})
        # Seconds of this process: many times what it needs, also while others compute beside it.
        assert time.process_time() - started < 5
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


def test_lines_end_as_mails_want_it() -> None:
    assert Pattern("a\nb\r\nc\r{{ x }}").fill({"x": "1\n2"}) == b"a\r\nb\r\nc\r\n1\r\n2"


def test_text_around_places_is_escaped_and_the_places_are_not() -> None:
    assert escaped_around("a < {{ name|d'Artagnan }} & b") == "a &lt; {{ name|d'Artagnan }} &amp; b"
