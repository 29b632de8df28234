"""From what happened to what was answered: how many got how far, and why the others did not."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate

from apps.common.db import connection
from apps.common.shares import Part
from apps.insights.funnel_sql import statement
from apps.insights.places import find
from apps.insights.slices import Period, Slice

STEPS = ("happened", "decided", "sent", "delivered", "opened", "scored", "commented")
"""In their order: nobody reaches one without those before."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Why some got no further. ``of`` says whose code it is.

    ``decision``: why nobody was asked; ``invitation``: why it was taken back; ``mail``: its status; ``channel``: it
    went another way than the one asked for; "": nobody noted why, or it is not over yet.
    """

    of: str
    code: str
    number: int


@dataclass(frozen=True, slots=True)
class Step:
    """How many got at least so far, and what became of the others of the step before, most first."""

    name: str
    of_before: Part
    of_first: Part
    losses: tuple[Loss, ...] = ()

    @property
    def number(self) -> int:
        """How many."""
        return self.of_first.hits


@dataclass(frozen=True, slots=True)
class Funnel:
    """The steps in order. ``turns``: so many of the first are no events: turns of cadences, or invitations by hand.

    ``whole`` are names of fields of the slice that could not be applied to all of it: the channel is not known before
    something is sent, and whether anything was promised only once somebody answered.
    """

    steps: tuple[Step, ...]
    turns: int
    whole: tuple[str, ...] = ()
    opened_since: date | None = None
    """The first opening that was noted here; None: none was. Of those before it is known only who answered."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened."""
        return not self.steps[0].number


def funnel(*, wanted: Slice, period: Period, now: datetime) -> Funnel:
    """How far what happened in a period got until now. One query, and one for each key in the slice.

    What is counted are events, by the day they occurred, each once however many rules looked at it. What began without
    an event (the turn of a cadence, an invitation that was not for an event) counts for itself, by the day of its
    decision. Public links, kiosks and imports invite nobody, so they have no part in it. With a survey only that counts
    which one of its rules or cadences looked at, or what led to an invitation to it.

    Who answered has opened the page, so has to whom it was shown on one, and what was opened was delivered. What a
    machine probably answered is no answer.
    Of an anonymous answer nothing is known but that its link was used: it is scored and never commented.

    Raises UnknownKeyError, and ConditionError for a segment that cannot be evaluated.
    """
    text, params = statement(wanted=wanted, places=find(wanted), period=period, now=now)
    reached, losses = Counter[int](), [Counter[str]() for _step in STEPS]
    turns, opened = 0, set[date]()
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        for is_event, far_and_why, number, first in cursor.fetchall():
            far, why = int(far_and_why[0]), far_and_why[1:]
            reached[far] += number
            losses[far][why] += number
            turns += 0 if is_event else number
            opened |= {first} if first else set()
    whole = tuple(name for name in ("channel", "is_incentivised") if getattr(wanted, name) not in ("", None))
    return Funnel(_steps(reached, losses), turns, whole, min(opened, default=None))


def _steps(reached: Mapping[int, int], losses: list[Counter[str]]) -> tuple[Step, ...]:
    """``reached``: how many got exactly so far."""
    exactly = [reached.get(far, 0) for far in range(len(STEPS))]
    numbers = list(accumulate(reversed(exactly)))[::-1]
    steps = [Step(STEPS[0], Part(numbers[0], numbers[0]), Part(numbers[0], numbers[0]))]
    for far, name in enumerate(STEPS[1:], start=1):
        whys = tuple(_loss(why, number) for why, number in losses[far - 1].most_common())
        before, first = Part(numbers[far - 1], numbers[far]), Part(numbers[0], numbers[far])
        steps.append(Step(name, before, first, whys))
    return tuple(steps)


def _loss(why: str, number: int) -> Loss:
    of, _colon, code = why.partition(":")
    return Loss(of, code, number)
