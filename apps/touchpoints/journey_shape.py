"""The order of the journey map, as ids only, and how it is changed. Pure: no Django.

A map is a row of stages. A stage has touchpoints of its own, and below them sub-steps with theirs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Way(StrEnum):
    """One step on the map."""

    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"


class ImpossibleError(Exception):
    """The map cannot be changed this way; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class Place:
    """A stage or sub-step: its touchpoints in order, and its own sub-steps."""

    id: int
    touchpoints: list[int] = field(default_factory=list)
    steps: "list[Place]" = field(default_factory=list)


class Position(NamedTuple):
    """Where something stands: its number through the whole map, and what it belongs to."""

    number: int
    parent: int | None


@dataclass(slots=True)
class Shape:
    """The whole map. Each method leaves it as it was when it refuses."""

    stages: list[Place] = field(default_factory=list)

    def places(self) -> Iterator[Place]:
        """All stages and sub-steps, depth-first: the order of the map."""
        for stage in self.stages:
            yield stage
            yield from stage.steps

    def place(self, stage: int) -> Place:
        """A stage or sub-step. Refuses (“gone”) if it is not on the map."""
        found = next((place for place in self.places() if place.id == stage), None)
        if found is None:
            raise ImpossibleError("gone")
        return found

    def holder(self, touchpoint: int) -> Place:
        """On what a touchpoint lies. Refuses (“gone”) if it is not on the map."""
        found = next((place for place in self.places() if touchpoint in place.touchpoints), None)
        if found is None:
            raise ImpossibleError("gone")
        return found

    def column(self, stage: int) -> Place:
        """The stage that a stage or sub-step belongs to: itself, or the one above."""
        self.place(stage)
        return next(one for one in self.stages if one.id == stage or any(step.id == stage for step in one.steps))

    def put(self, touchpoint: int, stage: int, before: int | None = None) -> None:
        """Put a touchpoint on a stage or sub-step: before another one that lies there, else last."""
        target, source = self.place(stage), self.holder(touchpoint)
        if before == touchpoint:
            return
        if before is not None and before not in target.touchpoints:
            raise ImpossibleError("before_gone")
        source.touchpoints.remove(touchpoint)
        at = len(target.touchpoints) if before is None else target.touchpoints.index(before)
        target.touchpoints.insert(at, touchpoint)

    def shift(self, touchpoint: int, way: Way) -> None:
        """Move a touchpoint one step: up and down through its column, left and right to the stage beside it."""
        source = self.holder(touchpoint)
        column, at = self.column(source.id), source.touchpoints.index(touchpoint)
        step = -1 if way in (Way.UP, Way.LEFT) else 1
        if way in (Way.LEFT, Way.RIGHT):
            target = _beside(self.stages, column, step)
            to = min(at, len(target.touchpoints))
        elif 0 <= at + step < len(source.touchpoints):
            target, to = source, at + step
        else:
            target = _beside([column, *column.steps], source, step)
            to = len(target.touchpoints) if way == Way.UP else 0
        source.touchpoints.remove(touchpoint)
        target.touchpoints.insert(to, touchpoint)

    def move_stage(self, stage: int, way: Way) -> None:
        """Move a stage with its sub-steps, or a sub-step within its stage: left and up is earlier."""
        place, column = self.place(stage), self.column(stage)
        row = self.stages if place is column else column.steps
        other = _beside(row, place, -1 if way in (Way.LEFT, Way.UP) else 1)
        here, there = _index(row, place), _index(row, other)
        row[here], row[there] = row[there], row[here]

    def settle(self, stage: int, parent: int | None) -> None:
        """Make a stage the last sub-step of another (``parent``), or a sub-step a stage after its former one."""
        place, column = self.place(stage), self.column(stage)
        is_stage = place is column
        if parent is None:
            if not is_stage:
                column.steps = [step for step in column.steps if step is not place]
                self.stages.insert(_index(self.stages, column) + 1, place)
            return
        target = self.place(parent)
        if target is place or target is not self.column(parent):
            raise ImpossibleError("parent_is_step")
        if place.steps:
            raise ImpossibleError("has_steps")
        if target is column:
            return
        if is_stage:
            self.stages = [one for one in self.stages if one is not place]
        else:
            column.steps = [step for step in column.steps if step is not place]
        target.steps.append(place)

    def add(self, stage: int, *, parent: int | None = None, after: int | None = None) -> None:
        """Put a new stage or sub-step on the map: after another in the same row, else last.

        ``after`` 0 puts it first.
        """
        row = self.stages if parent is None else self.place(parent).steps
        at = 0 if after == 0 else next((n + 1 for n, one in enumerate(row) if one.id == after), len(row))
        row.insert(at, Place(stage))

    def numbers(self) -> tuple[dict[int, Position], dict[int, Position]]:
        """Stage → its number and the stage it is a sub-step of; touchpoint → its number and what it lies on.

        Both count from 1 through the whole map, depth-first.
        """
        above = {step.id: stage.id for stage in self.stages for step in stage.steps}
        places = list(self.places())
        stages = {place.id: Position(number, above.get(place.id)) for number, place in enumerate(places, start=1)}
        lying = [(touchpoint, place.id) for place in places for touchpoint in place.touchpoints]
        touchpoints = {touchpoint: Position(number, on) for number, (touchpoint, on) in enumerate(lying, start=1)}
        return stages, touchpoints


def _index(row: list[Place], place: Place) -> int:
    return next(number for number, one in enumerate(row) if one is place)


def _beside(row: list[Place], place: Place, step: int) -> Place:
    """The neighbour in a row. Refuses (“edge”) where there is none."""
    to = _index(row, place) + step
    if not 0 <= to < len(row):
        raise ImpossibleError("edge")
    return row[to]
