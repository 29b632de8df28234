"""The order of the map: whatever is done, everything stays on it once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.touchpoints.journey_shape import ImpossibleError, Place, Position, Shape, Way

SUB, MANY = 100, 9
"""Stages are 0 to 4, sub-steps 100 and more, touchpoints as they are counted."""


def shape_of(*columns: tuple[list[int], list[list[int]]]) -> Shape:
    """Each stage: its own touchpoints, and those of each of its sub-steps."""
    return Shape([
        Place(number, list(own), [Place(SUB + number * 10 + at, list(step)) for at, step in enumerate(steps)])
        for number, (own, steps) in enumerate(columns)
    ])  # fmt: skip


def contents(shape: Shape) -> tuple[list[int], list[int]]:
    return sorted(place.id for place in shape.places()), sorted(
        t for place in shape.places() for t in place.touchpoints
    )


ids = st.sampled_from([*range(5), *(SUB + stage * 10 + at for stage in range(5) for at in range(3)), 999])
touchpoints = st.integers(0, MANY)
acts = st.one_of(
    st.tuples(st.just("put"), touchpoints, ids, st.none() | touchpoints),
    st.tuples(st.just("shift"), touchpoints, st.sampled_from(Way)),
    st.tuples(st.just("move_stage"), ids, st.sampled_from(Way)),
    st.tuples(st.just("settle"), ids, st.none() | ids),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(acts, max_size=30))
def test_after_any_sequence_everything_is_there_once_and_numbered_depth_first(done: list[tuple]) -> None:  # type: ignore[type-arg]
    shape = shape_of(([0, 1], [[2], [3, 4]]), ([], []), ([5, 6, 7], []), ([], [[8], []]), ([9], []))
    before = contents(shape)
    for name, *values in done:
        was = repr(shape)
        try:
            getattr(shape, name)(*values)
        except ImpossibleError:
            assert repr(shape) == was
        assert contents(shape) == before
        assert all(not step.steps for stage in shape.stages for step in stage.steps)
        stages, lying = shape.numbers()
        in_order = [place.id for place in shape.places()]
        assert sorted(stages, key=lambda pk: stages[pk].number) == in_order
        assert [position.number for position in stages.values()] == list(range(1, len(in_order) + 1))
        assert sorted(position.number for position in lying.values()) == list(range(1, MANY + 2))
        by_place = sorted(lying, key=lambda pk: (stages[lying[pk].parent or 0].number, lying[pk].number))
        assert by_place == sorted(lying, key=lambda pk: lying[pk].number)


def test_steps_go_through_the_column_and_to_the_stage_beside_it() -> None:
    shape = shape_of(([1, 2], [[3], []]), ([4, 5], []))
    shape.shift(2, Way.DOWN)  # into the first sub-step, before what lies there
    assert [place.touchpoints for place in shape.places()] == [[1], [2, 3], [], [4, 5]]
    shape.shift(2, Way.UP)
    shape.shift(2, Way.RIGHT)  # at the height where it was
    assert [place.touchpoints for place in shape.places()] == [[1], [3], [], [4, 2, 5]]
    shape.shift(3, Way.RIGHT)
    assert shape.holder(3).id == 1
    for touchpoint, way in ((1, Way.UP), (1, Way.LEFT), (5, Way.DOWN), (5, Way.RIGHT)):
        with pytest.raises(ImpossibleError, match="edge"):
            shape.shift(touchpoint, way)


def test_a_stage_becomes_a_sub_step_and_one_again() -> None:
    shape = shape_of(([1], [[2]]), ([3], []), ([], []))
    shape.settle(1, 0)
    assert shape.numbers() == (
        {0: Position(1, None), SUB: Position(2, 0), 1: Position(3, 0), 2: Position(4, None)},
        {1: Position(1, 0), 2: Position(2, SUB), 3: Position(3, 1)},
    )
    shape.move_stage(1, Way.UP)
    assert [place.id for place in shape.places()] == [0, 1, SUB, 2]
    shape.settle(1, None)  # beside the one it belonged to
    assert [place.id for place in shape.stages] == [0, 1, 2]
    for stage, parent, code in ((0, 1, "has_steps"), (1, SUB, "parent_is_step"), (1, 1, "parent_is_step")):
        with pytest.raises(ImpossibleError, match=code):
            shape.settle(stage, parent)
