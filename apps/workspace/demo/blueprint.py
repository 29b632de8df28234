"""What a demo tenant consists of, as plain data. Pure: no Django."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

Texts = dict[str, str]


def both(en: str, de: str) -> Texts:
    """A text in the two languages of the demo."""
    return {"en": en, "de": de}


@dataclass(frozen=True, slots=True)
class TouchpointSpec:
    """A touchpoint; ``proves_customer``: an event there is a purchase or a contract."""

    key: str
    name: Texts
    proves_customer: bool = False


@dataclass(frozen=True, slots=True)
class StageSpec:
    """A stage of the journey with its own touchpoints, and with sub-steps, in order."""

    key: str
    name: Texts
    touchpoints: tuple[TouchpointSpec, ...] = ()
    steps: tuple["StageSpec", ...] = ()


@dataclass(frozen=True, slots=True)
class Driver:
    """A rating question; ``weight`` is how much one star moves the score."""

    key: str
    text: Texts
    weight: float


@dataclass(frozen=True, slots=True)
class Option:
    """Something that detractors may choose as their reason; with a driver, the likelier the worse they rated it."""

    key: str
    text: Texts
    weight: float = 1.0
    driver: str = ""


@dataclass(frozen=True, slots=True)
class SurveySpec:
    """A survey: the recommendation, a comment worded by segment, and ratings; sent after ``touchpoint``.

    Without a touchpoint it comes around by the calendar instead, and is about the whole.
    """

    key: str
    name: Texts
    comment: Texts
    drivers: tuple[Driver, ...]
    touchpoint: str
    rule: str
    delay: timedelta
    answer_rate: float
    base: float = 9.0
    """The score of somebody who rates everything with 4."""
    priority: int = 0
    incentive: Texts = field(default_factory=dict)
    """What is promised for answering."""
    also: tuple[str, ...] = ()
    """Further touchpoints of its rule."""
    percent: int = 100
    """How many of those who fit are asked."""
    reasons: tuple[Option, ...] = ()
    """What detractors are offered to choose from."""
    takes_one: bool = False
    """Whether they may choose only one reason."""
    satisfaction: Texts = field(default_factory=dict)
    """A question for satisfaction, 1 to 5."""
    memory: Mapping[str, float] = field(default_factory=dict)
    """How much of a score at a touchpoint is still felt; only of a survey about the whole."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail: subject and text per language."""

    subject: Texts
    body: Texts


@dataclass(frozen=True, slots=True)
class CampaignSpec:
    """A follow-up for one segment: a mail, and its variant for answers without a comment."""

    name: str
    segment: str
    letter: Letter
    no_comment: Letter
    opens_case: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a contact's life with the tenant."""

    touchpoint: str
    at: datetime
    properties: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """The time that the history covers: up to, not including, ``end``."""

    start: datetime
    end: datetime


Journey = Callable[[Random, Window], list[Happening]]
"""What happens to one new contact."""

Rate = Callable[[Random, str, Happening, Window], int]
"""How one contact rates one driver (1–5) after one happening."""


@dataclass(frozen=True, slots=True)
class Brand:
    """A whole demo tenant."""

    slug: str
    name: str
    accent: str
    address: str
    contacts: int
    german_share: float
    has_companies: bool
    stages: tuple[StageSpec, ...]
    surveys: tuple[SurveySpec, ...]
    campaigns: tuple[CampaignSpec, ...]
    invitation: Letter
    journey: Journey
    rate: Rate
    news: Mapping[str, float]
    """Since when in the window (0–1) people speak of a change, by driver: a chat, a team, an update."""
    outcomes: Mapping[str, tuple[str, ...]]
    """What cases ended with, by status."""
    relation: SurveySpec
    """The survey about the whole, for some of the existing customers."""
    cares_since: float = 0.0
    """Until this part of the window (0–1) nobody answered detractors: so there is something to compare with."""

    @property
    def all_surveys(self) -> tuple[SurveySpec, ...]:
        """Those after touchpoints, and the one about the whole."""
        return (*self.surveys, self.relation)

    @property
    def points(self) -> tuple[TouchpointSpec, ...]:
        """All touchpoints in the order of the journey, those of sub-steps after their stage's own."""
        parts = (part for stage in self.stages for part in (stage, *stage.steps))
        return tuple(point for part in parts for point in part.touchpoints)

    @property
    def domain(self) -> str:
        """A host name that is reserved and belongs to nobody (RFC 2606)."""
        return f"{self.slug}.example"
