from datetime import date
from xml.etree import ElementTree

import pytest
from django.template.loader import render_to_string
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from apps.insights.nps import Counts, nps
from apps.workspace import charts, colours, score_columns
from apps.workspace.filters import period_days
from apps.workspace.templatetags.workspace import of, signed

MONTHS = [date(2026, month, 1) for month in range(1, 13)]
numbers = st.integers(min_value=0, max_value=500)
months = st.lists(st.builds(Counts, numbers, numbers, numbers), min_size=12, max_size=12)


@given(months)
def test_everything_is_drawn_inside_the_picture(found: list[Counts]) -> None:
    chart = charts.trend(
        [(month, nps(counts)) for month, counts in zip(MONTHS, found, strict=True)], width=720, height=264
    )
    assert 2 <= len(chart.gridlines) <= charts.MAX_LINES + 1
    for place in (pair for shape in chart.lines + chart.bands for pair in shape.split()):
        x, y = (float(part) for part in place.split(","))
        assert charts.PAD_LEFT <= x <= 720 - charts.PAD_RIGHT
        assert charts.PAD_TOP - 0.1 <= y <= 264 - charts.PAD_BOTTOM + 0.1


@given(months, months, st.integers(-100, 100), st.lists(st.dates(date(2025, 12, 1), date(2027, 1, 31)), max_size=9))
def test_what_it_is_compared_with_targets_and_marks_are_drawn_inside_as_well(
    found: list[Counts], others: list[Counts], target: int, days: list[date]
) -> None:
    chart = charts.trend(
        [(month, nps(counts)) for month, counts in zip(MONTHS, found, strict=True)], width=340, height=220,
        against=[nps(counts) for counts in others], target=target, marks=sorted(days), partial={MONTHS[0]},
    )  # fmt: skip
    assert chart.target is not None
    heights = [float(chart.target.y), *(float(value) for _x, *ends in chart.whiskers for value in ends)]
    heights += [float(pair.split(",")[1]) for line in chart.other_lines for pair in line.split()]
    assert all(charts.PAD_TOP - 0.1 <= y <= 220 - charts.PAD_BOTTOM + 0.1 for y in heights)
    assert len({mark.x for mark in chart.marks}) == len(chart.marks)
    assert all(charts.PAD_LEFT <= float(mark.x) <= 340 - charts.PAD_RIGHT for mark in chart.marks)
    assert [point.is_partial for point in chart.points] == [True] + [False] * 11


def test_marks_close_together_share_their_place() -> None:
    days = [date(2026, 1, 3), date(2026, 3, 1), date(2026, 3, 9), date(2026, 3, 31), date(2026, 12, 24)]
    chart = charts.trend([(month, nps(Counts(9))) for month in MONTHS], width=720, height=300, marks=days)
    assert [mark.label for mark in chart.marks] == ["1", "2–4", "5"]


@given(st.lists(st.integers(0, 10**6), min_size=11, max_size=11))
def test_columns_of_scores_stay_inside_and_show_everybody(numbers: list[int]) -> None:
    for column in score_columns.columns(numbers):
        assert 0 <= float(column.y) - 15 <= float(column.y) + float(column.height) <= score_columns.HEIGHT
        assert (float(column.height) > 0) == (column.number > 0)
        assert (column.percent == "0") == (column.number == 0)


def test_months_with_too_few_answers_leave_a_gap() -> None:
    counts = [Counts(20, 10, 5)] * 12
    counts[5] = Counts(1, 0, 0)
    chart = charts.trend(
        [(month, nps(found)) for month, found in zip(MONTHS, counts, strict=True)], width=720, height=264
    )
    assert [len(line.split()) for line in chart.lines] == [5, 6]
    assert chart.points[5].y == ""


def test_coordinates_do_not_follow_the_readers_language() -> None:
    chart = charts.trend([(month, nps(Counts(20, 10, 5))) for month in MONTHS], width=720, height=264)
    with translation.override("de"):
        svg = render_to_string("workspace/_trend.html", {"chart": chart, "kind": "wide"})
    root = ElementTree.fromstring(svg)
    assert all("," not in circle.attrib["cx"] for circle in root.iter("circle"))
    assert len(list(root.iter("circle"))) == 12


@given(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
def test_any_accent_becomes_readable(colour: str) -> None:
    accent = colours.accent(colour)
    for text, ground in ((accent.light, "#ffffff"), (accent.dark, "#18191b"), (accent.on_light, accent.light),
                         (accent.on_dark, accent.dark)):  # fmt: skip
        one, two = (tuple(int(value[i : i + 2], 16) for i in (1, 3, 5)) for value in (text, ground))
        assert colours.contrast(one, two) >= colours.READABLE - 0.01  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["", "red", "#12345", "#123456;}body{display:none", "#zzzzzz"])
def test_what_is_not_a_colour_becomes_the_default(wrong: str) -> None:
    assert colours.accent(wrong) == colours.accent(colours.DEFAULT_ACCENT)


@pytest.mark.parametrize(("value", "text"), [(12.4, "+12"), (-3.0, "−3"), (0.2, "0"), (-0.3, "0"), (None, "–")])
def test_scores_carry_their_sign(value: float | None, text: str) -> None:
    assert signed(value) == text


def test_a_share_of_nothing_is_nothing() -> None:
    assert of(0, 0) == 0
    assert of(1, 3) == 33


def test_an_unknown_period_is_90_days() -> None:
    assert [period_days(value) for value in ("30", "365", "7", None)] == [30, 365, 90, 90]
