"""Versions keep the map and its figures; what came of a change is said only where something can be said."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.insights import journey_versions
from apps.insights.journey_diff import Kind
from apps.insights.models import JourneyVersion
from apps.responses.models import ScoreChange
from apps.touchpoints import arranging
from apps.touchpoints.arranging import Way
from tests.factories import SurveyFactory

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=120)


@pytest.fixture
def ids(tenant: Any) -> dict[str, int]:
    found = {key: arranging.add_stage(key=key, name={"en": key}).pk for key in ("buy", "use")}
    for key, on in (("order", "buy"), ("help", "use")):
        found[key] = arranging.add_touchpoint(key=key, name={"en": key}, stage_id=found[on]).pk
    return found


def score(touchpoint_id: int | None, day: date, scores: list[int]) -> None:
    survey = SurveyFactory()
    ScoreChange.objects.bulk_create(
        ScoreChange(day=day, survey=survey, touchpoint_id=touchpoint_id, score=one, weight=1) for one in scores
    )


def test_a_version_keeps_layout_and_figures_whatever_happens_later(ids: dict[str, int]) -> None:
    score(ids["order"], NOW.date(), [10, 10, 9, 8, 0])
    score(ids["order"], NOW.date() - timedelta(days=89), [0])
    score(ids["order"], NOW.date() - timedelta(days=90), [0])
    score(None, NOW.date(), [0])
    with CaptureQueriesContext(connection) as captured:
        row = journey_versions.keep(name="Before", note="We open a shop.", by=None, now=NOW)
    assert len(captured) <= 10
    assert (row.number, row.figures) == (1, {str(ids["order"]): [3, 1, 2]})
    assert (row.since, row.until) == (date(2026, 8, 29), date(2026, 11, 26))
    arranging.put_touchpoint(touchpoint_id=ids["help"], stage_id=ids["buy"])
    score(ids["order"], NOW.date(), [0] * 20)
    kept = JourneyVersion.objects.get()
    assert [(one["key"], [t["key"] for t in one["touchpoints"]]) for one in kept.layout["stages"]] == [
        ("buy", ["order"]), ("use", ["help"]),
    ]  # fmt: skip
    assert journey_versions.as_kept(kept).figures[ids["order"]].counts.n == 6
    assert journey_versions.keep(name="Second", note="", by=None, now=NOW).number == 2


def test_scores_are_compared_where_no_answer_counts_on_both_sides(ids: dict[str, int]) -> None:
    score(ids["order"], NOW.date(), [0] * 30)
    score(ids["help"], NOW.date(), [9, 9])
    row = journey_versions.keep(name="Before", note="", by=None, now=NOW)
    arranging.put_touchpoint(touchpoint_id=ids["help"], stage_id=ids["buy"])
    arranging.move_stage(stage_id=ids["use"], way=Way.LEFT)
    extra = arranging.add_touchpoint(key="extra", name={"en": "extra"}, stage_id=ids["use"])
    before = journey_versions.as_kept(row)
    # Ten days later only these count, and not what the version has already.
    soon = NOW + timedelta(days=10)
    score(ids["order"], soon.date(), [10] * 30)
    found = journey_versions.compare(before, journey_versions.as_now(after=before.period.until, now=soon))
    assert {(one.kind, one.id) for one in found.differences} == {
        (Kind.MOVED, ids["use"]), (Kind.MOVED, ids["help"]), (Kind.CAME, extra.pk),
    }  # fmt: skip
    rows = {figure.name["en"]: figure for figure in found.figures}
    assert list(rows) == ["extra", "order", "help"]
    assert (rows["order"].before.score, rows["order"].after.score, rows["order"].after.n) == (-100, 100, 30)
    assert rows["order"].change is not None
    assert rows["order"].change.verdict == "up"
    assert rows["help"].change is None  # too few
    assert (rows["extra"].before_there, rows["extra"].after_there) == (False, True)
    # On the same day, or between versions of one quarter, nothing is said.
    for other in (
        journey_versions.as_now(after=before.period.until, now=NOW),
        journey_versions.as_kept(journey_versions.keep(name="Soon", note="", by=None, now=soon)),
    ):
        found = journey_versions.compare(before, other)
        assert found.overlap
        assert not any(figure.change for figure in found.figures)
    later = journey_versions.as_kept(journey_versions.keep(name="Later", note="", by=None, now=LATER))
    assert not journey_versions.compare(before, later).overlap
    # What went is there still, on the side where it was.
    arranging.remove_touchpoint(touchpoint_id=extra.pk)
    found = journey_versions.compare(later, journey_versions.as_now(now=LATER))
    assert [(one.kind, one.before) for one in found.differences] == [(Kind.WENT, {"en": "extra"})]
    assert [figure.name["en"] for figure in found.figures] == ["order", "help", "extra"]
