"""How a ready-made journey map is written down. Pure: no Django."""

from collections.abc import Iterator
from dataclasses import dataclass

from apps.common.texts import Texts

CUSTOMER = "existing_customer"
"""The event proves that the contact bought something from us, or has a contract with us."""


@dataclass(frozen=True, slots=True)
class Point:
    """A touchpoint; ``proves`` is the legal basis that an event there proves."""

    key: str
    name: Texts
    proves: str = ""


@dataclass(frozen=True, slots=True)
class Phase:
    """A stage with its touchpoints and sub-steps; a sub-step has none of its own."""

    key: str
    name: Texts
    points: tuple[Point, ...] = ()
    steps: "tuple[Phase, ...]" = ()

    def all_points(self) -> Iterator[Point]:
        """Its own, then those of its sub-steps."""
        yield from self.points
        for step in self.steps:
            yield from step.points


@dataclass(frozen=True, slots=True)
class Industry:
    """A whole map, from first awareness to beyond the purchase."""

    key: str
    name: Texts
    about: Texts
    phases: tuple[Phase, ...]

    @property
    def point_count(self) -> int:
        """How many touchpoints it has."""
        return sum(1 for phase in self.phases for _point in phase.all_points())

    @property
    def step_count(self) -> int:
        """How many sub-steps it has."""
        return sum(len(phase.steps) for phase in self.phases)


def point(key: str, en: str, de: str, proves: str = "") -> Point:
    """A touchpoint in both languages."""
    return Point(key, {"en": en, "de": de}, proves)


def phase(key: str, en: str, de: str, *inside: Point | Phase) -> Phase:
    """A stage or sub-step in both languages, with what lies in it."""
    points = tuple(one for one in inside if isinstance(one, Point))
    steps = tuple(one for one in inside if isinstance(one, Phase))
    return Phase(key, {"en": en, "de": de}, points, steps)
