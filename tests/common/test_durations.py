from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from apps.common.durations import DurationFormField, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("3 days", timedelta(days=3)),
        ("1 day", timedelta(days=1)),
        ("2 hours", timedelta(hours=2)),
        ("90 minutes", timedelta(minutes=90)),
        ("45 seconds", timedelta(seconds=45)),
        ("45s", timedelta(seconds=45)),
        ("2 weeks", timedelta(days=14)),
        ("1 day 12 hours", timedelta(days=1, hours=12)),
        ("1 day, 2 hours and 5 min.", timedelta(days=1, hours=2, minutes=5)),
        ("3 00:00:00", timedelta(days=3)),
        ("00:30:00", timedelta(minutes=30)),
        ("P3D", timedelta(days=3)),
        ("0", timedelta(0)),
        ("  3 Tage ", timedelta(days=3)),
        ("1 Stunde und 30 Minuten", timedelta(minutes=90)),
    ],
)
def test_a_span_is_read_as_people_write_it(text: str, span: timedelta) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize(
    "text", ["", "3", "days", "3 moons", "3 days ago", "three days", "1e3 days", "9" * 40 + " days"]
)
def test_what_names_no_span_is_refused(text: str) -> None:
    assert parse_duration(text) is None
    if text:
        with pytest.raises(ValidationError, match="number and a unit"):
            DurationFormField().clean(text)


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(days=3), "3 days"),
        (timedelta(days=1), "1 day"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(seconds=45), "45 seconds"),
        (timedelta(hours=36), "36 hours"),
        (timedelta(days=1, seconds=1), "1 day 1 second"),
        (timedelta(0), "0 days"),
    ],
)
def test_a_span_is_shown_in_words(span: timedelta, text: str) -> None:
    assert format_duration(span) == text


@pytest.mark.parametrize("language", ["en", "de"])
@given(seconds=st.integers(0, 730 * 86_400))
def test_every_span_that_is_shown_is_read_back(language: str, seconds: int) -> None:
    span = timedelta(seconds=seconds)
    with translation.override(language):
        assert parse_duration(format_duration(span)) == span


def test_a_fraction_of_a_second_survives_the_form() -> None:
    span = timedelta(days=1, microseconds=5)
    assert parse_duration(format_duration(span)) == span


def test_limits_are_told_in_words() -> None:
    field = DurationFormField(min_value=timedelta(0), max_value=timedelta(days=730))
    assert field.clean("730 days") == timedelta(days=730)
    with pytest.raises(ValidationError, match="At most 730 days"):
        field.clean("731 days")
    with pytest.raises(ValidationError, match="At least 0 days"):
        field.clean("-1 00:00:00")
