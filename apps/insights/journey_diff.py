"""What changed between two layouts of the journey map. Pure: no Django.

A layout is what a version keeps: ``{"stages": [{"id", "key", "name", "touchpoints": [{"id", "key", "name",
"is_active"}], "steps": [… like stages]}]}``. Things are the same if their ids are.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from apps.common.texts import Texts

Layout = Mapping[str, Any]


class Kind(StrEnum):
    """What became of a stage or touchpoint."""

    CAME = "came"
    WENT = "went"
    MOVED = "moved"
    RENAMED = "renamed"
    OFF = "off"
    ON = "on"


@dataclass(frozen=True, slots=True)
class Item:
    """A stage, sub-step or touchpoint and where it lies: on which stage, as the how-many-eth."""

    id: int
    name: Texts
    on: int | None
    number: int
    is_touchpoint: bool
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that changed; ``before`` and ``after`` are the names then, ``…_on`` of what it lay on."""

    kind: Kind
    is_touchpoint: bool
    id: int
    before: Texts | None
    after: Texts | None
    before_on: Texts | None = None
    after_on: Texts | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """How a side shows something that changed: what became of it, on that side."""

    stages: Mapping[int, Kind]
    touchpoints: Mapping[int, Kind]


def differences(before: Layout, after: Layout) -> list[Difference]:
    """All that changed, stages first, in the order of the map as it is after (what went: as it was before)."""
    old, new = _items(before), _items(after)
    found: list[Difference] = []
    for is_touchpoint in (False, True):
        was = {item.id: item for item in old if item.is_touchpoint is is_touchpoint}
        now = {item.id: item for item in new if item.is_touchpoint is is_touchpoint}
        found += _compared(was, now, _names(old), _names(new))
    return found


def _compared(
    was: Mapping[int, Item], now: Mapping[int, Item], before: Mapping[int, Texts], after: Mapping[int, Texts]
) -> Iterator[Difference]:
    shifted = _shifted(was, now)

    def told(kind: Kind, item: Item) -> Difference:
        old, new = was.get(item.id), now.get(item.id)
        return Difference(
            kind,
            item.is_touchpoint,
            item.id,
            old.name if old else None,
            new.name if new else None,
            before.get(old.on) if old and old.on else None,
            after.get(new.on) if new and new.on else None,
        )

    for item in now.values():
        known = was.get(item.id)
        if known is None:
            yield told(Kind.CAME, item)
            continue
        if known.on != item.on or item.id in shifted:
            yield told(Kind.MOVED, item)
        if known.name != item.name:
            yield told(Kind.RENAMED, item)
        if known.is_active != item.is_active:
            yield told(Kind.ON if item.is_active else Kind.OFF, item)
    for item in was.values():
        if item.id not in now:
            yield told(Kind.WENT, item)


def marks(found: Iterable[Difference]) -> tuple[Mark, Mark]:
    """What to mark on the map before, and on the map after. What came is not before; what went is not after."""
    weight = [Kind.ON, Kind.OFF, Kind.RENAMED, Kind.MOVED, Kind.WENT, Kind.CAME]
    sides: list[tuple[dict[int, Kind], dict[int, Kind]]] = [({}, {}), ({}, {})]
    for one in sorted(found, key=lambda one: weight.index(one.kind)):
        if one.kind != Kind.CAME:
            sides[0][one.is_touchpoint][one.id] = one.kind
        if one.kind != Kind.WENT:
            sides[1][one.is_touchpoint][one.id] = one.kind
    return Mark(*sides[0]), Mark(*sides[1])


def touchpoints(layout: Layout) -> dict[int, Item]:
    """All touchpoints of a layout, in its order."""
    return {item.id: item for item in _items(layout) if item.is_touchpoint}


def _items(layout: Layout) -> list[Item]:
    found: list[Item] = []
    for number, stage in enumerate(layout.get("stages", ())):
        found += _of_stage(stage, None, number)
        for place, step in enumerate(stage.get("steps", ())):
            found += _of_stage(step, stage["id"], place)
    return found


def _of_stage(stage: Mapping[str, Any], on: int | None, number: int) -> list[Item]:
    lying = [
        Item(row["id"], row["name"], stage["id"], place, is_touchpoint=True, is_active=row.get("is_active", True))
        for place, row in enumerate(stage.get("touchpoints", ()))
    ]
    return [Item(stage["id"], stage["name"], on, number, is_touchpoint=False), *lying]


def _names(items: Iterable[Item]) -> dict[int, Texts]:
    return {item.id: item.name for item in items if not item.is_touchpoint}


def _shifted(was: Mapping[int, Item], now: Mapping[int, Item]) -> set[int]:
    """What stands in another order than before among those that stayed where they were: as few as explain it."""
    by_place: dict[int | None, list[int]] = {}
    for item in now.values():
        if item.id in was and was[item.id].on == item.on:
            by_place.setdefault(item.on, []).append(item.id)
    return {
        pk for ids in by_place.values() for pk in set(ids) - _in_order(ids, [was[pk].number for pk in ids])
    }  # fmt: skip


def _in_order(ids: Sequence[int], numbers: Sequence[int]) -> set[int]:
    """The longest part of the row whose numbers rise."""
    tails: list[int] = []  # index of the last of the best row of each length
    before: list[int | None] = []
    for index, number in enumerate(numbers):
        length = bisect_left([numbers[tail] for tail in tails], number)
        before.append(tails[length - 1] if length else None)
        tails[length : length + 1] = [index]
    kept: set[int] = set()
    at = tails[-1] if tails else None
    while at is not None:
        kept.add(ids[at])
        at = before[at]
    return kept
