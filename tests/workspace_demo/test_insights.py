"""What the demo gives the insights pages to show: each kind of thing is there, and nothing else is missing."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from django_tenants.utils import schema_context

from apps.insights import goals, influences, journey, measuring, targets
from apps.insights.actions import FLOW
from apps.insights.asking import SILENT, UNASKED
from apps.insights.influence import HELPS, influence
from apps.insights.models import Action, Annotation, SavedView, Target
from apps.insights.slices import Period, Slice
from apps.responses.models import Answer
from apps.surveys.models import Question
from apps.touchpoints.models import Stage
from apps.triggers.models import Cadence
from apps.workspace.demo.blueprint import Brand
from apps.workspace.demo.stories import STORIES
from tests.workspace_demo.conftest import BRANDS, TODAY, WINDOW, tell, wiring

NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC)
SCALE = 0.4


@pytest.mark.parametrize("brand", BRANDS, ids=lambda brand: brand.slug)
def test_some_touchpoints_go_together_with_the_whole_and_others_do_not(brand: Brand) -> None:
    """Told, not loaded: below some hundred contacts nothing can be said."""
    points = {pk: key for key, pk in wiring(brand).touchpoints.items()}
    last: dict[tuple[str, object], int] = {}
    pairs: dict[str, Counter[tuple[int, int]]] = {key: Counter() for key in points.values()}
    for row in sorted(tell(brand, scale=1).responses, key=lambda row: row.answered_at):
        if row.touchpoint_id is not None:
            last[points[row.touchpoint_id], row.contact_id] = row.score
            continue
        for key, found in pairs.items():
            if (score := last.get((key, row.contact_id))) is not None:
                found[score, row.score] += 1
    verdicts = {key: influence(found).verdict for key, found in pairs.items()}
    (heaviest,) = (key for key, weight in brand.relation.memory.items() if weight > 0.5)
    assert verdicts[heaviest] == HELPS
    assert Counter(verdicts.values())["chance"] >= 1


def test_every_kind_of_thing_is_there_to_be_looked_at(load_demo: Callable[..., Path]) -> None:
    load_demo(scale=SCALE)
    for brand in BRANDS:
        with schema_context(brand.slug):
            _check_the_map(brand)
            _check_what_was_tried(brand)
            _check_the_targets(brand)
            assert {view.page for view in SavedView.objects.all()} == {"dashboard", "journey"}


def _check_the_map(brand: Brand) -> None:
    story = STORIES[brand.slug]
    seen = journey.read(wanted=Slice(), period=Period(WINDOW.start.date(), TODAY), now=NOW)
    places = {place.touchpoint.key: place for place in seen.places}
    assert sorted(place.gap for place in seen.places if place.gap) == [SILENT, UNASKED]
    assert any(len(column.steps) >= 2 for column in seen.columns)
    assert places[story.hurting].figures.hurts
    assert len(places[story.hurting].reasons) >= 2
    # Positions count through the whole map, a sub-step directly after what it belongs to.
    stages = list(Stage.objects.order_by("position"))
    assert [stage.position for stage in stages] == list(range(1, len(stages) + 1))
    for before, after in pairwise(stages):
        assert after.parent_id in {None, before.pk, before.parent_id}
    # Who is asked about the whole is asked by a cadence that goes on.
    cadence = Cadence.objects.get()
    assert cadence.is_active
    assert cadence.next_run_at is not None
    assert cadence.next_run_at > NOW
    assert influences.everywhere()[places[story.improved].touchpoint.pk].n > 0
    kinds = set(Answer.objects.values_list("question__kind", flat=True))
    assert kinds >= {Question.Kind.MULTIPLE, Question.Kind.CSAT}
    assert not Answer.objects.exclude(choices=[]).filter(response__score__gt=6).exists()


def _check_what_was_tried(brand: Brand) -> None:
    rows = list(Action.objects.all())
    assert {row.status for row in rows} == set(FLOW)
    assert {row.owner.first_name for row in rows if row.owner} == {"Alex", "Chris"}
    (done,) = (row for row in rows if row.status == Action.Status.DONE)
    assert done.touchpoint.key == STORIES[brand.slug].improved
    measured = measuring.of_actions([done], now=NOW)[done.pk]
    assert measured.verdict == "up"
    found = measuring.of_annotations(Annotation.objects.all(), now=NOW)
    controlled = [row for row in Annotation.objects.all() if row.control_touchpoint_id is not None]
    assert len(controlled) == 1
    (other,) = (found[row.pk] for row in Annotation.objects.filter(control_touchpoint=None))
    assert other.verdict == "chance"


def _check_the_targets(brand: Brand) -> None:
    states = targets.states(list(Target.objects.select_related("next")), now=NOW)
    assert sorted(state.standing for state in states) == [goals.BELOW, goals.BELOW, goals.MET]
    (met,) = (state for state in states if not state.is_open)
    assert met.target.touchpoint is not None
    assert met.target.touchpoint.key == STORIES[brand.slug].improved
    assert met.proposal is not None
    assert met.proposal > met.target.goal
