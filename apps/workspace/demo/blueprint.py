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
    """A stage of the journey with its touchpoints, in order."""

    key: str
    name: Texts
    touchpoints: tuple[TouchpointSpec, ...]


@dataclass(frozen=True, slots=True)
class Driver:
    """A rating question; ``weight`` is how much one star moves the score."""

    key: str
    text: Texts
    weight: float


@dataclass(frozen=True, slots=True)
class SurveySpec:
    """A survey: the recommendation, a comment worded by segment, and ratings; sent after ``touchpoint``."""

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
    cares_since: float = 0.0
    """Until this part of the window (0–1) nobody answered detractors: so there is something to compare with."""

    @property
    def domain(self) -> str:
        """A host name that is reserved and belongs to nobody (RFC 2606)."""
        return f"{self.slug}.example"
