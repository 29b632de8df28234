from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from django.template.loader import render_to_string
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from apps.workspace.bars import PAD_BOTTOM, PAD_LEFT, PAD_RIGHT, PAD_TOP, bar_chart, columns

START = date(2026, 10, 28)
numbers = st.dictionaries(st.dates(START, START + timedelta(days=400)), st.integers(0, 100_000), max_size=40)


@given(numbers, numbers)
def test_nothing_gets_lost_and_bars_stay_inside(lower: dict[date, int], upper: dict[date, int]) -> None:
    found, _weekly = columns(lower, upper, since=START, until=START + timedelta(days=3))
    assert sum(column.lower for column in found) == sum(lower.values())
    assert sum(column.upper for column in found) == sum(upper.values())
    assert len(found) <= 120
    chart = bar_chart(found, width=720, height=240, labels=8)
    for bar in chart.bars:
        assert PAD_LEFT <= float(bar.x) <= float(bar.x) + float(bar.width) <= 720 - PAD_RIGHT + 0.1
        top, foot = float(bar.upper_y), float(bar.lower_y) + float(bar.lower_height)
        assert PAD_TOP - 0.1 <= top <= foot <= 240 - PAD_BOTTOM + 0.15
        assert float(bar.upper_y) + float(bar.upper_height) == pytest.approx(float(bar.lower_y), abs=0.15)
    assert len(chart.gridlines) <= 6
    assert 1 <= sum(bar.labelled for bar in chart.bars) <= 8


def test_days_are_complete_and_many_become_weeks_from_monday() -> None:
    found, weekly = columns({START: 2}, {START + timedelta(days=2): 3}, since=START, until=START + timedelta(days=3))
    assert not weekly
    assert [(column.start.day, column.lower, column.upper) for column in found] == [
        (28, 2, 0),
        (29, 0, 0),
        (30, 0, 3),
        (31, 0, 0),
    ]
    found, weekly = columns(
        {START: 2, START + timedelta(days=1): 3}, {}, since=START, until=START + timedelta(days=364)
    )
    assert weekly
    assert (found[0].start, found[0].lower) == (date(2026, 10, 26), 5)
    assert all(column.start.weekday() == 0 for column in found)


def test_coordinates_do_not_follow_the_readers_language() -> None:
    found, weekly = columns({START: 1234}, {START: 3}, since=START, until=START + timedelta(days=6))
    context = {"chart": bar_chart(found, width=340, height=208, labels=4), "kind": "wide", "run": {"draft": {"a": 1}},
               "result": {"weekly": weekly}}  # fmt: skip
    with translation.override("de"):
        svg = render_to_string("workspace/_bars.html", context)
    root = ElementTree.fromstring(svg)
    for rect in root.iter("rect"):
        assert not any("," in rect.attrib[name] for name in ("x", "y", "width", "height"))
    assert len([r for r in root.iter("rect") if r.attrib["class"] == "bar-rule"]) == 1
    assert root.find("title") is not None
    assert root.find("desc") is not None
    assert "1.234" in svg
