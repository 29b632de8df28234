"""The journey map as it is: read in two queries, in order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from apps.touchpoints.journey_shape import Place, Shape
from apps.touchpoints.models import Stage, Touchpoint


@dataclass(frozen=True, slots=True)
class Column:
    """A stage with what lies on it, or a sub-step, which has no steps of its own."""

    stage: Stage
    touchpoints: list[Touchpoint]
    steps: "list[Column]" = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many touchpoints lie on it and on its sub-steps."""
        return len(self.touchpoints) + sum(len(step.touchpoints) for step in self.steps)


@dataclass(frozen=True, slots=True)
class Map:
    """Stages and touchpoints by id, and how they lie."""

    stages: Mapping[int, Stage]
    touchpoints: Mapping[int, Touchpoint]
    shape: Shape

    @property
    def is_empty(self) -> bool:
        """True if there is no stage, and so no touchpoint either."""
        return not self.stages

    @property
    def columns(self) -> list[Column]:
        """Stages with their sub-steps and touchpoints, in the order of the map."""
        return [self._column(place) for place in self.shape.stages]

    def _column(self, place: Place) -> Column:
        touchpoints = [self.touchpoints[pk] for pk in place.touchpoints]
        return Column(self.stages[place.id], touchpoints, [self._column(step) for step in place.steps])

    @property
    def revision(self) -> str:
        """Changes with everything that a page which arranges the map shows."""
        rows: list[object] = [
            [(place.id, place.touchpoints, [(step.id, step.touchpoints) for step in place.steps])
             for place in self.shape.stages],
            sorted((row.pk, sorted(row.name.items())) for row in self.stages.values()),
            sorted((row.pk, sorted(row.name.items()), row.is_active) for row in self.touchpoints.values()),
        ]  # fmt: skip
        return sha256(repr(rows).encode()).hexdigest()[:16]


def read() -> Map:
    """The map as it is now. Two queries."""
    return put_together(Stage.objects.all(), Touchpoint.objects.all())


def put_together(stages: Iterable[Stage], touchpoints: Iterable[Touchpoint]) -> Map:
    """A map of these rows, ordered by their positions; rows of one position by their ids."""
    known = {row.pk: row for row in sorted(stages, key=lambda row: (row.position, row.pk))}
    lying = {row.pk: row for row in sorted(touchpoints, key=lambda row: (row.position, row.pk))}
    places = {pk: Place(pk) for pk in known}
    for row in lying.values():
        # A stage that somebody makes at this moment may come after the rows of stages were read.
        if row.stage_id in places:
            places[row.stage_id].touchpoints.append(row.pk)
    shape = Shape()
    for stage in known.values():
        above = _top(stage, known)
        (places[above].steps if above is not None else shape.stages).append(places[stage.pk])
    kept = {pk: row for pk, row in lying.items() if row.stage_id in places}
    return Map(known, kept, shape)


def _top(row: Stage, known: Mapping[int, Stage]) -> int | None:
    """The stage that a sub-step belongs to. One of a sub-step, which no page makes, counts as its stage's."""
    parent = known.get(row.parent_id) if row.parent_id is not None else None
    above = known.get(parent.parent_id) if parent is not None and parent.parent_id is not None else None
    found = above or parent
    return found.pk if found is not None and found.pk != row.pk else None
