"""Putting an industry's ready-made map on the tenant's: what is there already stays as it is."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from apps.touchpoints.arranging import MAX_STAGES, MAX_TOUCHPOINTS, arranges, lock, save
from apps.touchpoints.industries import Industry, Phase, Point
from apps.touchpoints.journey_map import Map, read
from apps.touchpoints.journey_shape import ImpossibleError, Shape
from apps.touchpoints.models import Stage, Touchpoint


@dataclass(frozen=True, slots=True)
class Offer:
    """A phase of an industry's map and what of it the tenant does not have yet."""

    phase: Phase
    is_there: bool
    points: tuple[tuple[Point, bool], ...]
    """Its own touchpoints, and whether each is there already."""
    steps: "tuple[Offer, ...]"

    @property
    def missing(self) -> int:
        """How many touchpoints would come, those of the sub-steps included."""
        return sum(not there for _point, there in self.points) + sum(step.missing for step in self.steps)


def offers(*, industry: Industry) -> list[Offer]:
    """The industry's map beside the tenant's. Two queries."""
    found = read()
    stages = {row.key for row in found.stages.values()}
    touchpoints = {row.key for row in found.touchpoints.values()}
    return [_offer(phase, stages, touchpoints) for phase in industry.phases]


def _offer(phase: Phase, stages: Collection[str], touchpoints: Collection[str]) -> Offer:
    points = tuple((point, point.key in touchpoints) for point in phase.points)
    steps = tuple(_offer(step, stages, touchpoints) for step in phase.steps)
    return Offer(phase, phase.key in stages, points, steps)


@arranges
def put_on(*, industry: Industry, phases: Collection[str]) -> int:
    """Put the chosen phases (by key) of an industry's map on the tenant's; returns how many touchpoints came.

    A stage or touchpoint whose key exists stays as it is and where it is. Applied again, nothing comes.
    """
    found = lock()
    chosen = [phase for phase in industry.phases if phase.key in phases]
    stages = {row.key: row for row in found.stages.values()}
    there = {row.key for row in found.touchpoints.values()}
    stages |= _make_stages(chosen, stages)
    rows = [
        Touchpoint(key=point.key, name=dict(point.name), stage=stages[phase.key], legal_basis=point.proves)
        for phase in _places(chosen)
        for point in phase.points
        if point.key not in there
    ]
    if len(stages) > MAX_STAGES or len(there) + len(rows) > MAX_TOUCHPOINTS:
        raise ImpossibleError("too_many_touchpoints")
    made = Touchpoint.objects.bulk_create(rows)
    _lay_out(industry, found.shape, stages, found)
    for row in made:
        found.shape.place(row.stage_id).touchpoints.append(row.pk)
    everything = {**found.touchpoints, **{row.pk: row for row in made}}
    save(Map({row.pk: row for row in stages.values()}, everything, found.shape))
    return len(made)


def _places(phases: Collection[Phase]) -> Iterator[Phase]:
    for phase in phases:
        yield phase
        yield from phase.steps


def _make_stages(phases: Collection[Phase], known: dict[str, Stage]) -> dict[str, Stage]:
    """Those that are missing, saved; sub-steps after their stages, for they need their ids. Two statements."""
    missing = [Stage(key=one.key, name=dict(one.name)) for one in phases if one.key not in known]
    made = {row.key: row for row in Stage.objects.bulk_create(missing)}
    both = {**known, **made}
    steps = [
        Stage(key=step.key, name=dict(step.name), parent_id=both[phase.key].parent_id or both[phase.key].pk)
        for phase in phases
        for step in phase.steps
        if step.key not in known
    ]
    return made | {row.key: row for row in Stage.objects.bulk_create(steps)}


def _lay_out(industry: Industry, shape: Shape, stages: dict[str, Stage], found: Map) -> None:
    """Each new stage after the one that is before it on the industry's map, the first ones at the beginning."""
    before = 0
    for phase in industry.phases:
        row = stages.get(phase.key)
        if row is None:
            continue
        if row.pk not in found.stages:
            shape.add(row.pk, after=before)
        before = shape.column(row.pk).id
        for step in phase.steps:
            if step.key in stages and stages[step.key].pk not in found.stages:
                shape.add(stages[step.key].pk, parent=before)
