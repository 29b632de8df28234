"""How many text messages a text is sent as."""

import pytest

from apps.messaging.sms.segments import MOST_SEGMENTS, expected_segments, segments


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("ä" * 160, 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # not cut within the euro sign: 152, 154 of which one waits
        ("ő" * 70, 1),
        ("ő" * 71, 2),
        ("ő" * 134, 2),
        ("ő" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 67, 3),  # 33 in each, not 33.5
        ("a" * 100 + "–", 2),
        ("\n" * 160, 1),
    ],
)
def test_a_text_is_counted_as_it_is_paid_for(text: str, count: int) -> None:
    assert segments(text) == count


def test_a_template_is_counted_with_its_link_and_the_way_out() -> None:
    assert expected_segments("{{ subject }}", needs_link=True) == 1
    assert expected_segments("a" * 57, needs_link=True) == 2
    assert expected_segments("a" * 57, needs_link=False) == 1
    assert expected_segments("a" * 56 + "{{ link }}", needs_link=True) == 1
    assert expected_segments("a" * 400, needs_link=True) > MOST_SEGMENTS
