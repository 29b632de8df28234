"""Steps, in the order in which a contact goes through them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from apps.common.conditions import Condition
from apps.common.schedule import Calendar, add_working_days, next_morning


class Kind(StrEnum):
    """What a step does."""

    EMAIL = "email"
    WAIT = "wait"
    BRANCH = "branch"
    CASE = "case"
    VOUCHER = "voucher"
    TAG = "tag"
    WEBHOOK = "webhook"
    TASK = "task"
    ASK = "ask"
    OPT_IN = "opt_in"
    STOP = "stop"


KINDS: tuple[str, ...] = tuple(kind.value for kind in Kind)
OUTREACH = frozenset({Kind.EMAIL, Kind.ASK, Kind.OPT_IN})
"""Steps that approach the contact."""
TOO_LATE = timedelta(days=7)
"""So long after its time an approach still makes sense, unless the step says otherwise."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step with what follows it: ``next`` is None at the end. Of a branch ``next`` is the way of “no”."""

    key: str
    kind: Kind
    settings: Mapping[str, Any]
    next: str | None
    place: int
    """Its place in the reading order, from 0."""
    yes: str | None = None
    condition: Condition | None = None

    @property
    def too_late_after(self) -> timedelta:
        """So long after its time it is still taken."""
        seconds = self.settings.get("too_late_after")
        return timedelta(seconds=seconds) if seconds else TOO_LATE

    def following(self, *, is_yes: bool = False) -> str | None:
        """The key of the step after this one; of a branch the way that was chosen."""
        return self.yes if self.kind == Kind.BRANCH and is_yes else self.next


@dataclass(frozen=True, slots=True)
class Sequence:
    """All steps by key, in reading order, and the first one's key (None: nothing is to be done)."""

    steps: Mapping[str, Step]
    first: str | None
    document: Mapping[str, Any]
    """In normal form: parsing it again changes nothing."""

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps.values())

    @property
    def fields(self) -> frozenset[str]:
        """What its branches speak of."""
        return frozenset[str]().union(*(step.condition.fields for step in self if step.condition))


def wait_end(settings: Mapping[str, Any], start: datetime, calendar: Calendar) -> datetime:
    """When a wait that begins at ``start`` ends: after a time, so many working days, or in the morning of a day."""
    mode = settings.get("mode", "time")
    if mode == "working_days":
        return add_working_days(start, settings["days"], calendar)
    if mode == "morning":
        return next_morning(start + timedelta(days=max(settings.get("days", 1) - 1, 0)), settings["minute"], calendar)
    return start + timedelta(seconds=settings["seconds"])
