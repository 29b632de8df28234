"""From a message of another tool to events: what a hook's paths find in it. Pure reading, nothing is stored."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from apps.touchpoints import paths
from apps.touchpoints.intake import MAX_EXTERNAL_ID, EventIn, InvalidEventError
from apps.touchpoints.lenient import moment, not_ahead, read_event
from apps.touchpoints.models import Hook
from apps.touchpoints.models.hooks import PATH_FIELDS
from apps.touchpoints.paths import Budget, Expression

MAX_ITEMS = 200
CONTACT = ("external_id", "email", "phone", "name", "locale", "country")


class Problem(NamedTuple):
    """What is wrong: with which part of an event, a code for the sentence, and the value or detail it is about."""

    field: str
    code: str
    value: str = ""


class Became(StrEnum):
    """What becomes of one message."""

    EVENT = "event"
    LEFT_OUT = "left_out"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Reading:
    """One message as the hook understands it; ``problems`` beside an event name what was left away."""

    became: Became
    event: EventIn | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class HookMapping:
    """A hook's paths, ready to read one request with. ``touchpoints`` are the tenant's active keys."""

    source: str
    paths: Mapping[str, Expression]
    properties: Mapping[str, Expression]
    condition_values: frozenset[str]
    default: str
    assigned: Mapping[str, str]
    touchpoints: frozenset[str] = field(repr=False)
    budget: Budget = field(default_factory=Budget, repr=False, compare=False)

    def items(self, message: Any, headers: Mapping[str, str]) -> list[Any] | Problem:
        """The messages in one request."""
        found = message
        if self.paths["items_path"]:
            found = paths.find(self.paths["items_path"], message, headers, self.budget)
            if not isinstance(found, list):
                return Problem("items", "no_list")
        if not isinstance(found, list):
            return [found]
        return found if len(found) <= MAX_ITEMS else Problem("items", "too_many", str(len(found)))

    def read(self, item: Any, headers: Mapping[str, str], now: datetime) -> Reading:
        """What becomes of one message. Never raises; what is too much to look through is wrong, not half read."""
        reading = self._read(item, headers, now)
        return reading if self.budget.left else Reading(Became.WRONG, problems=(Problem("body", "too_much"),))

    def _read(self, item: Any, headers: Mapping[str, str], now: datetime) -> Reading:
        if not isinstance(item, dict):
            return Reading(Became.WRONG, problems=(Problem("items", "no_object"),))
        condition = self.paths["condition_path"]
        if condition and self._text("condition_path", item, headers) not in self.condition_values:
            return Reading(Became.LEFT_OUT)
        problems: list[Problem] = []
        touchpoint = self._touchpoint(item, headers, problems)
        occurred_at = self._time(item, headers, now, problems)
        contact = {name: text for name in CONTACT if (text := self._text(f"{name}_path", item, headers))}
        if not contact.get("email") and not contact.get("external_id"):
            problems.append(Problem("contact", "nobody"))
        if problems:
            return Reading(Became.WRONG, problems=tuple(problems))
        raw = {
            "touchpoint": touchpoint,
            "source": self.source,
            "contact": contact,
            "occurred_at": occurred_at,
            "external_id": self._external_id(touchpoint, item, headers),
            "properties": self._properties(item, headers),
        }
        try:
            event, dropped = read_event(raw, now)
        except InvalidEventError as error:
            wrong = tuple(Problem(e.field, "invalid", e.message[:200]) for e in error.errors)
            return Reading(Became.WRONG, problems=wrong)
        return Reading(Became.EVENT, event, tuple(Problem(e.field, "dropped", e.message[:200]) for e in dropped))

    def _text(self, name: str, item: Any, headers: Mapping[str, str]) -> str:
        return paths.find_text(self.paths[name], item, headers, self.budget)

    def _touchpoint(self, item: Any, headers: Mapping[str, str], problems: list[Problem]) -> str:
        """The touchpoint's key: of the value that the message names, else the hook's own."""
        value = self._text("touchpoint_path", item, headers)
        key = (self.assigned.get(value) or value) if value else self.default
        if not key:
            problems.append(Problem("touchpoint", "missing"))
        elif key not in self.touchpoints:
            known = value in self.assigned or not value
            problems.append(Problem("touchpoint", "inactive" if known else "unassigned", key[:200]))
        return key

    def _time(self, item: Any, headers: Mapping[str, str], now: datetime, problems: list[Problem]) -> datetime | None:
        """When it happened; None where the message does not say."""
        value = paths.find(self.paths["time_path"], item, headers, self.budget)
        if value is None:
            return None
        at = moment(value)
        if at is None:
            problems.append(Problem("occurred_at", "unreadable", paths.text_of(value)[:200]))
        return not_ahead(at, now) if at else None

    def _external_id(self, touchpoint: str, item: Any, headers: Mapping[str, str]) -> str | None:
        """The message's id at this touchpoint; the same order may well meet several."""
        found = self._text("event_id_path", item, headers)
        if not found:
            return None
        whole = f"{touchpoint}/{found}"
        return whole if len(whole) <= MAX_EXTERNAL_ID else f"{touchpoint}/{hashlib.sha256(found.encode()).hexdigest()}"

    def _properties(self, item: Any, headers: Mapping[str, str]) -> dict[str, Any]:
        found = {name: paths.find(path, item, headers, self.budget) for name, path in self.properties.items()}
        return {name: value for name, value in found.items() if value is not None}


def mapping_of(hook: Hook, *, assigned: Mapping[str, str], touchpoints: Iterable[str]) -> HookMapping:
    """The hook's paths, ready to read with. ``assigned``: value → touchpoint's key."""
    values = (value.strip() for value in hook.condition_value.split(","))
    return HookMapping(
        source=f"hook:{hook.pk or 0}",
        paths={name: _parsed(getattr(hook, name)) for name in PATH_FIELDS},
        properties={name: _parsed(path) for name, path in hook.properties.items()},
        condition_values=frozenset(values),
        default=hook.touchpoint.key if hook.touchpoint else "",
        assigned=assigned,
        touchpoints=frozenset(touchpoints),
    )


def _parsed(text: str) -> Expression:
    """A path that was checked when it was saved; one that is none finds nothing."""
    try:
        return paths.parse(text)
    except paths.PathError:
        return paths.NOTHING


def fingerprint(item: Any) -> str:
    """What tells a message without an id from another one: a hash of all that it says."""
    return hashlib.sha256(msgspec.json.encode(item, order="deterministic")).hexdigest()[:40]
