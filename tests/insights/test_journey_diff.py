"""What changed between two layouts of the map."""

from typing import Any

import pytest

from apps.insights import journey_diff
from apps.insights.journey_diff import Kind


def touchpoint(pk: int, name: str = "", *, on: bool = True) -> dict[str, Any]:
    return {"id": pk, "key": f"t{pk}", "name": {"en": name or f"T{pk}"}, "is_active": on}


def stage(pk: int, *inside: Any, name: str = "") -> dict[str, Any]:
    """Numbers and texts are touchpoints, stages are sub-steps."""
    own = [
        touchpoint(one) if isinstance(one, int) else one for one in inside if isinstance(one, int) or "steps" not in one
    ]
    steps = [one for one in inside if not isinstance(one, int) and "steps" in one]
    return {"id": pk, "key": f"s{pk}", "name": {"en": name or f"S{pk}"}, "touchpoints": own, "steps": steps}


BEFORE = (stage(1, 1, 2, 3, stage(11, 4)), stage(2, 5), stage(3))


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (BEFORE, []),
        # One goes to the end: only it moved, not the two that it passed.
        ((stage(1, 2, 3, 1, stage(11, 4)), *BEFORE[1:]), [("moved", 1)]),
        ((stage(1, 3, 1, 2, stage(11, 4)), *BEFORE[1:]), [("moved", 3)]),
        # To another stage, onto a sub-step, and away from one.
        ((stage(1, 1, 2, stage(11, 3)), stage(2, 4, 5), stage(3)), [("moved", 3), ("moved", 4)]),
        ((stage(1, 1, 2, 3, 9, stage(11)), stage(2, 5), stage(3)), [("came", 9), ("went", 4)]),
        # Stages: order, becoming a sub-step and a stage, coming and going with what lies on them.
        ((BEFORE[2], BEFORE[0], BEFORE[1]), [("moved", "s3")]),
        ((stage(1, 1, 2, 3, stage(11, 4), stage(2, 5)), stage(3)), [("moved", "s2")]),
        ((stage(1, 1, 2, 3), stage(11, 4), *BEFORE[1:]), [("moved", "s11")]),
        ((*BEFORE[:2], stage(4, 6)), [("came", "s4"), ("went", "s3"), ("came", 6)]),
        # Names and switches.
        ((stage(1, 1, 2, 3, stage(11, 4), name="New"), *BEFORE[1:]), [("renamed", "s1")]),
        ((stage(1, touchpoint(1, "New", on=False), 2, 3, stage(11, 4)), *BEFORE[1:]), [("renamed", 1), ("off", 1)]),
        ((), [("went", f"s{pk}") for pk in (1, 11, 2, 3)] + [("went", pk) for pk in (1, 2, 3, 4, 5)]),
    ],
)  # fmt: skip
def test_the_differences_are_as_few_as_explain_it(after: Any, expected: list[tuple[str, Any]]) -> None:
    found = journey_diff.differences({"stages": BEFORE}, {"stages": after})
    assert [(one.kind, one.id if one.is_touchpoint else f"s{one.id}") for one in found] == expected


def test_a_difference_tells_names_and_places_of_both_sides() -> None:
    after = (stage(1, 1, 2, stage(11, 4)), stage(2, touchpoint(3, "Three"), 5), stage(3))
    moved, renamed = journey_diff.differences({"stages": BEFORE}, {"stages": after})
    assert (moved.before_on, moved.after_on) == ({"en": "S1"}, {"en": "S2"})
    assert (renamed.before, renamed.after) == ({"en": "T3"}, {"en": "Three"})
    # Of several the weightiest is marked; each side marks what is on it.
    old, new = journey_diff.marks([moved, renamed])
    assert old.touchpoints == new.touchpoints == {3: Kind.MOVED}
    old, new = journey_diff.marks(journey_diff.differences({"stages": BEFORE}, {"stages": (*BEFORE[:2], stage(4, 6))}))
    assert (old.stages, old.touchpoints, new.stages, new.touchpoints) == (
        {3: Kind.WENT}, {}, {4: Kind.CAME}, {6: Kind.CAME},
    )  # fmt: skip
