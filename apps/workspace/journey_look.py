"""The journey map as the page shows it: how each place stands, and where its pictures are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.common.shares import Part, wilson
from apps.insights.differences import Change, change
from apps.insights.journey import Column, Figures, JourneyMap, Place, Reason, Step
from apps.insights.nps import Nps
from apps.workspace import journey_charts
from apps.workspace.journey_charts import Axis, Curve, Spark

GOOD, BAD = 30, 0
"""A score from GOOD on is good, one below BAD is bad: as the legend says."""


@dataclass(frozen=True, slots=True)
class Range:
    """A share in whole percent with its 95 % interval."""

    part: Part
    percent: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Card:
    """A touchpoint, a sub-step or a stage with what is drawn of it.

    ``standing``: ``good``, ``middle``, ``bad``, ``few``, or the gap: ``unasked``, ``silent``.
    """

    figures: Figures
    standing: str
    axis: Axis | None
    spark: Spark | None
    rate: Range | None
    """Of sent invitations, those that were answered."""
    pain: Range | None
    """The share of detractors; None while there are too few answers."""
    reasons: Sequence[Reason]
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """A sub-step with its touchpoints."""

    step: Step
    card: Card
    cards: Sequence[Card]


@dataclass(frozen=True, slots=True)
class Shown:
    """A stage: an arrow at the top, and all that stands below it."""

    column: Column
    card: Card
    cards: Sequence[Card]
    lanes: Sequence[Lane]
    doing: Sequence[Card]
    """Its touchpoints that anything is done about: open cases, running actions, a target."""

    @property
    def every(self) -> list[Card]:
        """Its touchpoints in the order of the journey."""
        return [*self.cards, *(card for lane in self.lanes for card in lane.cards)]


@dataclass(frozen=True, slots=True)
class Look:
    """The whole map."""

    map: JourneyMap
    stages: Sequence[Shown]
    curve: Curve

    @property
    def size(self) -> int:
        """How many columns the style sheet has to make room for; it knows up to 24."""
        return min(24, max(1, len(self.stages)))

    @property
    def has_reasons(self) -> bool:
        """Whether there is anything to say in the lane of reasons."""
        return any(stage.card.reasons for stage in self.stages)

    @property
    def has_doing(self) -> bool:
        """Whether anything is done anywhere."""
        return any(stage.doing for stage in self.stages)


@dataclass(frozen=True, slots=True)
class Link:
    """One part of a chain, and the step to it from the last part before that has a score.

    ``is_told``: whether there is such a part and anybody answered here, so that something can be said of the step.
    """

    name: str
    url: str
    card: Card
    step: Change | None
    is_first: bool
    is_told: bool


def standing(found: Nps, gap: str = "") -> str:
    """How a place stands, by its score alone: the interval beside it says how sure that is."""
    if gap:
        return gap
    if found.too_few or found.score is None:
        return "few"
    return "good" if found.score >= GOOD else "middle" if found.score >= BAD else "bad"


def look(found: JourneyMap) -> Look:
    """All cards, and the curve along them."""
    stages = [shown(column) for column in found.columns]
    points = [[(_number(card), card.standing, card.figures.nps) for card in stage.every] for stage in stages]
    return Look(found, stages, journey_charts.curve(points, good=GOOD, bad=BAD))


def shown(column: Column) -> Shown:
    """A stage with its cards."""
    lanes = [
        Lane(step, card_of(step.figures, step.reasons), [place_card(place) for place in step.places])
        for step in column.steps
    ]
    cards = [place_card(place) for place in column.own]
    every = [*cards, *(card for lane in lanes for card in lane.cards)]
    doing = [card for card in every if card.figures.cases or card.figures.actions or _target(card)]
    return Shown(column, card_of(column.figures, column.reasons), cards, lanes, doing)


def place_card(place: Place) -> Card:
    """A touchpoint's card."""
    return card_of(place.figures, place.reasons, place)


def card_of(figures: Figures, reasons: Sequence[Reason], place: Place | None = None) -> Card:
    """A card of any figures."""
    score = figures.nps
    return Card(
        figures,
        standing(score, place.gap if place else ""),
        journey_charts.axis(score),
        journey_charts.spark(figures.trend),
        range_of(figures.traffic.asked),
        None if score.too_few else range_of(figures.detractors),
        reasons,
        place,
    )


def chain(parts: Sequence[tuple[str, str, Card]]) -> list[Link]:
    """Name, address and card one after the other, with what may be said of each step."""
    links: list[Link] = []
    before: Nps | None = None
    for name, url, card in parts:
        score = card.figures.nps
        step = change(before, score) if before else None
        links.append(Link(name, url, card, step, not links, before is not None and score.n > 0))
        before = before if score.too_few else score
    return links


def range_of(part: Part) -> Range | None:
    """A share in percent; None of nobody."""
    if not part.total:
        return None
    low, high = wilson(part)
    return Range(part, round(100 * part.rate), round(100 * low), round(100 * high))


def _number(card: Card) -> int:
    return card.place.number if card.place else 0


def _target(card: Card) -> Any:
    return card.place.target if card.place else None
